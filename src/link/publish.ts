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
import { isNewer, isOrdered, parseVersion } from "./version.js";

/** `switching`: what the last snapshots no longer use is still served, for Envoys that may route to it. */
export type Phase = "switching" | "settled";

export interface PublicationOptions {
  /**
   * How long (ms) listeners and routes are withheld from an Envoy whose clusters can't be seen, and what is no longer used is
   * kept for one whose routes can't be seen. Longer than Envoy waits for an answer (30 s in the bootstrap): by then it has asked
   * again, another replica if the one that held its poll is stopped.
   */
  readonly waitMs: number;
  /**
   * How long (ms) another replica may serve what was before an edit: what is no longer used is kept for so much longer, also where all
   * Envoys that poll here have the routes. 0: there is no other replica.
   */
  readonly replicaMs: number;
  /** How long (ms) an Envoy may be ahead of this replica before it is taken back: see `learn`. */
  readonly patienceMs: number;
  /** Whether this replica has what its source has now: else it takes no Envoy back. */
  synced(): boolean;
  /** Called when Envoys that were ahead are taken back. */
  raised(sequence: number): void;
}

const usual: PublicationOptions = {
  waitMs: 35_000,
  replicaMs: 0,
  patienceMs: 5000,
  synced: () => true,
  raised: () => undefined,
};

/** How much later than others a replica may see an edit. */
const lagMs = 2000;
/** How long an Envoy that is known to be on its way to changed endpoints is waited for. */
const endpointsMs = 2000;
/** What is no longer used is kept for twice as long as routes to what is new are withheld, and so longer than an Envoy may lack these. */
const keepTimes = 2;
/** The first hold of a poll that other replicas have to see. */
const firstHoldMs = 250;
const maxPatienceMs = 600_000;
/** After this without an Envoy that had to be taken back, `patienceMs` counts again. */
const calmMs = 3_600_000;

/** Differs between the polls of an Envoy: in step with each other, they would get to the same replicas in turn. */
const partOf = ({ type, names: [name = type] }: Poll): number =>
  2 + (name.length % 7) + (name.charCodeAt(name.length - 1) % 8) / 8;

/** Of these, what is no longer used is served for a while beside what is new. */
const kept = ["clusters", "endpoints", "secrets", "scoped-routes"] as const;

/**
 * Serves one snapshot after the other, so that no Envoy ever routes to a cluster that it does not have: clusters old and new are
 * served at once, each Envoy gets listeners and routes when it has these, and what is no longer used goes when all Envoys have the
 * routes. Polls of one Envoy may come to several replicas, each of which sees a part: see `progress.ts`. Pure but for its own
 * state: time comes as an argument.
 */
export class Publication {
  readonly #options: PublicationOptions;
  #served: Readonly<Record<XdsType, Served>> | undefined;
  #target: Snapshot | undefined;
  #sequence = 0;
  #startedAt = Number.NEGATIVE_INFINITY;
  /** Since when clusters that are new or changed are served. */
  #clustersAt = Number.NEGATIVE_INFINITY;
  /** Names of endpoints, and since when they are served. */
  readonly #added = new Map<string, number>();
  /** What no snapshot uses any more, and since when; the oldest first. */
  readonly #unused = new Map(kept.map((type) => [type, new Map<string, number>()] as const));
  /** The highest sequence that was reported with what is to be served in the end, of types that are asked for whole. */
  readonly #reported = new Map<XdsType, number>();
  /** Since when an Envoy is known to be ahead. */
  #aheadSince: number | undefined;
  #patienceMs: number;
  #raisedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly fleet: EnvoyRegistry,
    options: Partial<PublicationOptions> = {},
  ) {
    this.#options = { ...usual, ...options };
    this.#patienceMs = this.#options.patienceMs;
  }

  get #keepMs(): number {
    return keepTimes * this.#options.waitMs;
  }

  /** How long what is no longer used is kept at most. */
  get #unusedMs(): number {
    return this.#keepMs + this.#options.replicaMs;
  }

  get phase(): Phase {
    return this.#oldest === undefined ? "settled" : "switching";
  }

  /** Undefined until the first snapshot. */
  served(type: XdsType): Served | undefined {
    return this.#served?.[type];
  }

  /**
   * Starts to publish a snapshot; `sequence` (a resourceVersion, a revision or a clock) raises the version, which never goes back.
   * Types whose content stays keep their version. Returns the types that changed.
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
    const changed = this.#serve({ ...this.#merged(now), listeners, routes });
    if (changed.includes("clusters")) this.#clustersAt = now;
    for (const name of this.#served.endpoints.set.namesNotIn(before.endpoints.set))
      this.#added.set(name, now);
    return [...new Set([...changed, ...this.advance(now)])];
  }

  /** What is served beside listeners and routes: all that the snapshot has, and what it had no use for only of late. */
  #merged(now: number): Partial<Record<XdsType, ResourceSet>> {
    const sets: Partial<Record<XdsType, ResourceSet>> = {};
    for (const [type, unused] of this.#unused) {
      const [before, target] = [this.#served?.[type].set, this.#target?.sets[type]];
      if (!before || !target) continue;
      for (const name of unused.keys()) if (target.has(name)) unused.delete(name);
      for (const name of before.namesNotIn(target)) if (!unused.has(name)) unused.set(name, now);
      for (const [name, at] of unused) if (now - at >= this.#unusedMs) unused.delete(name);
      sets[type] = before.mergedWith(target, (name) => unused.has(name));
    }
    return sets;
  }

  /** Since when the oldest of what is no longer used is so; undefined: there is none. */
  get #oldest(): number | undefined {
    let oldest: number | undefined;
    for (const unused of this.#unused.values())
      for (const at of unused.values()) {
        oldest = Math.min(oldest ?? at, at);
        break;
      }
    return oldest;
  }

  /** Drops what is no longer used, and takes Envoys back, where it is time. Returns the types that changed. */
  advance(now: number): XdsType[] {
    return [...new Set([...this.#clear(now), ...this.#raise(now)])];
  }

  #clear(now: number): XdsType[] {
    const [oldest, target] = [this.#oldest, this.#target?.sets];
    if (oldest === undefined || !target) return [];
    if (this.#options.replicaMs > 0 || !this.#allHaveRoutes(now))
      return now - oldest < this.#unusedMs ? [] : this.#serve(this.#merged(now), true);
    for (const unused of this.#unused.values()) unused.clear();
    return this.#serve(Object.fromEntries(kept.map((type) => [type, target[type]])), true);
  }

  /** When `advance` has to be called at the latest; undefined when nothing is under way. */
  get deadline(): number | undefined {
    const deadlines = [
      ...(this.#oldest === undefined ? [] : [this.#oldest + this.#unusedMs]),
      ...(this.#aheadSince === undefined ? [] : [this.#aheadSince + this.#patienceMs]),
    ];
    return deadlines.length === 0 ? undefined : Math.min(...deadlines);
  }

  #allHaveRoutes(now: number): boolean {
    const served = this.#served;
    if (!served) return false;
    // Without any, those of a replica that fails may be on their way here, with routes to what is no longer used.
    let some = false;
    for (const envoy of this.fleet.active(now)) {
      some = true;
      if (!hasRoutes(envoy, served.listeners, served.routes, this.#keepMs, now)) return false;
    }
    return some;
  }

  /**
   * Decides on the answer to a poll, by `respond`; but listeners and routes that an Envoy may not have the clusters for are withheld
   * until it has, `waitMs` at most: also the newest of snapshots that follow on each other.
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
   * How long (ms) clusters are withheld from an Envoy that has some which were not given here. This replica may lack some of these,
   * which its routes need: where it has all that are to be, it is given others only when it has the routes; else another replica
   * gets the time to give it these.
   */
  #clustersWithheldFor(request: Poll, now: number): number {
    const envoy = this.fleet.of(request);
    const { listeners, routes } = this.#served ?? {};
    if (!envoy?.get(subscriptionKey("clusters"))?.foreign || !listeners || !routes) return 0;
    const has = parseVersion(request.version);
    if (!has) return 0;
    if ((has.target ?? has.hash) !== this.#target?.sets.clusters.hash) return lagMs;
    return hasRoutes(envoy, listeners, routes, this.#keepMs, now) ? 0 : this.#keepMs;
  }

  /** How long (ms) listeners or routes are withheld from an Envoy as far as is known of it; 0: it may have them. */
  #withheldFor(request: Poll, now: number): number {
    if (request.type === "clusters") return this.#clustersWithheldFor(request, now);
    const { waitMs } = this.#options;
    const { clusters, endpoints } = this.#served ?? {};
    const target = this.#target?.sets.clusters;
    if (!clusters || !endpoints || !target) return 0;
    const envoy = this.fleet.of(request);
    const isOwn = this.#isOwn(request, envoy);
    const changedAt = isOwn ? this.#clustersAt : Math.max(this.#clustersAt, this.#startedAt);
    const mayLack = !isOwn || now - changedAt < waitMs || holdsClusters(envoy);
    if (mayLack && !(envoy && hasClusters(envoy, clusters, target, changedAt))) return waitMs;
    const added = this.#addedOfLate(now);
    if (added.length > 0 && !(envoy && hasEndpoints(envoy, added))) return waitMs;
    return envoy && lacksEndpoints(envoy, endpoints, now) ? endpointsMs : 0;
  }

  /**
   * Whether an Envoy follows what is served here. One that comes with something else, from before the start or from a replica that was
   * cut off, may have clusters of any time before.
   */
  #isOwn({ type, names, version }: Poll, envoy: Subscriptions | undefined): boolean {
    return version === "" || envoy?.get(subscriptionKey(type, names))?.inStep === true;
  }

  #addedOfLate(now: number): string[] {
    const names: string[] = [];
    for (const [name, at] of this.#added)
      if (now - at >= this.#options.waitMs || !this.#target?.sets.endpoints.has(name))
        this.#added.delete(name);
      else names.push(name);
    return names;
  }

  /** Whether what an Envoy has of a type may let it have more of another. */
  opens(type: XdsType, now: number): boolean {
    if (type !== "clusters" && type !== "endpoints") return false;
    return now - Math.max(this.#clustersAt, this.#startedAt) < this.#options.waitMs || this.#added.size > 0;
  }

  /**
   * How long a poll may be held where the polls of an Envoy are spread over replicas and its next one is better seen by another:
   * one that reports clusters or endpoints for which other replicas hold routes back, or one for routes that are held back here.
   * A part of the time since there is something to learn, so that few polls come of it. Undefined: as long as may be.
   */
  holdMs(request: Poll, now: number): number | undefined {
    const at = this.#learntFrom(request);
    if (at === undefined || now - at >= this.#options.waitMs) return undefined;
    return Math.max(firstHoldMs, (now - at) / partOf(request));
  }

  #learntFrom(request: Poll): number | undefined {
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
   * Learns from the version that an Envoy reports. Clocks of replicas differ, so no clock alone says which content is newer: the
   * next publication here is above all that was reported. Where an Envoy has other content under a higher version, another replica
   * may have seen an edit that this one has not: it is given time to see it. If it then still has other content, and is in step with
   * its source, what it serves gets a version above the reported one. Replicas that take Envoys back from each other wait twice as
   * long each time.
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
    if (hash === reported.hash) this.fleet.keepsStep(request, type, names);
    else if (hash !== undefined && isNewer(reported, { sequence: served.sequence, hash })) this.#isAhead(now);
  }

  #isAhead(now: number): void {
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
   * `isEnd`: only what is no longer used goes. That is no news, and its version is not above what another replica has given, which may
   * have seen an edit that this one has not.
   */
  #serve(sets: Partial<Record<XdsType, ResourceSet>>, isEnd = false): XdsType[] {
    const served = { ...(this.#served as Readonly<Record<XdsType, Served>>) };
    const changed: XdsType[] = [];
    for (const [type, set] of Object.entries(sets) as [XdsType, ResourceSet][]) {
      const old = served[type];
      if (old.set.isSame(set)) {
        // What stays of the same content may be something else now. An Envoy that has it is not sent it again.
        const now = this.#versioned(type, old.set, old.sequence);
        if (now.version !== old.version) served[type] = now;
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
