/**
 * The core: compiles objects to xDS. It runs in Node, a Worker or a browser, does no I/O and reads no clock.
 *
 * ```ts
 * const store = createMemoryStore();
 * update(store, objects, platform);
 * const snapshot = link(store, { endpoints: "auto", xdsCluster: "isoline" });
 * ```
 */
export { hostUnit, listenersUnit, readUnit, type Unit, type UnitKey } from "./graph/core/keys.js";
export { EnvoyRegistry as Fleet, type Poller } from "./link/envoy-registry.js";
export { Publication } from "./link/publish.js";
export { encodeResponse, respond } from "./link/respond.js";
export { type LinkOptions, link, type Snapshot, type XdsType } from "./link/snapshot.js";
export type { Finding, Ref } from "./schema/meta.js";
export { type KubeObject, membersOf, type Parsed, parseObject } from "./schema/object.js";
export { parseSettings, type Settings, type SettingsSpec } from "./schema/settings.js";
export { createMemoryStore } from "./store/memory.js";
export type { Compiled, Resource, Store } from "./store/store.js";
export { type Change, type Platform, replaceAll, type Updated, update } from "./update.js";
