import type { Reader } from "../../src/graph/core/reader.js";
import { UnitCache } from "../../src/schema/compile-cache.js";
import type { Finding } from "../../src/schema/meta.js";
import { settingsRef } from "../../src/schema/settings.js";
import type { Store } from "../../src/store/store.js";
import { type Manifest, tlsSecret } from "./backend.js";
import { type Case, compileAll, parseCase, platform, resourcesOf } from "./compile.js";
import { gateway, gatewayRoute, gatewaySettings, onPort } from "./gateway.js";

/** Parses objects with settings that name the Gateway. */
export const parseWithGateway = (manifests: readonly Manifest[], settings: Manifest = {}): Case =>
  parseCase(
    manifests.map((one) => JSON.stringify(one)).join("\n---\n"),
    JSON.stringify({ ...gatewaySettings, ...settings }),
  );

/** A reader of a compiled store with these objects. */
export function readerOf(manifests: readonly Manifest[], settings: Manifest = {}): Reader {
  const { objects } = parseWithGateway(manifests, settings);
  const store = compileAll(objects);
  const found = store.object(settingsRef);
  if (found?.kind !== "Settings") throw new Error("there are no settings");
  return {
    settings: found.spec,
    cache: store.cache,
    unitCache: new UnitCache(),
    get: (kind, namespace, name) => store.object(`${kind}/${namespace}/${name}`) as undefined,
    claimants: (key) => store.claimants(key),
    shared(find, _key, ...args) {
      return find(this, ...args);
    },
    need: () => undefined,
    overrun: () => undefined,
    checkKeyPair: platform.checkKeyPair,
  };
}

export interface Compiled {
  readonly store: Store;
  readonly findings: readonly Finding[];
  /** The complete configuration for Envoy, as text. */
  readonly output: string;
  readonly reasons: readonly string[];
  /** JSON of the virtual hosts with a name. */
  host(name: string): string;
  /** JSON of the filter chains with a name. */
  chain(name: string): string;
}

export const outputOf = (store: Store): string =>
  resourcesOf(store)
    .map(({ type, group, name, json }) => `${type} ${group} ${name} ${json}`)
    .join("\n");

export function compileWithGateway(manifests: readonly Manifest[], settings: Manifest = {}): Compiled {
  const { objects, findings } = parseWithGateway(manifests, settings);
  const store = compileAll(objects);
  const all = [...findings, ...store.findings()];
  const named = (type: string, name: string): string =>
    resourcesOf(store)
      .filter((one) => one.type === type && one.name === name)
      .map(({ json }) => json)
      .join();
  return {
    store,
    findings: all,
    output: outputOf(store),
    reasons: [...new Set(all.map(({ reason }) => reason))],
    host: (name) => named("virtual-host", name),
    chain: (name) => named("filter-chain", name),
  };
}

export const tlsOf = (name: string, namespace?: string): Manifest => ({
  tls: { certificateRefs: [{ name, ...(namespace ? { namespace } : {}) }] },
});
export const passed: Manifest = { tls: { mode: "Passthrough" } };

/** A listener of each protocol, open for routes of all namespaces. */
export const openListeners: readonly Manifest[] = [
  onPort(9080, "web", "HTTP"),
  onPort(9443, "secure", "HTTPS", tlsOf("secure")),
  onPort(9443, "pass", "TLS", { hostname: "*.tls.test", ...passed }),
  onPort(9090, "tcp", "TCP"),
];
/** A Gateway with these listeners. */
export const openGateway = (...more: readonly Manifest[]): readonly Manifest[] => [
  ...gateway(...openListeners, ...more),
  tlsSecret("infra", "secure"),
];

export const inNamespace = (namespace: string, object: Manifest): Manifest => ({
  ...object,
  metadata: { ...(object.metadata as Manifest), namespace },
});

export const routeKinds = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"] as const;

/** A route in namespace `default` with one backend, for the host `a.test` or, for a TLSRoute, `a.tls.test`. */
export const routeTo = (kind: string, ref: Manifest, spec: Manifest = {}): Manifest =>
  gatewayRoute(kind, "route", {
    ...(kind === "TCPRoute" ? {} : { hostnames: [kind === "TLSRoute" ? "a.tls.test" : "a.test"] }),
    rules: [{ backendRefs: [ref] }],
    ...spec,
  });
