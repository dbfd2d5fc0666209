import { memoized } from "../schema/memoized.js";
import { shardCount, shardName } from "../xds/route-shards.js";
import { isActive, type Subscription, type Subscriptions, subscriptionKey } from "./envoy-registry.js";
import type { ResourceSet } from "./resource-set.js";
import { type Served, selectVersion } from "./served.js";
import { isNewer, parseVersion } from "./version.js";

/**
 * The progress of an Envoy as far as this replica can determine it. The polls of an Envoy may be spread over replicas, so a
 * version that was reported here is reliable only while its poll is held here, or when the report came after the content
 * in question was first served.
 */

const isKnown = (subscription: Subscription | undefined, since: number): subscription is Subscription =>
  subscription !== undefined && (subscription.held || subscription.seen >= since);

/** Until the poll after a delivery, `accepted` is outdated: while content changes from A to B and back to A, it is A. */
const isDelivering = ({ accepted, delivered, refused }: Subscription): boolean =>
  delivered !== "" && delivered !== accepted && delivered !== refused;

/**
 * How an Envoy is with what is served of a subscription: `refused` what it was given last, and keeps what it had; `never` has accepted nothing.
 */
export type SubscriptionState = "current" | "behind" | "refused" | "never";

/** `version` is what is served. */
export function stateOf(subscription: Subscription, version: string): SubscriptionState {
  const { accepted, refused } = subscription;
  if (accepted === "") return "never";
  if (refused !== "") return "refused";
  const [has, served] = [parseVersion(accepted), parseVersion(version)];
  // What is no longer used may be served for a while beside what is to stay.
  const isSame =
    has?.hash === served?.hash || (has?.target ?? has?.hash) === (served?.target ?? served?.hash);
  return isSame ? "current" : "behind";
}

const hashOf = (version: string): string | undefined => parseVersion(version)?.hash;

/** Whether Envoy has reported that it accepted or rejected exactly this version. */
const isUpToDate = (subscription: Subscription, version: string): boolean =>
  !isDelivering(subscription) &&
  (subscription.refused === version || hashOf(subscription.accepted) === hashOf(version));

/** Whether Envoy has processed the last delivery: it has what it can accept of it, and reports that with its next poll. */
const hasProcessed = ({ processed, delivered }: Subscription): boolean =>
  processed !== "" && processed === delivered;

/**
 * Whether an Envoy has all clusters of `target`, by a report after `since`. It may have more, because each replica serves
 * unused clusters for some time. An Envoy that rejected them has all of them that it can accept.
 */
export function hasClusters(
  envoy: Subscriptions,
  clusters: Served,
  target: ResourceSet,
  since: number,
): boolean {
  const subscription = envoy.get(subscriptionKey("clusters"));
  if (subscription && hasProcessed(subscription) && hashOf(subscription.processed) === clusters.set.hash)
    return true;
  if (!isKnown(subscription, since)) return false;
  if (subscription.refused === clusters.version) return true;
  const accepted = parseVersion(subscription.accepted);
  return (
    accepted !== undefined &&
    [clusters.set.hash, target.hash].some((hash) => hash === accepted.hash || hash === accepted.target)
  );
}

/** Whether this replica holds the cluster poll of an Envoy, so that no other replica answers it. */
export const holdsClusters = (envoy: Subscriptions | undefined): boolean =>
  envoy?.get(subscriptionKey("clusters"))?.held === true;

/** Whether an Envoy has endpoints with these names. It accepts new clusters before it has their first endpoints. */
export function hasEndpoints(envoy: Subscriptions, names: Iterable<string>): boolean {
  for (const name of names) {
    const subscription = envoy.get(subscriptionKey("endpoints", [name]));
    if (!subscription) return false;
    if (subscription.accepted === "" && subscription.refused === "" && !hasProcessed(subscription))
      return false;
  }
  return true;
}

/** Whether an Envoy polled here recently for endpoints that have changed, and does not have them yet. */
export function lacksEndpoints(envoy: Subscriptions, endpoints: Served, now: number): boolean {
  for (const subscription of envoy.values()) {
    if (subscription.type !== "endpoints" || !isActive(subscription, now)) continue;
    const version = selectVersion(endpoints, subscription.names)?.version;
    const isProcessed = hasProcessed(subscription) && subscription.processed === version;
    if (version !== undefined && !isProcessed && !isUpToDate(subscription, version)) return true;
  }
  return false;
}

/** More than the time that an idle Envoy takes from an answer to its next poll. */
const betweenPollsMs = 1000;

/**
 * Whether an Envoy polls only this replica, and has the served listeners and all their route tables. `spreadMs`: the time
 * for which an Envoy counts as one that other replicas also answer.
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

/** Whether this replica holds the polls of an Envoy for listeners and for all their route tables. */
export function isWhole(envoy: Subscriptions, listeners: Served): boolean {
  const isHere = (key: string): boolean => envoy.get(key)?.held === true;
  if (listeners.set.size > 0 && !isHere(subscriptionKey("listeners"))) return false;
  return tablesOf(listeners.set).every((names) =>
    names.some((table) => table.every((name) => isHere(subscriptionKey("routes", [name])))),
  );
}

/** The highest sequence of an Envoy's versions with other, newer content than the served one; undefined without one. */
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
 * The route tables of listeners: for each, the alternative sets of names that Envoys request. Envoys request a table in
 * parts by its parts or, in older releases, as a whole.
 */
const tablesOf = memoized((listeners: ResourceSet): readonly (readonly (readonly string[])[])[] => {
  const found = new Map<string, boolean>();
  for (const { pieces } of listeners.values())
    for (const piece of pieces) if (typeof piece !== "string") found.set(piece.table, piece.inParts);
  return [...found].map(([table, inParts]) => [
    [table],
    ...(inParts ? [Array.from({ length: shardCount }, (_, shard) => shardName(table, shard))] : []),
  ]);
});
