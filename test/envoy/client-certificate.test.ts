import { expect, test } from "vitest";
import {
  certificate,
  certificateFile,
  httpProxy,
  type Manifest,
  secret,
  tlsSecret,
} from "../support/backend.js";
import { type Answer, request } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";

const services = [{ name: "a", port: 80 }];

const secrets = [
  tlsSecret("default", "secure"),
  secret("default", "ca", { "ca.crt": certificateFile("ca.crt") }),
  secret("default", "crl", { "crl.pem": certificateFile("crl.pem") }),
  secret("default", "deep-crl", { "crl.pem": certificateFile("deep-crl.pem") }),
  secret("default", "both-crls", { "crl.pem": certificateFile("crl.pem") + certificateFile("deep-crl.pem") }),
];

const host = (fqdn: string, clientValidation?: Manifest): Manifest =>
  httpProxy("default", fqdn.replaceAll(".", "-"), {
    virtualhost: { fqdn, tls: { secretName: "secure", ...(clientValidation ? { clientValidation } : {}) } },
    routes: [{ services }, { conditions: [{ prefix: "/insecure" }], services, permitInsecure: true }],
  });

const ask = (
  rig: Rig,
  fqdn: string,
  client?: string,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  request({
    port: rig.httpsPort,
    sni: fqdn,
    host: fqdn,
    headers,
    ...(client === undefined ? {} : { client: certificate(client) }),
  });

type Outcome = number | "refused";

/** The result for a client with each of the certificates. */
async function outcomes(rig: Rig, fqdn: string): Promise<Readonly<Record<string, Outcome>>> {
  const found: Record<string, Outcome> = {};
  for (const client of ["none", "client", "deep", "revoked", "stranger"]) {
    const asked = ask(rig, fqdn, client === "none" ? undefined : client);
    found[client] = await asked.then(
      ({ status }) => status,
      () => "refused" as const,
    );
  }
  return found;
}

test("client certificates: required, optional, not verified; revoked ones; intermediate authorities", async () => {
  const caSecret = "ca";
  const rig = await startRig({
    backends: ["a"],
    objects: [
      ...secrets,
      host("required.test", { caSecret }),
      host("optional.test", { caSecret, optionalClientCertificate: true }),
      host("any.test", { caSecret, skipClientCertValidation: true }),
      host("any-or-none.test", { skipClientCertValidation: true }),
      host("crl.test", { caSecret, crlSecret: "both-crls" }),
      host("root-crl.test", { caSecret, crlSecret: "crl" }),
      host("deep-crl.test", { caSecret, crlSecret: "deep-crl" }),
      host("leaf-crl.test", { caSecret, crlSecret: "deep-crl", crlOnlyVerifyLeafCert: true }),
      host("open.test"),
    ],
  });
  const refused = {
    none: "refused",
    client: "refused",
    deep: "refused",
    revoked: "refused",
    stranger: "refused",
  };
  const known = { client: 200, deep: 200, revoked: 200 };

  expect(await outcomes(rig, "required.test")).toEqual({ ...refused, ...known });
  expect(await outcomes(rig, "optional.test")).toEqual({ ...refused, ...known, none: 200 });
  expect(await outcomes(rig, "any.test")).toEqual({ ...refused, ...known, stranger: 200 });
  expect(await outcomes(rig, "any-or-none.test")).toEqual({ ...known, none: 200, stranger: 200 });
  expect(await outcomes(rig, "crl.test")).toEqual({ ...refused, client: 200, deep: 200 });
  expect(await outcomes(rig, "root-crl.test")).toEqual({ ...refused, client: 200 });
  expect(await outcomes(rig, "deep-crl.test")).toEqual(refused);
  expect(await outcomes(rig, "leaf-crl.test")).toEqual({ ...refused, deep: 200 });
  expect(await outcomes(rig, "open.test")).toEqual({ ...known, none: 200, stranger: 200 });

  const around = await request({ port: rig.httpsPort, sni: "open.test", host: "required.test" });
  expect(around.status).toBe(421);
  const plain = await request({ port: rig.httpPort, host: "required.test", path: "/insecure" });
  expect(plain.status).toBe(301);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("x-forwarded-client-cert has the configured details, and never text of a client", async () => {
  const all = { subject: true, cert: true, chain: true, dns: true, uri: true };
  const caSecret = "ca";
  const rig = await startRig({
    backends: ["a"],
    objects: [
      ...secrets,
      host("all.test", { caSecret, forwardClientCertificate: all }),
      host("subject.test", { caSecret, forwardClientCertificate: { subject: true } }),
      host("optional.test", { caSecret, optionalClientCertificate: true, forwardClientCertificate: all }),
      host("any.test", { skipClientCertValidation: true, forwardClientCertificate: { subject: true } }),
      host("silent.test", { caSecret }),
    ],
  });
  const forwarded = async (fqdn: string, client?: string): Promise<string | undefined> => {
    const answer = await ask(rig, fqdn, client, { "x-forwarded-client-cert": "Subject=forged" });
    return answer.echo().headers["x-forwarded-client-cert"] as string | undefined;
  };

  const pem = encodeURIComponent(certificate("client").cert);
  const told = (await forwarded("all.test", "client"))?.split(";") ?? [];
  expect(told.filter((part) => !part.startsWith("Hash="))).toEqual([
    `Cert="${pem}"`,
    `Chain="${pem}"`,
    'Subject="CN=client"',
    "URI=spiffe://test/client",
    "DNS=client.test",
  ]);
  expect(await forwarded("subject.test", "client")).toMatch(/^Hash=[0-9a-f]{64};Subject="CN=client"$/);
  expect(await forwarded("any.test", "stranger")).toMatch(/;Subject="CN=stranger"$/);
  expect(await forwarded("optional.test")).toBeUndefined();
  expect(await forwarded("silent.test", "client")).toBeUndefined();
  expect(await rig.envoy.rejected()).toEqual([]);
});

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString("base64")}\n-----END ${label}-----\n`;

const der = Buffer.from(certificateFile("crl.pem").replace(/-----[^-]+-----|\s/g, ""), "base64");
const wrongOid = Buffer.from(der);
wrongOid.writeUInt8(wrongOid.readUInt8(12) ^ 0x01, 12);

const garbage: readonly string[] = [
  "",
  "no PEM",
  certificateFile("ca.crt"),
  pem("X509 CRL", Buffer.alloc(0)),
  pem("X509 CRL", Buffer.from("3003020101", "hex")),
  pem("X509 CRL", Buffer.from("30093003020101020101", "hex")),
  pem("X509 CRL", der.subarray(0, -10)),
  pem("X509 CRL", Buffer.concat([der, Buffer.alloc(4)])),
  pem("X509 CRL", wrongOid),
  pem("X509 CRL", Buffer.from(certificateFile("ca.crt").replace(/-----[^-]+-----|\s/g, ""), "base64")),
  certificateFile("crl.pem") + pem("X509 CRL", Buffer.from("3003020101", "hex")),
];

const brokenCa = Buffer.from(certificateFile("ca.crt").replace(/-----[^-]+-----|\s/g, ""), "base64");
brokenCa.writeUInt8(0x01, brokenCa.indexOf(Buffer.from("020102", "hex")) + 2);

test("an authority or chain that Envoy can't load closes its own host and no other", async () => {
  const broken = pem("CERTIFICATE", brokenCa);
  const { cert, key } = certificate("secure");
  const chain = {
    ...secret("default", "chain", { "tls.crt": cert + broken, "tls.key": key }),
    type: "kubernetes.io/tls",
  };
  const objects = [
    ...secrets,
    secret("default", "broken", { "ca.crt": broken }),
    host("broken.test", { caSecret: "broken" }),
    chain,
    httpProxy("default", "chain", {
      virtualhost: { fqdn: "chain.test", tls: { secretName: "chain" } },
      routes: [{ services }],
    }),
    host("open.test"),
  ];
  const rig = await startRig({ backends: ["a"], objects });

  expect((await ask(rig, "open.test")).status).toBe(200);
  expect(await ask(rig, "broken.test", "client").catch(() => "closed")).toBe("closed");
  expect(await ask(rig, "chain.test").catch(() => "closed")).toBe("closed");
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("garbage as a revocation list closes its own host and no other", async () => {
  const hosts = garbage.flatMap((list, i) => [
    secret("default", `crl-${i}`, { "crl.pem": list }),
    host(`g${i}.test`, { caSecret: "ca", crlSecret: `crl-${i}` }),
  ]);
  const rig = await startRig({ backends: ["a"], objects: [...secrets, ...hosts, host("open.test")] });

  expect((await ask(rig, "open.test")).status).toBe(200);
  for (const i of garbage.keys()) {
    const outcome = await ask(rig, `g${i}.test`, "client").catch(() => "closed");
    expect([garbage[i], outcome]).toEqual([garbage[i], "closed"]);
  }
  expect(await rig.envoy.rejected()).toEqual([]);
});
