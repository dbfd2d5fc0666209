import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { findEnvoy, runEnvoy } from "../../src/dev/envoy.js";
import { readCaBundle, readCrl, readKeyPair } from "../../src/graph/certificates/secret.js";
import type { Reader } from "../../src/graph/core/reader.js";
import { isAtLeast, newestEnvoy } from "../../src/xds/envoy-version.js";
import {
  certificate,
  certificateFile,
  httpProxy,
  ingressRoute,
  type Manifest,
  secret,
  service,
  tlsSecret,
} from "../support/backend.js";
import { certificateOf, derOf, dnsNames, extension, extensionList, hex, pem } from "../support/der-writer.js";
import { eventually, testedEnvoy } from "../support/envoy.js";
import { readerOf } from "../support/gateway-threat.js";
import { freePort, request } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";
import { random } from "../support/nasty.js";
import { oddCertificates } from "../support/odd-certificates.js";
import { oddKeys } from "../support/odd-keys.js";
import { oddLists } from "../support/odd-lists.js";
import { ec, type OddPair } from "../support/odd-pair.js";
import { oddPem } from "../support/odd-pem.js";

const pairs = [...oddCertificates, ...oddKeys, ...oddPem];

/** TLS features under another identifier stand for an unknown rule of Envoy. */
const rules = vi.hoisted(() => ({ known: true }));
vi.mock("../../src/graph/certificates/x509.js", async (original) => {
  const module = await original<typeof import("../../src/graph/certificates/x509.js")>();
  return {
    ...module,
    extensionIds: {
      ...module.extensionIds,
      get features() {
        return rules.known ? module.extensionIds.features : "none";
      },
    },
  };
});

const inline = (text: string): Manifest => ({ inline_bytes: Buffer.from(text).toString("base64") });
const pairOf = (certificate: string, key: string): Manifest => ({
  tls_certificates: [{ certificate_chain: inline(certificate), private_key: inline(key) }],
});

/** A listener, not bound to its port, with this TLS configuration. */
const listenerOf = (tls: Manifest, i: number): Manifest => ({
  "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
  name: `odd-${i}`,
  bind_to_port: false,
  address: { socket_address: { address: "127.0.0.1", port_value: 20000 + i } },
  filter_chains: [
    {
      filters: [
        {
          name: "echo",
          typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo" },
        },
      ],
      transport_socket: {
        name: "envoy.transport_sockets.tls",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
          common_tls_context: tls,
        },
      },
    },
  ],
});

/** The listeners with such TLS that an Envoy accepts; the first must be accepted. */
async function loads(contexts: readonly Manifest[]): Promise<readonly boolean[]> {
  const folder = await mkdtemp(join(tmpdir(), "isoline-odd-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const listeners = join(folder, "listeners.json");
  await writeFile(listeners, JSON.stringify({ version_info: "1", resources: contexts.map(listenerOf) }));
  const bootstrap = {
    node: { id: "test", cluster: "test" },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: port } } },
    dynamic_resources: { lds_config: { path_config_source: { path: listeners } } },
  } as Parameters<typeof runEnvoy>[2];
  const envoy = await runEnvoy(await findEnvoy(() => undefined), folder, bootstrap, 1);
  onTestFinished(() => envoy.stop());
  let taken = new Set<string>();
  await eventually(async () => {
    const { body } = await request({ port, path: "/listeners" });
    taken = new Set(body.split("\n").map((line) => line.split("::")[0] ?? ""));
    return taken.has("odd-0");
  }, "Envoy has read the listeners");
  return contexts.map((_, i) => taken.has(`odd-${i}`));
}

/**
 * The rules are those of the newest release. An older release may load more, and must load everything that these
 * allow.
 */
const isNewest = isAtLeast(await testedEnvoy(), newestEnvoy);

interface Judged {
  readonly name: string;
  readonly loads: boolean;
}

function expectAsJudged(all: readonly Judged[], taken: readonly boolean[]): void {
  const shown = (loads: (one: Judged, i: number) => unknown): unknown =>
    all.map((one, i) => [one.name, isNewest || one.loads ? loads(one, i) : "refused or not"]);
  expect(shown((_, i) => taken[i])).toEqual(shown((one) => one.loads));
}

test("Envoy loads the pairs as listed", async () => {
  const taken = await loads(pairs.map(({ certificate, key }) => pairOf(certificate, key)));
  expectAsJudged(pairs, taken);
});

test("Envoy loads the revocation lists as listed", async () => {
  const { cert, key } = certificate("secure");
  const trusted_ca = inline(certificateFile("ca.crt"));
  const taken = await loads(
    oddLists.map(({ list }) => ({
      ...pairOf(cert, key),
      validation_context: { trusted_ca, crl: inline(list) },
    })),
  );
  expectAsJudged(oddLists, taken);
});

/** Bytes with random changes. */
function mutated(der: Buffer, next: () => number): Buffer {
  const changed = Buffer.from(der);
  const at = Math.floor(next() * der.length);
  const telling = [0, 1, 2, 3, 4, 5, 6, 10, 12, 19, 22, 23, 24, 30, 48, 49, 128, 160, 255];
  const any = next() < 0.5 ? Math.floor(next() * 256) : telling[Math.floor(next() * telling.length)];
  changed[at] = any ?? 0;
  return changed;
}

test("changed bytes: Envoy loads everything that is accepted here", async () => {
  const next = random(1);
  const pick = <T>(all: readonly T[]): T | undefined => all[Math.floor(next() * all.length)];
  const change = (label: string, text = ""): string => pem(label, mutated(derOf(text), next));
  const reading = (data: Readonly<Record<string, string>>): Reader =>
    readerOf([{ ...secret("default", "odd", data), type: "Opaque" }]);
  const name = { namespace: "default", name: "odd" };
  const { cert, key } = certificate("secure");
  const own = pairOf(cert, key);
  const trusted_ca = inline(certificateFile("ca.crt"));
  const goodPairs = pairs.filter(({ loads: one, problem }) => one && problem === undefined);
  const goodLists = oddLists.filter(({ loads: one, problem }) => one && problem === undefined);

  const contexts = [own];
  for (let i = 0; i < 500; i++) {
    const found = pick(goodPairs);
    const crt = change("CERTIFICATE", found?.certificate);
    const { pair } = readKeyPair(reading({ "tls.crt": crt, "tls.key": found?.key ?? "" }), name);
    if (pair) contexts.push(pairOf(pair.certificate, pair.privateKey));
    const { ca } = readCaBundle(reading({ "ca.crt": crt }), name);
    if (ca) contexts.push({ ...own, validation_context: { trusted_ca: inline(ca) } });
    const { crl } = readCrl(reading({ "crl.pem": change("X509 CRL", pick(goodLists)?.list) }), name);
    if (crl) contexts.push({ ...own, validation_context: { trusted_ca, crl: inline(crl) } });
  }
  expect(contexts.length).toBeGreaterThan(300);
  const taken = await loads(contexts);
  expect(contexts.filter((_, i) => !taken[i])).toEqual([]);
});

const services = [{ name: "a", port: 80 }];
const host = (namespace: string, name: string, secretName: string, more: Manifest = {}): Manifest =>
  httpProxy(namespace, name, {
    virtualhost: { fqdn: `${name}.test`, tls: { secretName, ...more } },
    routes: [{ services }],
  });
const goodHost = (name: string): Manifest => host("default", name, "secure");
/** The same host with each kind of object. */
const kinds = [
  (name: string): Manifest => host(name, name, "odd"),
  (name: string): Manifest =>
    ingressRoute(name, name, {
      virtualhost: { fqdn: `${name}.test`, tls: { secretName: "odd" } },
      routes: [{ match: "/", services }],
    }),
  (name: string): Manifest => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { namespace: name, name },
    spec: {
      tls: [{ hosts: [`${name}.test`], secretName: "odd" }],
      rules: [
        {
          host: `${name}.test`,
          http: { paths: [{ path: "/", backend: { service: { name: "a", port: { number: 80 } } } }] },
        },
      ],
    },
  }),
];
const oddHost = (
  namespace: string,
  { certificate: crt, key }: Pick<OddPair, "certificate" | "key">,
  kind = 0,
): Manifest[] => [
  service(namespace, "a"),
  { ...secret(namespace, "odd", { "tls.crt": crt, "tls.key": key }), type: "kubernetes.io/tls" },
  ...kinds.slice(kind, kind + 1).map((write) => write(namespace)),
];

const ask = async (rig: Rig, name: string): Promise<unknown> => {
  const { status, certificate } = await request({
    port: rig.httpsPort,
    sni: `${name}.test`,
    host: `${name}.test`,
  });
  return [status, certificate];
};

const untilServed = (rig: Rig, name: string): Promise<void> =>
  eventually(async () => JSON.stringify(await ask(rig, name)) === '[200,"secure.test"]', `${name} is served`);

test.each(["sds", "inline"])("no pair that is sent is refused (secrets: %s)", async (secrets) => {
  const rig = await startRig({
    backends: ["a"],
    objects: [tlsSecret("default", "secure"), goodHost("before")],
    settings: { secrets },
  });
  expect(await ask(rig, "before")).toEqual([200, "secure.test"]);

  await rig.isoline.apply(
    "odd",
    ...pairs.flatMap((pair, i) => oddHost(`odd-${i}`, pair, i % kinds.length)),
    goodHost("after"),
  );
  await untilServed(rig, "after");

  expect(await ask(rig, "before")).toEqual([200, "secure.test"]);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("Envoy refuses no authority and no revocation list that is sent, for clients and for backends", async () => {
  const rig = await startRig({
    backends: ["a"],
    objects: [tlsSecret("default", "secure"), goodHost("before")],
  });
  const validating = (
    namespace: string,
    more: Manifest,
    ...secrets: readonly Manifest[]
  ): readonly Manifest[] => [
    service(namespace, "a"),
    tlsSecret(namespace, "secure"),
    ...secrets,
    host(namespace, namespace, "secure", { clientValidation: { caSecret: "ca", ...more } }),
    httpProxy(namespace, "backend", {
      virtualhost: { fqdn: `${namespace}-backend.test` },
      routes: [
        { services: [{ ...services[0], protocol: "tls", validation: { caSecret: "ca", subjectName: "x" } }] },
      ],
    }),
  ];
  const odd = [
    ...oddCertificates.flatMap(({ certificate: ca }, i) =>
      validating(`ca-${i}`, {}, secret(`ca-${i}`, "ca", { "ca.crt": ca })),
    ),
    ...oddLists.flatMap(({ list }, i) =>
      validating(
        `crl-${i}`,
        { crlSecret: "crl" },
        secret(`crl-${i}`, "ca", { "ca.crt": certificateFile("ca.crt") }),
        secret(`crl-${i}`, "crl", { "crl.pem": list }),
      ),
    ),
  ];
  await rig.isoline.apply("odd", ...odd, goodHost("after"));
  await untilServed(rig, "after");

  expect(await ask(rig, "before")).toEqual([200, "secure.test"]);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("with inline secrets, a pair that Envoy refuses by an unknown rule affects only its own host", async () => {
  rules.known = false;
  onTestFinished(() => {
    rules.known = true;
  });
  const staple = extension("1.3.6.1.5.5.7.1.24", hex("3003020105"));
  const unknown = {
    certificate: pem(
      "CERTIFICATE",
      certificateOf(ec.publicKey, { extensions: extensionList(dnsNames("odd.test"), staple) }),
    ),
    key: ec.privateKey,
  };
  const rig = await startRig({
    backends: ["a"],
    objects: [tlsSecret("default", "secure"), goodHost("before"), ...oddHost("odd", unknown)],
    settings: { secrets: "inline" },
  });

  await untilServed(rig, "before");
  await expect(ask(rig, "odd")).rejects.toThrow();
  await rig.isoline.apply("after", goodHost("after"));
  await untilServed(rig, "after");
  await untilServed(rig, "before");
  expect(await rig.envoy.rejected()).toEqual(["sds.odd/odd.update_rejected"]);

  await rig.restartEnvoy();
  await untilServed(rig, "before");
  await untilServed(rig, "after");
});
