import { expect, test } from "vitest";
import { findingsAt } from "../../src/schema/meta.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Store } from "../../src/store/store.js";
import { update } from "../../src/update.js";
import { httpProxy, type Manifest, secret, service } from "../support/backend.js";
import { compileAll, dump, platform } from "../support/compile.js";
import { oddCertificates } from "../support/odd-certificates.js";
import { oddKeys } from "../support/odd-keys.js";
import type { OddPair } from "../support/odd-pair.js";
import { oddPem } from "../support/odd-pem.js";

const pairs = [...oddCertificates, ...oddKeys, ...oddPem];

/** Each pair in its own namespace and host. */
const objectsOf = (namespace: string, { certificate, key }: (typeof pairs)[number]): readonly Manifest[] => [
  service(namespace, "web"),
  { ...secret(namespace, "odd", { "tls.crt": certificate, "tls.key": key }), type: "kubernetes.io/tls" },
  httpProxy(namespace, "web", {
    virtualhost: { fqdn: `${namespace}.test`, tls: { secretName: "odd" } },
    routes: [{ services: [{ name: "web", port: 80 }] }],
  }),
];

const compiled = compileAll([
  parseSettings({ secrets: "inline" }).settings,
  ...pairs
    .flatMap((pair, i) => objectsOf(`odd-${i}`, pair))
    .flatMap((manifest) => {
      const parsed = parseObject(manifest);
      return "object" in parsed ? [parsed.object] : [];
    }),
]);
const errors = [...findingsAt(Date.UTC(2026, 1, 1), compiled.findings())].filter(
  ({ severity }) => severity === "error",
);
const chains = new Set([...compiled.resources("filter-chain", "ingress_https")].map(({ name }) => name));

test("a Secret that changes between kinds compiles to the same as in a new store", () => {
  const settings = parseSettings({ secrets: "inline" }).settings;
  const parse = (manifests: readonly Manifest[]): KubeObject[] =>
    manifests.flatMap((manifest) => {
      const parsed = parseObject(manifest);
      return "object" in parsed ? [parsed.object] : [];
    });
  const find = (name: string): OddPair =>
    pairs.find((pair) => pair.name === name) ?? pairs[0] ?? expect.fail();
  const steps = ["plain", "extension: unknown and critical", "must-staple", "RSA of 8192 bits", "plain EC"];
  const chainOf = (store: Store): string =>
    [...store.resources("filter-chain", "ingress_https")].map(({ json }) => json).join();
  const store = createMemoryStore();
  const transports = steps.map((name) => {
    const objects = parse(objectsOf("odd", find(name)));
    update(store, [settings, ...objects], platform);
    expect(dump(store)).toBe(dump(compileAll([settings, ...objects])));
    const secrets = [...store.resources("secret", "")].length;
    return `${/"tls_certificate[a-z_]*/.exec(chainOf(store))?.[0].slice(1) ?? "none"} ${secrets}`;
  });
  expect(transports).toEqual([
    "tls_certificates 0",
    "tls_certificate_sds_secret_configs 1",
    "none 0",
    "tls_certificate_sds_secret_configs 1",
    "tls_certificates 0",
  ]);
});

test("names of pairs are different", () => {
  expect(new Set(pairs.map(({ name }) => name)).size).toBe(pairs.length);
});

test("pairs that Envoy does not load are refused", () => {
  // The PEM that is sent has other line lengths.
  const repaired = ["PEM: lines of 253"];
  expect(pairs.filter(({ loads, problem }) => !loads && !problem).map(({ name }) => name)).toEqual(repaired);
});

test.each(pairs.map((pair, i) => [pair.name, i, pair] as const))("%s", (_, i, { problem }) => {
  const found = errors.filter(({ about }) => about === `HTTPProxy/odd-${i}/web`);
  if (problem === undefined) {
    expect(found).toEqual([]);
    expect(chains).toContain(`odd-${i}.test`);
    return;
  }
  expect(found.map(({ reason, path }) => [reason, path])).toEqual([
    ["SecretNotValid", "spec.virtualhost.tls.secretName"],
  ]);
  expect(found[0]?.message).toContain('Secret "odd" is invalid: ');
  expect(found[0]?.message).toContain(problem);
  expect(chains).not.toContain(`odd-${i}.test`);
});
