import { expect } from "vitest";
import { type Finding, findingsAt } from "../../src/schema/meta.js";
import type { Store } from "../../src/store/store.js";
import { httpProxy, type Manifest, service } from "./backend.js";
import { compileAll, parseCase, resourcesOf } from "./compile.js";

/** What a neighbour has, which nothing may touch. */
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
  /** Everything that Envoy would get, but for listeners and tables, which are of the settings. */
  readonly output: string;
  /** JSON of the route tables' virtual hosts of a name. */
  host(name: string): string | undefined;
  reasons(): readonly string[];
}

/** Compiles the neighbour with what an attacker adds, and makes sure that the neighbour's host is the same byte by byte. */
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

/** An HTTPProxy of the host `bad.test`; `route` is merged into its one route. */
export const proxyWith = (route: Manifest, virtualhost: Manifest = {}): Manifest =>
  httpProxy("default", "bad", {
    virtualhost: { fqdn: "bad.test", ...virtualhost },
    routes: [{ services: [{ name: "a", port: 80 }], ...route }],
  });
