import { expect, test } from "vitest";
import { findingsAt } from "../../src/schema/meta.js";
import { parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { httpProxy, type Manifest, secret, service } from "../support/backend.js";
import { compileAll } from "../support/compile.js";
import { oddCertificates } from "../support/odd-certificates.js";
import { oddKeys } from "../support/odd-keys.js";
import { oddPem } from "../support/odd-pem.js";

const pairs = [...oddCertificates, ...oddKeys, ...oddPem];

/** Each pair in a namespace of its own, under a host of its own. */
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

test("names of pairs are different", () => {
  expect(new Set(pairs.map(({ name }) => name)).size).toBe(pairs.length);
});

test("what Envoy does not load is refused here", () => {
  // What is sent has other lines.
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
