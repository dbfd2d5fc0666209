import { expect } from "vitest";
import { type Finding, findingsAt } from "../../src/schema/meta.js";
import type { Store } from "../../src/store/store.js";
import { httpProxy, type Manifest, service } from "./backend.js";
import { compileAll, parseCase, resourcesOf } from "./compile.js";

/** The objects of another tenant, which must not be affected. */
const good: readonly Manifest[] = [
  service("default", "a"),
  httpProxy("default", "good", {
    virtualhost: { fqdn: "good.test" },
    routes: [{ services: [{ name: "a", port: 80 }] }],
  }),
];

const textOf = (manifests: readonly Manifest[]): string =>
  manifests.map((one) => JSON.stringify(one)).join("\n---\n");

export interface Attacked {
  readonly store: Store;
  readonly findings: readonly Finding[];
  /** The complete configuration for Envoy except listeners and tables, which depend on settings only. */
  readonly output: string;
  /** JSON of the virtual hosts with a name. */
  host(name: string): string | undefined;
  reasons(): readonly string[];
}

/**
 * Compiles the other tenant's objects with those of an attacker, and checks that the other tenant's host is unchanged,
 * byte by byte.
 */
export function attack(manifests: readonly Manifest[], settings = "{}"): Attacked {
  const alone = compileOf(good, settings);
  const attacked = compileOf([...good, ...manifests], settings);
  expect(attacked.host("good.test")).toBe(alone.host("good.test"));
  expect(attacked.host("good.test")).toBeDefined();
  return attacked;
}

function compileOf(manifests: readonly Manifest[], settings: string): Attacked {
  const { objects, findings } = parseCase(textOf(manifests), settings);
  const store = compileAll(objects);
  const all = [...findings, ...findingsAt(Date.now(), store.findings())];
  const resources = resourcesOf(store).filter(
    ({ type }) => type !== "listener" && type !== "route-configuration",
  );
  return {
    store,
    findings: all,
    output: resources.map(({ type, name, json }) => `${type} ${name} ${json}`).join("\n"),
    host: (name) => {
      const found = resources.filter((one) => one.type === "virtual-host" && one.name === name);
      return found.length === 0 ? undefined : found.map(({ json }) => json).join();
    },
    reasons: () => all.filter(({ severity }) => severity === "error").map(({ reason }) => reason),
  };
}

/** An HTTPProxy for the host `bad.test`; `route` is merged into its one route. */
export const proxyWith = (route: Manifest, virtualhost: Manifest = {}): Manifest =>
  httpProxy("default", "bad", {
    virtualhost: { fqdn: "bad.test", ...virtualhost },
    routes: [{ services: [{ name: "a", port: 80 }], ...route }],
  });
