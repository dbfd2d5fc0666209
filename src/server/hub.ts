import type { Outlet, Provenance } from "../engine/outlet.js";
import { EnvoyRegistry, maxNodes } from "../link/envoy-registry.js";
import { partVersion } from "../link/mark.js";
import { Publication } from "../link/publish.js";
import { EncodeError, encodeResponse, isByName } from "../link/respond.js";
import { selectVersion } from "../link/served.js";
import { type Snapshot, type XdsType, xdsTypes } from "../link/snapshot.js";
import type { Log } from "../log/log.js";
import { tableOfPart } from "../xds/route-shards.js";
import { EnvoyReports } from "./envoy-reports.js";
import { hubGauges, tooManyNodes } from "./hub-gauges.js";
import type { HubOptions } from "./hub-options.js";
import { envoyKey, type HubPoll, type Prepared, waiterKey } from "./hub-poll.js";
import { LossGuard } from "./loss-guard.js";
import { type Gauge, Metrics } from "./metrics.js";
import { QuietLog } from "./quiet-log.js";
import type { Reply } from "./reply.js";
import { platformTimers, type Timers } from "./timers.js";
import { XdsNames } from "./xds-names.js";

interface Waiter {
  readonly type: XdsType;
  /** The `envoyKey` of its Envoy. */
  readonly envoy: string;
  end(how: Ended): void;
}

/** Why a wait ends: `again` by time or a change, `replaced` by a newer poll of the same subscription or a release, `gone` when the client went away. */
type Ended = "again" | "replaced" | "gone";

/** Envoys are sent to other replicas over this time. */
const sendAwayMs = 10_000;
/** Longest hold of a poll whose Envoy was sent to another replica but came back. */
const shortHoldMs = 5000;
const maxWaiters = 2 * maxNodes;

/** Serves the last publication to Envoys that poll, and holds polls until there is a change. */
export class Hub implements Outlet {
  readonly fleet = new EnvoyRegistry();
  readonly metrics = new Metrics();
  readonly publication: Publication;
  readonly #timers: Timers;
  readonly #waiters = new Map<string, Waiter>();
  /** By `envoyKey`. */
  readonly #waitersOf = new Map<string, Set<Waiter>>();
  /** Number of held polls, by the id of the token. */
  readonly #held = new Map<string, number>();
  /** Types whose answer can't be sent, and why. */
  readonly problems = new Map<XdsType, string>();
  readonly #names = new XdsNames();
  readonly #reports: EnvoyReports;
  readonly #lines: QuietLog;
  readonly #origin = new LossGuard((...line) => this.log(...line));
  /** The name of the xDS cluster for an Envoy that sends none. */
  #usualName = "";
  #timer: unknown;
  #closed = false;
  #isAside = false;
  /** Called with the name of a route table when an Envoy requests a part of it. */
  partAsked: (table: string) => void = () => undefined;

  constructor(private readonly options: HubOptions) {
    this.#timers = options.timers ?? platformTimers;
    this.#reports = new EnvoyReports({ ...options, metrics: this.metrics });
    this.#lines = new QuietLog(options.log, () => options.now());
    this.publication = new Publication(this.fleet, {
      synced: () => options.synced?.() ?? true,
      raised: (sequence) => this.#reportRaised(sequence),
      replicaMs: options.replicaMs ?? 0,
    });
  }

  get ready(): boolean {
    return this.publication.served("clusters") !== undefined;
  }

  now(): number {
    return this.options.now();
  }

  get log(): Log {
    return this.options.log;
  }

  /** Sets the pushed sources before they are published. */
  setPushed(pushed: Provenance): void {
    if (this.#origin.setPushed(pushed)) this.#wake(xdsTypes);
  }

  /** Number of sources that Envoys have and that were not pushed again since the store was lost. */
  get missingSources(): number {
    return this.#origin.missing(this.options.now());
  }

  publish(snapshot: Snapshot, sequence: number, ageMs = 0): void {
    this.#usualName = snapshot.xdsCluster;
    this.#reports.published(sequence, this.options.now() - ageMs);
    this.#wake(this.publication.publish(snapshot, sequence, this.options.now()));
    if (this.publication.phase === "switching" && this.fleet.isIncomplete(this.options.now()))
      this.#lines.logOnce("incomplete", tooManyNodes, "envoys-not-remembered");
    this.#schedule();
  }

  /** Versions by type, the phase of the publication, answers that could not be sent with the reason, and the Envoys. */
  status(): object {
    const versions = xdsTypes.map((type) => {
      const served = this.publication.served(type);
      return [type, { version: served?.version ?? "", resources: served?.set.size ?? 0 }] as const;
    });
    return {
      phase: this.publication.phase,
      types: Object.fromEntries(versions),
      problems: Object.fromEntries(this.problems),
      waiting: this.#waiters.size,
      missingSources: this.missingSources,
      ...(this.fleet.isIncomplete(this.options.now()) ? { incomplete: tooManyNodes } : {}),
      fleet: this.fleet.views(),
    };
  }

  gauges(): Gauge[] {
    return [
      ["polls_held", this.#waiters.size],
      ["sources_missing", this.missingSources],
      ...hubGauges(this.fleet, this.publication, this.problems, this.options.now()),
    ];
  }

  /**
   * Answers a poll, after up to `holdMs` when there is no change. `signal` is aborted when the client goes away; its
   * answer then does not count as delivered.
   */
  async poll(asked: HubPoll, holdMs: number, signal?: AbortSignal): Promise<Reply> {
    const began = this.options.now();
    const held = { ms: 0 };
    const given = await this.#answer(asked, this.#isAside ? this.#shortHold(holdMs) : holdMs, held, signal);
    const reply: Reply = this.#isAside ? { ...given, leaves: true } : given;
    const { type } = asked;
    this.metrics.count("polls_total", { type, code: String(reply.status) });
    this.metrics.observe("poll_seconds", (this.options.now() - began - held.ms) / 1000, { type });
    if (reply.status === 200) this.metrics.count("poll_bytes_total", { type }, reply.body.size);
    return reply;
  }

  /** `held.ms` counts the time for which the poll is held. */
  async #answer(
    asked: HubPoll,
    holdMs: number,
    held: { ms: number },
    signal: AbortSignal | undefined,
  ): Promise<Reply> {
    const { now } = this.options;
    if (asked.xdsCluster && !this.#names.admits(asked.xdsCluster, now()))
      return { status: 503, reason: this.#reports.otherName(asked, this.#names.names) };
    const request: HubPoll = {
      ...asked,
      ...partVersion(asked.version),
      names: isByName(asked.type) ? asked.names : [],
    };
    const last = now() + holdMs;
    let end = last;
    let observed = false;
    for (;;) {
      const kept = this.#origin.refusal(request, request.mark, now());
      // The version of an Envoy that keeps its configuration is unrelated to the served one.
      if (!observed && !kept) observed = this.#observe(request);
      const prepared: Prepared = kept
        ? { reply: { status: 503, reason: kept }, waitUntil: end }
        : this.#prepare(request, end);
      if (end === last) end = this.#endOf(request, last);
      const left = Math.min(prepared.waitUntil, end) - now();
      if (left <= 0 || this.#closed) return this.#send(request, prepared, end < last);
      const limited = this.#limitOf(request);
      if (limited) {
        this.#holds(request, false);
        return { status: 429, of: limited };
      }
      const waitsFrom = now();
      const ended = await this.#wait(request, left, signal);
      held.ms += now() - waitsFrom;
      if (ended === "gone") return { status: 503, reason: "the client went away" };
      if (ended === "replaced")
        return prepared.version ? { status: 503, reason: "replaced" } : prepared.reply;
    }
  }

  /** Records a poll for the publication. Returns whether the served configuration has its names; others are not recorded. */
  #observe(request: HubPoll): boolean {
    const { type, names, version } = request;
    const part = type === "routes" ? tableOfPart(names[0] ?? "") : undefined;
    if (part !== undefined) this.partAsked(part);
    const served = this.publication.served(type);
    if (!served || !selectVersion(served, names)) return false;
    const before = this.fleet.refusal(request, type, names);
    const acceptance = this.fleet.observe(request, type, names, version, this.options.now());
    if (acceptance) this.#reports.accepted(request, acceptance);
    const after = this.fleet.refusal(request, type, names);
    if (after && after.version !== before?.version) this.#reports.rejected(request, after.version);
    this.publication.learn(request, this.options.now());
    this.#advance();
    if (this.publication.mayRelease(type, this.options.now())) this.#wakeEnvoy(request);
    return true;
  }

  /** The next poll reports the version only after Envoy's pause between polls, for which nothing has to wait. */
  #noteProcessed(request: HubPoll, version: string): void {
    this.fleet.noteProcessed(request, request.type, request.names, version);
    if (this.publication.mayRelease(request.type, this.options.now())) this.#wakeEnvoy(request);
  }

  /** Listeners and routes may have waited for the version that an Envoy reports. */
  #wakeEnvoy(request: HubPoll): void {
    for (const { type, end } of [...(this.#waitersOf.get(envoyKey(request)) ?? [])])
      if (type === "listeners" || type === "routes") end("again");
  }

  #reportRaised(sequence: number): void {
    this.metrics.count("versions_raised_total");
    this.log(
      `an Envoy has a higher version than the served one, and no other replica's; versions continue from ${sequence}, so that it accepts the served one (was a clock ahead?)`,
      "versions-raised",
      { sequence },
    );
  }

  /** The current reply, and until when (ms, at most `end`) it should not be sent yet. */
  #prepare(request: HubPoll, end: number): Prepared {
    const { type } = request;
    const answer = this.publication.answer(request, this.options.now());
    if (answer.kind === "unchanged") {
      return { reply: { status: 304 }, waitUntil: Math.min(end, answer.until ?? end) };
    }
    if (answer.kind === "unavailable") {
      return { reply: { status: 503, reason: answer.reason }, waitUntil: end };
    }
    const { selection, notBefore = 0 } = answer;
    try {
      const version = this.#origin.versionOf(type, selection.version);
      const body = encodeResponse(
        type,
        { ...selection, version },
        {
          xdsCluster: request.xdsCluster ?? this.#usualName,
          ...(request.envoy ? { version: request.envoy } : {}),
        },
      );
      this.problems.delete(type);
      return {
        reply: { status: 200, body },
        version: selection.version,
        waitUntil: Math.min(end, notBefore),
      };
    } catch (error) {
      if (!(error instanceof EncodeError)) throw error;
      if (this.problems.get(type) !== error.message) this.log(error.message, "answer-too-large", { type });
      this.problems.set(type, error.message);
      return { reply: { status: 503, reason: error.message }, waitUntil: end };
    }
  }

  /** The latest time for an answer: before `last` where other replicas must see the next poll. */
  #endOf(request: HubPoll, last: number): number {
    const now = this.options.now();
    return Math.min(last, now + (this.publication.holdMs(request, now) ?? Number.POSITIVE_INFINITY));
  }

  #send(request: HubPoll, { reply, version }: Prepared, reconnect: boolean): Reply {
    const { type, names } = request;
    this.#holds(request, false);
    if (version) this.fleet.delivered(request, type, names, version, this.options.now());
    if (version && reply.status === 200 && request.direct)
      return { ...reply, processed: () => this.#noteProcessed(request, version) };
    return reply.status === 304 && reconnect ? { ...reply, reconnect } : reply;
  }

  /**
   * Whose number of held polls is at its maximum. An immediate answer that nothing changed would make the Envoy poll
   * again at once; an error is held elsewhere, at a lower price.
   */
  #limitOf(request: HubPoll): "token" | "server" | undefined {
    if (this.#waiters.has(waiterKey(request))) return undefined;
    const held = this.#held.get(request.token.id) ?? 0;
    if (held >= (this.options.maxHeld ?? maxNodes)) return "token";
    return this.#waiters.size >= (this.options.maxWaiters ?? maxWaiters) ? "server" : undefined;
  }

  #count({ token }: HubPoll, change: 1 | -1): void {
    const held = (this.#held.get(token.id) ?? 0) + change;
    if (held > 0) this.#held.set(token.id, held);
    else this.#held.delete(token.id);
  }

  #holds(request: HubPoll, holds: boolean): void {
    this.fleet.hold(request, request.type, request.names, holds);
  }

  #wait(request: HubPoll, ms: number, signal?: AbortSignal): Promise<Ended> {
    if (signal?.aborted) {
      this.#holds(request, false);
      return Promise.resolve("gone");
    }
    const { type } = request;
    const key = waiterKey(request);
    return new Promise((resolve) => {
      const end = (how: Ended): void => {
        this.#timers.clear(timer);
        signal?.removeEventListener("abort", gone);
        if (this.#waiters.get(key) === waiter) {
          this.#waiters.delete(key);
          // A poll that is evaluated again has no answer yet, so it still counts as held.
          if (how !== "again") this.#holds(request, false);
        }
        this.#index(waiter, false);
        this.#count(request, -1);
        resolve(how);
      };
      const gone = (): void => end("gone");
      const waiter: Waiter = { type, envoy: envoyKey(request), end };
      const timer = this.#timers.set(() => end("again"), ms);
      signal?.addEventListener("abort", gone);
      const older = this.#waiters.get(key);
      this.#waiters.set(key, waiter);
      this.#holds(request, true);
      this.#index(waiter, true);
      this.#count(request, 1);
      older?.end("replaced");
    });
  }

  /** Starts or ends sending Envoys to other replicas: answers contain it, and held polls are answered soon, those of one Envoy together. */
  stepAside(aside: boolean): void {
    if (aside && !this.#isAside) this.#sendAway();
    this.#isAside = aside;
  }

  #sendAway(): void {
    const delays = new Map<string, number>();
    for (const [key, waiter] of this.#waiters) {
      const delay = delays.get(waiter.envoy) ?? this.#random() * sendAwayMs;
      delays.set(waiter.envoy, delay);
      this.#timers.set(() => {
        if (this.#isAside && this.#waiters.get(key) === waiter) waiter.end("replaced");
      }, delay);
    }
  }

  #shortHold(holdMs: number): number {
    return Math.min(holdMs, shortHoldMs * (0.2 + 0.8 * this.#random()));
  }

  #random(): number {
    return this.options.random?.() ?? Math.random();
  }

  /** Answers all held polls as if their time were over, so that their tokens are checked again. */
  release(): void {
    for (const { end } of [...this.#waiters.values()]) end("replaced");
  }

  #index(waiter: Waiter, waits: boolean): void {
    const { envoy } = waiter;
    const waiters = this.#waitersOf.get(envoy) ?? new Set();
    if (waits) waiters.add(waiter);
    else waiters.delete(waiter);
    if (waiters.size > 0) this.#waitersOf.set(envoy, waiters);
    else this.#waitersOf.delete(envoy);
  }

  #wake(types: readonly XdsType[]): void {
    for (const { type, end } of [...this.#waiters.values()]) if (types.includes(type)) end("again");
  }

  #advance(): void {
    if (this.publication.deadline === undefined) return;
    this.#wake(this.publication.advance(this.options.now()));
    this.#schedule();
  }

  #schedule(): void {
    this.#reports.phase(this.publication.phase);
    this.#timers.clear(this.#timer);
    const { deadline } = this.publication;
    if (deadline === undefined) return;
    this.#timer = this.#timers.set(() => this.#advance(), Math.max(1, deadline - this.options.now()));
  }

  close(): void {
    this.#closed = true;
    this.#timers.clear(this.#timer);
    this.#wake(xdsTypes);
  }
}
