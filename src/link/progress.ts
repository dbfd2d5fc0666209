import { memoized } from "../schema/memoized.js";
import { shardCount, shardName, tablesIn } from "../xds/route-shards.js";
import { isActive, type Subscription, type Subscriptions, subscriptionKey } from "./envoy-registry.js";
import type { ResourceSet } from "./resource-set.js";
import { type Served, selectVersion } from "./served.js";
import { isNewer, parseVersion } from "./version.js";

/**
 * What this replica can say of how far an Envoy is. Polls of one Envoy may be spread over replicas, so what was reported here says
 * what Envoy has only as long as its poll is held here, or where it was reported after other content was there to be had.
 */

const isKnown = (subscription: Subscription | undefined, since: number): subscription is Subscription =>
  subscription !== undefined && (subscription.held || subscription.seen >= since);

/** Until the poll after a delivery, `accepted` is of the past: on the way from A to B and back to A it says A. */
const isDelivering = ({ accepted, delivered, refused }: Subscription): boolean =>
  delivered !== "" && delivered !== accepted && delivered !== refused;

const hashOf = (version: string): string | undefined => parseVersion(version)?.hash;

/** Whether Envoy has accepted, or refused, just this. */
const isUpToDate = (subscription: Subscription, version: string): boolean =>
  !isDelivering(subscription) &&
  (subscription.refused === version || hashOf(subscription.accepted) === hashOf(version));

/**
 * Whether an Envoy has all clusters of `target` since `since`: it may have more, as each replica keeps for a while what is no
 * longer used. One that refused them has what it could take of them.
 */
export function hasClusters(
  envoy: Subscriptions,
  clusters: Served,
  target: ResourceSet,
  since: number,
): boolean {
  const subscription = envoy.get(subscriptionKey("clusters"));
  if (!isKnown(subscription, since)) return false;
  if (subscription.refused === clusters.version) return true;
  const has = parseVersion(subscription.accepted);
  return (
    has !== undefined &&
    [clusters.set.hash, target.hash].some((hash) => hash === has.hash || hash === has.target)
  );
}

/** Whether what an Envoy has of clusters is known here now: no other replica answers its poll. */
export const holdsClusters = (envoy: Subscriptions | undefined): boolean =>
  envoy?.get(subscriptionKey("clusters"))?.held === true;

/** Envoy reports new clusters as accepted while they still wait for their first endpoints. */
export function hasEndpoints(envoy: Subscriptions, names: Iterable<string>): boolean {
  for (const name of names) {
    const subscription = envoy.get(subscriptionKey("endpoints", [name]));
    if (!subscription || (subscription.accepted === "" && subscription.refused === "")) return false;
  }
  return true;
}

/** Whether an Envoy has asked here of late for endpoints that changed, and does not have them yet. */
export function lacksEndpoints(envoy: Subscriptions, endpoints: Served, now: number): boolean {
  for (const subscription of envoy.values()) {
    if (subscription.type !== "endpoints" || !isActive(subscription, now)) continue;
    const version = selectVersion(endpoints, subscription.names)?.version;
    if (version !== undefined && !isUpToDate(subscription, version)) return true;
  }
  return false;
}

/** Longer than an Envoy that is not busy takes from an answer to its next poll. */
const betweenPollsMs = 1000;

/**
 * Whether an Envoy polls here alone, and has the listeners and all route tables that these refer to as they are served. `spreadMs`:
 * for how long an Envoy counts as one that other replicas answer, too.
 */
export function hasRoutes(
  envoy: Subscriptions,
  listeners: Served,
  routes: Served,
  spreadMs: number,
  now: number,
): boolean {
  for (const subscription of envoy.values()) {
    if (now - subscription.otherReplicaAt < spreadMs) return false;
    if (subscription.type !== "routes" || !isActive(subscription, now)) continue;
    const version = selectVersion(routes, subscription.names)?.version;
    if (version !== undefined && !isUpToDate(subscription, version)) return false;
  }
  const has = (key: string, version: string | undefined): boolean => {
    const subscription = envoy.get(key);
    return (
      version !== undefined &&
      isKnown(subscription, now - betweenPollsMs) &&
      isUpToDate(subscription, version)
    );
  };
  if (listeners.set.size > 0 && !has(subscriptionKey("listeners"), listeners.version)) return false;
  const hasTable = (name: string): boolean =>
    has(subscriptionKey("routes", [name]), selectVersion(routes, [name])?.version);
  return tablesOf(listeners.set).every((names) => names.some((table) => table.every(hasTable)));
}

/** Whether the polls of an Envoy for listeners and for all route tables that these refer to are held here. */
export function isWhole(envoy: Subscriptions, listeners: Served): boolean {
  const isHere = (key: string): boolean => envoy.get(key)?.held === true;
  if (listeners.set.size > 0 && !isHere(subscriptionKey("listeners"))) return false;
  return tablesOf(listeners.set).every((names) =>
    names.some((table) => table.every((name) => isHere(subscriptionKey("routes", [name])))),
  );
}

/** A version of an Envoy that is newer than what is served here, of other content; undefined: there is none. */
export function newerAt(
  envoy: Subscriptions,
  servedOf: (type: Subscription["type"]) => Served | undefined,
  now: number,
): number | undefined {
  let newest: number | undefined;
  for (const subscription of envoy.values()) {
    if (!isActive(subscription, now)) continue;
    const served = servedOf(subscription.type);
    const reported = parseVersion(subscription.accepted);
    if (!served || !reported) continue;
    const hash = selectVersion(served, subscription.names)?.resources.hash;
    if (hash === undefined || !isNewer(reported, { sequence: served.sequence, hash })) continue;
    newest = Math.max(newest ?? 0, reported.sequence);
  }
  return newest;
}

/**
 * The route tables that listeners refer to: each as the sets of names under which Envoys ask for it. A table in parts is asked for
 * in parts or, by older releases, whole.
 */
const tablesOf = memoized((listeners: ResourceSet): readonly (readonly (readonly string[])[])[] => {
  const found = new Map<string, boolean>();
  for (const { pieces } of listeners.values())
    for (const piece of pieces)
      for (const { table, inParts } of tablesIn(piece))
        found.set(table, inParts || found.get(table) === true);
  return [...found].map(([table, inParts]) => [
    [table],
    ...(inParts ? [Array.from({ length: shardCount }, (_, shard) => shardName(table, shard))] : []),
  ]);
});
