import { expect, test } from "vitest";
import {
  certificate,
  certificateFile,
  hostProxy,
  httpProxy,
  type Manifest,
  secret,
  tlsSecret,
} from "../support/backend.js";
import { request } from "../support/http.js";
import { type HttpBackend, startHttp } from "../support/http-server.js";
import { startRig } from "../support/isoline.js";

const services = [{ name: "a", port: 80 }];

const delegation = (name: string): Manifest => ({
  apiVersion: "projectcontour.io/v1",
  kind: "TLSCertificateDelegation",
  metadata: { namespace: "infra", name },
  spec: { delegations: [{ secretName: name, targetNamespaces: ["default"] }] },
});

test("the fallback certificate without SNI and for unknown names; hosts without it respond with 404 there", async () => {
  const host = (fqdn: string, enableFallbackCertificate: boolean): Manifest =>
    httpProxy("default", fqdn.replaceAll(".", "-"), {
      virtualhost: { fqdn, tls: { secretName: "secure", enableFallbackCertificate } },
      routes: [{ services }],
    });
  const objects = [
    tlsSecret("default", "secure"),
    tlsSecret("infra", "tcp"),
    delegation("tcp"),
    host("in.test", true),
    host("out.test", false),
    hostProxy("plain.test", "a"),
  ];
  const rig = await startRig({
    backends: ["a"],
    objects,
    settings: { tls: { fallbackCertificate: { namespace: "infra", name: "tcp" } } },
  });
  const ask = async (sni: string, fqdn: string): Promise<unknown> => {
    const { status, certificate } = await request({ port: rig.httpsPort, sni, host: fqdn });
    return [status, certificate];
  };

  expect(await ask("in.test", "in.test")).toEqual([200, "secure.test"]);
  expect(await ask("", "in.test")).toEqual([200, "tcp.test"]);
  expect(await ask("unknown.test", "in.test")).toEqual([200, "tcp.test"]);
  expect(await ask("", "out.test")).toEqual([404, "tcp.test"]);
  expect(await ask("", "plain.test")).toEqual([404, "tcp.test"]);
  expect(await ask("unknown.test", "unknown.test")).toEqual([404, "tcp.test"]);
  expect(await ask("out.test", "out.test")).toEqual([200, "secure.test"]);
  expect(await ask("out.test", "in.test")).toEqual([421, "secure.test"]);
  expect(await rig.envoy.rejected()).toEqual([]);
});

/** An HTTPS backend with the certificate of `backend.test` that requires client certificates. */
const demanding = (name: string): Promise<HttpBackend> =>
  startHttp(name, undefined, {
    ...certificate("backend"),
    ca: certificateFile("ca.crt"),
    requestCert: true,
    rejectUnauthorized: true,
  });

const tlsRoute = (prefix: string, name: string, more: Manifest = {}): Manifest => ({
  conditions: [{ prefix }],
  services: [{ name, port: 80, protocol: "tls", ...more }],
});

test.each(["sds", "inline"])(
  "Envoy shows its certificate to backends that demand one (secrets: %s)",
  async (secrets) => {
    const backend = await demanding("mtls");
    const proxy = httpProxy("default", "mtls", {
      virtualhost: { fqdn: "mtls.test" },
      routes: [tlsRoute("/", "mtls")],
    });
    const objects = [...backend.objects, tlsSecret("infra", "client"), proxy];
    const envoyClientCertificate = { namespace: "infra", name: "client" };
    const rig = await startRig({
      backends: [],
      objects,
      settings: { secrets, tls: { envoyClientCertificate } },
    });

    expect((await request({ port: rig.httpPort, host: "mtls.test" })).status).toBe(200);
    expect(backend.requests.map(({ client }) => client)).toEqual(["client"]);
    expect(await rig.envoy.rejected()).toEqual([]);
  },
);

test("backends are validated: the authority and the names of the object, else 503", async () => {
  const backend = await startHttp("tls", undefined, certificate("backend"));
  const validation = { caSecret: "ca", subjectName: "backend.test" };
  const several = { subjectName: "other.test", subjectNames: ["other.test", "backend.test"] };
  const proxy = httpProxy("default", "upstream", {
    virtualhost: { fqdn: "upstream.test" },
    routes: [
      tlsRoute("/any", "tls"),
      tlsRoute("/good", "tls", { validation }),
      tlsRoute("/wrong-name", "tls", { validation: { ...validation, subjectName: "other.test" } }),
      tlsRoute("/one-of-names", "tls", { validation: { ...validation, ...several } }),
      tlsRoute("/wrong-authority", "tls", { validation: { ...validation, caSecret: "infra/stranger" } }),
      tlsRoute("/plain", "a"),
    ],
  });
  const objects = [
    ...backend.objects,
    secret("default", "ca", { "ca.crt": certificateFile("ca.crt") }),
    secret("infra", "stranger", { "ca.crt": certificateFile("secure.crt") }),
    delegation("stranger"),
    proxy,
  ];
  const rig = await startRig({ backends: ["a"], objects });
  const status = async (path: string): Promise<number> =>
    (await request({ port: rig.httpPort, host: "upstream.test", path })).status;

  expect(await status("/any")).toBe(200);
  expect(await status("/good")).toBe(200);
  expect(await status("/one-of-names")).toBe(200);
  expect(await status("/wrong-name")).toBe(503);
  expect(await status("/wrong-authority")).toBe(503);
  expect(await status("/plain")).toBe(503);
  expect(backend.requests.length).toBe(3);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("the SNI for a TLS backend is the Host that the route sets", async () => {
  const backend = await startHttp("tls", undefined, certificate("backend"));
  const set = [{ name: "Host", value: "backend.test" }];
  const proxy = httpProxy("default", "sni", {
    virtualhost: { fqdn: "sni.test" },
    routes: [{ ...tlsRoute("/", "tls"), requestHeadersPolicy: { set } }],
  });
  const rig = await startRig({ backends: [], objects: [...backend.objects, proxy] });

  expect((await request({ port: rig.httpPort, host: "sni.test" })).status).toBe(200);
  expect(backend.requests.map(({ headers, sni }) => [headers.host, sni])).toEqual([
    ["backend.test", "backend.test"],
  ]);
  expect(await rig.envoy.rejected()).toEqual([]);
});
