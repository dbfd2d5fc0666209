import { defaultPollTimes } from "../schema/polls.js";
import { type EnvoyRegistry, type Subscriptions, subscriptionKey } from "./envoy-registry.js";
import {
  hasClusters,
  hasEndpoints,
  hasRoutes,
  holdsClusters,
  isWhole,
  lacksEndpoints,
  newerAt,
} from "./progress.js";
import type { ResourceSet } from "./resource-set.js";
import { type DiscoveryAnswer, isByName, type Poll, respond } from "./respond.js";
import { type Served, selectVersion, serveSet } from "./served.js";
import { type Snapshot, type XdsType, xdsTypes } from "./snapshot.js";
import { UnusedResources } from "./unused.js";
import { isNewer, isOrdered, parseVersion } from "./version.js";

/** `switching`: resources that the newest snapshot does not use are still served, for Envoys that may route to them. */
export type Phase = "switching" | "settled";

export interface PublicationOptions {
  /**
   * The time (ms) for which listeners and routes are withheld from an Envoy whose clusters this replica can't see. Unused
   * resources are kept twice as long for an Envoy whose routes it can't see. It must exceed Envoy's default timeout of a
   * poll: after that, the Envoy has polled again, at another replica if the first one stopped. A longer timeout in the
   * settings prolongs it.
   */
  readonly waitMs: number;
  /**
   * The time (ms) for which another replica may still serve the state before an edit. Unused resources are kept this much
   * longer, even when all Envoys that poll this replica have the new routes. 0: there is no other replica.
   */
  readonly replicaMs: number;
  /**
   * The time (ms) for which an Envoy may have a newer version than this replica before the replica overrides it: see
   * `learn`.
   */
  readonly patienceMs: number;
  /** Whether this replica has the current state of its source. Otherwise it overrides no newer version. */
  synced(): boolean;
  /** Called when this replica overrides newer versions of Envoys, with its new sequence. */
  raised(sequence: number): void;
}

const defaults: PublicationOptions = {
  waitMs: 35_000,
  replicaMs: 0,
  patienceMs: 5000,
  synced: () => true,
  raised: () => undefined,
};

/** The time by which replicas may differ in seeing an edit. */
const lagMs = 2000;
/** The time for which routes wait until an Envoy has fetched changed endpoints. */
const endpointsMs = 2000;
/** Unused resources are kept for this multiple of `waitMs`, so that they outlast the time for which routes are withheld. */
const keepTimes = 2;
/** The shortest hold of a poll whose version other replicas need to see. */
const firstHoldMs = 250;
const maxPatienceMs = 600_000;
/** After this time without an override, the waiting time is `patienceMs` again. */
const calmMs = 3_600_000;

/**
 * A divisor that differs between the polls of an Envoy: polls with equal hold times would rotate over the replicas
 * together.
 */
const partOf = ({ type, names: [name = type] }: Poll): number =>
  2 + (name.length % 7) + (name.charCodeAt(name.length - 1) % 8) / 8;

/**
 * Publishes snapshots in phases, so that no Envoy routes to a cluster that it does not have. First, old and new clusters
 * are served together. An Envoy gets new listeners and routes when it has the clusters. Unused resources are removed when
 * all Envoys have the routes. The polls of an Envoy may be spread over several replicas, and each sees only a part of
 * them: see `progress.ts`. The class does no I/O and reads no clock: time is an argument.
 */
export class Publication {
  readonly #options: PublicationOptions;
  #served: Readonly<Record<XdsType, Served>> | undefined;
  #target: Snapshot | undefined;
  #sequence = 0;
  #startedAt = Number.NEGATIVE_INFINITY;
  /** The time at which the newest clusters were first served. */
  #clustersAt = Number.NEGATIVE_INFINITY;
  /** The names of new endpoints, with the time at which they were first served. */
  readonly #added = new Map<string, number>();
  readonly #unused = new UnusedResources();
  /** The highest reported sequence with the target content, for types that are requested without names. */
  readonly #reported = new Map<XdsType, number>();
  /** The time since which an Envoy has a newer version than this replica. */
  #aheadSince: number | undefined;
  #patienceMs: number;
  #raisedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly fleet: EnvoyRegistry,
    options: Partial<PublicationOptions> = {},
  ) {
    this.#options = { ...defaults, ...options };
    this.#patienceMs = this.#options.patienceMs;
  }

  get #waitMs(): number {
    const { timeoutMs } = this.#target?.polls ?? defaultPollTimes;
    return this.#options.waitMs + Math.max(0, timeoutMs - defaultPollTimes.timeoutMs);
  }

  get #keepMs(): number {
    return keepTimes * this.#waitMs;
  }

  /** The longest time for which unused resources are kept. */
  get #unusedMs(): number {
    return this.#keepMs + this.#options.replicaMs;
  }

  get phase(): Phase {
    return this.#unused.oldest === undefined ? "settled" : "switching";
  }

  /** The served resources of a type; undefined before the first snapshot. */
  served(type: XdsType): Served | undefined {
    return this.#served?.[type];
  }

  /**
   * Starts to publish a snapshot. `sequence` (a resourceVersion, a revision or a clock) raises the version, which never
   * decreases. Types with unchanged content keep their version. Returns the types that changed.
   */
  publish(snapshot: Snapshot, sequence: number, now: number): XdsType[] {
    this.#target = snapshot;
    this.#reported.clear();
    this.#sequence = Math.max(sequence, this.#sequence + 1);
    if (!this.#served) {
      this.#serveAll(snapshot.sets);
      this.#startedAt = now;
      return [...xdsTypes];
    }
    const before = this.#served;
    const { listeners, routes } = snapshot.sets;
    this.#unused.note(before, snapshot.sets, now);
    const merged = this.#unused.mergedWith(before, snapshot.sets);
    const changed = this.#serve({ ...merged, listeners, routes });
    if (changed.includes("clusters")) this.#clustersAt = now;
    for (const name of this.#served.endpoints.set.namesNotIn(before.endpoints.set))
      this.#added.set(name, now);
    return [...new Set([...changed, ...this.advance(now)])];
  }

  /** Removes unused resources and overrides newer versions of Envoys when they are due. Returns the types that changed. */
  advance(now: number): XdsType[] {
    return [...new Set([...this.#clear(now), ...this.#raise(now)])];
  }

  #clear(now: number): XdsType[] {
    const [served, target, unused] = [this.#served, this.#target?.sets, this.#unused];
    if (!served || !target) return [];
    const { oldest } = unused;
    const isSpareOld = unused.spareUntil !== undefined && unused.spareUntil <= now;
    const areAll = oldest !== undefined && this.#options.replicaMs === 0 && this.#allHaveRoutes(now);
    const before = areAll ? now : now - this.#unusedMs;
    if (!isSpareOld && (oldest === undefined || oldest > before)) return [];
    unused.release(served.clusters.set, before, now);
    return this.#serve(unused.mergedWith(served, target), true);
  }

  /** The latest time for the next call of `advance`; undefined when nothing is due. */
  get deadline(): number | undefined {
    const deadlines = [
      ...(this.#unused.oldest === undefined ? [] : [this.#unused.oldest + this.#unusedMs]),
      ...(this.#unused.spareUntil === undefined ? [] : [this.#unused.spareUntil]),
      ...(this.#aheadSince === undefined ? [] : [this.#aheadSince + this.#patienceMs]),
    ];
    return deadlines.length === 0 ? undefined : Math.min(...deadlines);
  }

  #allHaveRoutes(now: number): boolean {
    const served = this.#served;
    if (!served || this.fleet.isIncomplete(now)) return false;
    // Without Envoys here, those of a failed replica may arrive later, with routes to unused resources.
    let some = false;
    for (const envoy of this.fleet.active(now)) {
      some = true;
      if (!hasRoutes(envoy, served.listeners, served.routes, this.#keepMs, now)) return false;
    }
    return some;
  }

  /**
   * Decides on the answer to a poll with `respond`, but withholds listeners and routes from an Envoy that may lack their
   * clusters, for `waitMs` at most. This also applies to the newest of several snapshots in quick succession.
   */
  answer(request: Poll, now: number): DiscoveryAnswer {
    const { type, names, version } = request;
    const answer = respond(request, this.#served?.[type], this.fleet, now);
    if (type !== "listeners" && type !== "routes" && type !== "clusters") return answer;
    const limit = answer.kind === "content" ? this.#withheldFor(request, now) : 0;
    const since = this.fleet.withhold(request, type, names, limit > 0, now);
    const notBefore = since + limit;
    if (answer.kind !== "content" || notBefore <= now) return answer;
    if (version !== "") return { kind: "unchanged", until: notBefore };
    return { ...answer, notBefore: Math.max(notBefore, answer.notBefore ?? 0) };
  }

  /**
   * The time (ms) for which clusters are withheld from an Envoy with clusters of another replica. This replica may lack
   * some of them, which the routes of the Envoy need. An Envoy with all target clusters gets other clusters only when it
   * has the routes; for any other Envoy, another replica gets the time to serve it the target clusters.
   */
  #clustersWithheldFor(request: Poll, now: number): number {
    const envoy = this.fleet.of(request);
    const { listeners, routes } = this.#served ?? {};
    if (!envoy?.get(subscriptionKey("clusters"))?.foreign || !listeners || !routes) return 0;
    const reported = parseVersion(request.version);
    if (!reported) return 0;
    if ((reported.target ?? reported.hash) !== this.#target?.sets.clusters.hash) return lagMs;
    return hasRoutes(envoy, listeners, routes, this.#keepMs, now) ? 0 : this.#keepMs;
  }

  /** The time (ms) for which the answer is withheld from an Envoy, by its known state; 0: it may be sent now. */
  #withheldFor(request: Poll, now: number): number {
    if (request.type === "clusters") return this.#clustersWithheldFor(request, now);
    const waitMs = this.#waitMs;
    const { clusters, endpoints } = this.#served ?? {};
    const target = this.#target?.sets.clusters;
    if (!clusters || !endpoints || !target) return 0;
    const envoy = this.fleet.of(request);
    const isOwn = this.#isOwn(request, envoy);
    const changedAt = isOwn ? this.#clustersAt : Math.max(this.#clustersAt, this.#startedAt);
    const mayLack = !isOwn || now - changedAt < waitMs || holdsClusters(envoy);
    if (mayLack && !(envoy && hasClusters(envoy, clusters, target, changedAt))) return waitMs;
    const added = this.#recentlyAdded(now);
    if (added.length > 0 && !(envoy && hasEndpoints(envoy, added))) return waitMs;
    return envoy && lacksEndpoints(envoy, endpoints, now) ? endpointsMs : 0;
  }

  /**
   * Whether the version of an Envoy comes from this replica. An Envoy with another version, from before the start or from
   * a disconnected replica, may have clusters of any earlier state.
   */
  #isOwn({ type, names, version }: Poll, envoy: Subscriptions | undefined): boolean {
    return version === "" || envoy?.get(subscriptionKey(type, names))?.inStep === true;
  }

  #recentlyAdded(now: number): string[] {
    const names: string[] = [];
    for (const [name, at] of this.#added)
      if (now - at >= this.#waitMs || !this.#target?.sets.endpoints.has(name)) this.#added.delete(name);
      else names.push(name);
    return names;
  }

  /** Whether progress of an Envoy with this type may end the withholding of another type. */
  mayRelease(type: XdsType, now: number): boolean {
    if (type !== "clusters" && type !== "endpoints") return false;
    return now - Math.max(this.#clustersAt, this.#startedAt) < this.#waitMs || this.#added.size > 0;
  }

  /**
   * The longest hold (ms) of a poll when the polls of an Envoy are spread over replicas and another replica needs to see
   * its next one: a poll that reports clusters or endpoints for which other replicas withhold routes, or a poll for routes
   * that this replica withholds. It is a fraction of the time since the change, to limit the number of polls. Undefined: no
   * such limit.
   */
  holdMs(request: Poll, now: number): number | undefined {
    const at = this.#changeReportedBy(request);
    if (request.direct || at === undefined || now - at >= this.#waitMs) return undefined;
    return Math.max(firstHoldMs, (now - at) / partOf(request));
  }

  /** The time of the change that a poll reports to other replicas; undefined for other polls. */
  #changeReportedBy(request: Poll): number | undefined {
    const { type, names, version } = request;
    const listeners = this.#served?.listeners;
    const envoy = this.fleet.of(request);
    if (!listeners || !envoy || version === "") return undefined;
    if (type === "listeners" || type === "routes") {
      const withheld = envoy.get(subscriptionKey(type, names))?.withheldAt ?? 0;
      return withheld > 0 && !envoy.get(subscriptionKey("clusters"))?.held ? withheld : undefined;
    }
    if (isWhole(envoy, listeners)) return undefined;
    if (type === "clusters") return this.#clustersAt;
    return type === "endpoints" ? this.#added.get(names[0] ?? "") : undefined;
  }

  /**
   * Processes the version that an Envoy reports. The clocks of replicas differ, so a clock alone does not show which
   * content is newer: the next publication of this replica gets a sequence above all reported ones. When an Envoy has other
   * content with a higher version, another replica may have seen an edit that this one has not, so this replica waits.
   * If the contents still differ after that, and this replica is in sync with its source, it raises its version above the
   * reported one. The waiting time doubles with each override, because replicas may override each other.
   */
  learn(request: Poll, now: number): void {
    const { type, names, version } = request;
    const served = this.#served?.[type];
    const reported = parseVersion(version);
    if (!served || !reported || !isOrdered(reported)) return;
    this.#sequence = Math.max(this.#sequence, reported.sequence + 1);
    if (!isByName(type) && (reported.target ?? reported.hash) === this.#target?.sets[type].hash)
      this.#reported.set(type, Math.max(this.#reported.get(type) ?? 0, reported.sequence));
    const hash = selectVersion(served, isByName(type) ? names : [])?.resources.hash;
    if (hash === reported.hash) this.fleet.noteInStep(request, type, names);
    else if (hash !== undefined && isNewer(reported, { sequence: served.sequence, hash }))
      this.#noteAhead(now);
  }

  #noteAhead(now: number): void {
    if (this.#aheadSince !== undefined) return;
    this.#aheadSince = now;
    if (now - this.#raisedAt >= calmMs) this.#patienceMs = this.#options.patienceMs;
  }

  #raise(now: number): XdsType[] {
    if (this.#aheadSince === undefined || now < this.#aheadSince + this.#patienceMs) return [];
    const newest = this.#newestAhead(now);
    this.#aheadSince = newest !== undefined && !this.#options.synced() ? now : undefined;
    const sets = this.#served;
    if (newest === undefined || this.#aheadSince !== undefined || !sets) return [];
    this.#patienceMs = Math.min(2 * this.#patienceMs, maxPatienceMs);
    this.#raisedAt = now;
    this.#sequence = Math.max(this.#sequence, newest) + 1;
    this.#options.raised(this.#sequence);
    this.#serveAll(Object.fromEntries(xdsTypes.map((type) => [type, sets[type].set])) as Snapshot["sets"]);
    return [...xdsTypes];
  }

  #newestAhead(now: number): number | undefined {
    let newest: number | undefined;
    for (const envoy of this.fleet.active(now)) {
      const found = newerAt(envoy, (type) => this.#served?.[type], now);
      if (found !== undefined) newest = Math.max(newest ?? 0, found);
    }
    return newest;
  }

  #serveAll(sets: Snapshot["sets"]): void {
    const entries = xdsTypes.map(
      (type) => [type, this.#versioned(type, sets[type], this.#sequence)] as const,
    );
    this.#served = Object.fromEntries(entries) as Record<XdsType, Served>;
    this.#sequence++;
  }

  #versioned(type: XdsType, set: ResourceSet, sequence: number): Served {
    return serveSet(set, sequence, this.#target?.sets[type]);
  }

  /**
   * Serves new sets. `isEnd`: only unused resources are removed. Such a version must not exceed the version of another
   * replica, which may have seen an edit that this one has not.
   */
  #serve(sets: Partial<Record<XdsType, ResourceSet>>, isEnd = false): XdsType[] {
    const served = { ...(this.#served as Readonly<Record<XdsType, Served>>) };
    const changed: XdsType[] = [];
    for (const [type, set] of Object.entries(sets) as [XdsType, ResourceSet][]) {
      const old = served[type];
      if (old.set.isSame(set)) {
        // The target may differ although the content is equal. An Envoy with this content does not get it again.
        const updated = this.#versioned(type, old.set, old.sequence);
        if (updated.version !== old.version) served[type] = updated;
        continue;
      }
      const ended = Math.max(old.sequence, this.#reported.get(type) ?? 0) + 1;
      served[type] = this.#versioned(type, set, isEnd ? ended : this.#sequence);
      this.fleet.forget(type, old.set.namesNotIn(set));
      changed.push(type);
    }
    this.#served = served;
    if (changed.length > 0) this.#sequence++;
    return changed;
  }
}
