import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { findEnvoy, runEnvoy } from "../../src/cli/envoy.js";
import { httpProxy, type Manifest, secret, tlsSecret } from "../support/backend.js";
import { certificateOf, dnsNames, extension, extensionList, hex, pem } from "../support/der-writer.js";
import { eventually } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";
import { oddCertificates } from "../support/odd-certificates.js";
import { oddKeys } from "../support/odd-keys.js";
import { ec, type OddPair } from "../support/odd-pair.js";
import { oddPem } from "../support/odd-pem.js";

const pairs = [...oddCertificates, ...oddKeys, ...oddPem];

/** TLS features under another identifier are a rule of Envoy's that is not known here. */
const rules = vi.hoisted(() => ({ known: true }));
vi.mock("../../src/graph/x509.js", async (original) => {
  const module = await original<typeof import("../../src/graph/x509.js")>();
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

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A listener, not bound to its port, that shows a key pair as it stands. */
const listenerOf = ({ certificate, key }: OddPair, i: number): Manifest => ({
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
          common_tls_context: {
            tls_certificates: [
              {
                certificate_chain: { inline_bytes: base64(certificate) },
                private_key: { inline_bytes: base64(key) },
              },
            ],
          },
        },
      },
    },
  ],
});

test("which of the pairs Envoy loads", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isoline-odd-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const listeners = join(folder, "listeners.json");
  await writeFile(listeners, JSON.stringify({ version_info: "1", resources: pairs.map(listenerOf) }));
  const envoy = await runEnvoy(
    await findEnvoy(() => undefined),
    folder,
    {
      node: { id: "test", cluster: "test" },
      admin: { address: { socket_address: { address: "127.0.0.1", port_value: port } } },
      dynamic_resources: { lds_config: { path_config_source: { path: listeners } } },
    } as Parameters<typeof runEnvoy>[2],
    1,
  );
  onTestFinished(() => envoy.stop());
  let loaded = new Set<string>();
  await eventually(async () => {
    const { body } = await request({ port, path: "/listeners" });
    loaded = new Set(body.split("\n").map((line) => line.split("::")[0] ?? ""));
    return loaded.has("odd-0");
  }, "Envoy has read the listeners");

  const found = pairs.map(({ name }, i) => [name, loaded.has(`odd-${i}`)]);
  expect(found).toEqual(pairs.map(({ name, loads }) => [name, loads]));
});

const services = [{ name: "a", port: 80 }];
const host = (namespace: string, name: string, secretName: string): Manifest =>
  httpProxy(namespace, name, {
    virtualhost: { fqdn: `${name}.test`, tls: { secretName } },
    routes: [{ services }],
  });
const goodHost = (name: string): Manifest => host("default", name, "secure");
const oddHost = (
  namespace: string,
  { certificate, key }: Pick<OddPair, "certificate" | "key">,
): Manifest[] => [
  { ...secret(namespace, "odd", { "tls.crt": certificate, "tls.key": key }), type: "kubernetes.io/tls" },
  host(namespace, namespace, "odd"),
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
  eventually(
    async () => JSON.stringify(await ask(rig, name)) === '[200,"secure.test"]',
    `${name} is served`,
    20_000,
  );

test.each(["sds", "inline"])("no pair that is sent is refused (secrets: %s)", async (secrets) => {
  const rig = await startRig({
    backends: ["a"],
    objects: [tlsSecret("default", "secure"), goodHost("before")],
    settings: { secrets },
  });
  expect(await ask(rig, "before")).toEqual([200, "secure.test"]);

  await rig.isoline.apply("odd", ...pairs.flatMap((pair, i) => oddHost(`odd-${i}`, pair)), goodHost("after"));
  await untilServed(rig, "after");

  expect(await ask(rig, "before")).toEqual([200, "secure.test"]);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("with inline secrets, a pair that Envoy refuses by a rule that is not known here costs its own host", async () => {
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
