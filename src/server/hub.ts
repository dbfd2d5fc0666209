import type { Outlet, Provenance } from "../engine/outlet.js";
import { EnvoyRegistry } from "../link/envoy-registry.js";
import { partVersion } from "../link/mark.js";
import { Publication } from "../link/publish.js";
import { EncodeError, encodeResponse, isByName, type Poll } from "../link/respond.js";
import { selectVersion } from "../link/served.js";
import { type Snapshot, type XdsType, xdsTypes } from "../link/snapshot.js";
import { LogBudget } from "../log/budget.js";
import type { Log } from "../log/log.js";
import { tableOfPart } from "../xds/route-shards.js";
import { CutPolls } from "./cut-polls.js";
import { EnvoyReports } from "./envoy-reports.js";
import { HeldPolls } from "./held-polls.js";
import { usualHoldMs } from "./hold-time.js";
import { hubGauges, hubStatus, tooManyNodes } from "./hub-gauges.js";
import type { HubOptions, PollsView } from "./hub-options.js";
import type { HubPoll, Prepared } from "./hub-poll.js";
import { LossGuard } from "./loss-guard.js";
import { type Gauge, Metrics } from "./metrics.js";
import { Outgoing, type Sending } from "./outgoing.js";
import { PollRate } from "./poll-rate.js";
import { QuietLog } from "./quiet-log.js";
import type { Reply } from "./reply.js";
import { platformTimers, type Timers } from "./timers.js";
import { XdsNames } from "./xds-names.js";

/** Envoys are sent to other replicas over this time. */
const sendAwayMs = 10_000;
/** Longest hold of a poll whose Envoy was sent to another replica but came back. */
const shortHoldMs = 5000;
/** Holds that are longer than the usual one end at a random time in this last part of it, so that polls do not all come together. */
const jitterShare = 0.1;
/** How long an answer waits for a place after the end of its hold. */
const queuedMs = 2000;

/** Serves the last publication to Envoys that poll, and holds polls until there is a change. */
export class Hub implements Outlet {
  readonly fleet = new EnvoyRegistry();
  readonly metrics = new Metrics();
  readonly publication: Publication;
  readonly #timers: Timers;
  readonly #held: HeldPolls;
  readonly #cuts: CutPolls;
  readonly #outgoing: Outgoing;
  readonly #rate = new PollRate();
  /** Types whose answer can't be sent, and why. */
  readonly problems = new Map<XdsType, string>();
  readonly #names = new XdsNames();
  readonly #reports: EnvoyReports;
  readonly #lines: QuietLog;
  readonly #origin = new LossGuard((...line) => this.log(...line));
  /** The name of the xDS cluster for an Envoy that sends none. */
  #usualName = "";
  #holdMs = usualHoldMs;
  #timer: unknown;
  #closed = false;
  #isAside = false;
  /** Called with the name of a route table when an Envoy requests a part of it. */
  partAsked: (table: string) => void = () => undefined;

  constructor(private readonly options: HubOptions) {
    this.#timers = options.timers ?? platformTimers;
    this.#reports = new EnvoyReports({ ...options, metrics: this.metrics });
    this.#lines = new QuietLog(options.log, () => options.now());
    const { now } = options;
    this.#cuts = new CutPolls(new LogBudget(options).log);
    this.#outgoing = new Outgoing({ now, timers: this.#timers, bytes: options.outgoingBytes });
    this.#held = new HeldPolls({
      now,
      timers: this.#timers,
      maxHeld: options.maxHeld,
      maxWaiters: options.maxWaiters,
      holds: (poll, holds) => this.#holds(poll, holds),
      waited: (poll, ms, isCut) => this.#waited(poll, ms, isCut),
    });
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
    this.#holdMs = snapshot.polls.holdMs;
    this.#held.forgetOverdue();
    this.#reports.published(sequence, this.options.now() - ageMs);
    this.#wake(this.publication.publish(snapshot, sequence, this.options.now()));
    if (this.publication.phase === "switching" && this.fleet.isIncomplete(this.options.now()))
      this.#lines.logOnce("incomplete", tooManyNodes, "envoys-not-remembered");
    this.#schedule();
  }

  /** How Envoys poll. */
  get polls(): PollsView {
    const now = this.options.now();
    this.#held.forgetOverdue();
    return {
      held: this.#held.size,
      perMinute: this.#rate.perMinute(now),
      holdMs: this.#holdMs,
      queued: this.#outgoing.waiting,
      shortened: this.#cuts.shortened(now),
    };
  }

  /** The time (ms) for which a poll of a token is held. */
  holdOf(token: string): number {
    const limit = this.#cuts.limitOf(token, this.options.now());
    const hold = Math.min(this.#holdMs, limit ?? this.#holdMs);
    return hold <= usualHoldMs ? hold : Math.max(usualHoldMs, hold * (1 - jitterShare * this.#random()));
  }

  /** Versions by type, the phase of the publication, answers that could not be sent with the reason, and the Envoys. */
  status(): object {
    return hubStatus(this, this.options.now());
  }

  gauges(): Gauge[] {
    return hubGauges(this, this.options.now());
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
    this.#rate.note(this.options.now());
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
    if (asked.version === "") this.#cuts.started(request);
    const last = now() + holdMs;
    let end = last;
    let observed = false;
    let sending: Sending | undefined;
    for (;;) {
      const kept = this.#origin.refusal(request, request.mark, now());
      // The version of an Envoy that keeps its configuration is unrelated to the served one.
      if (!observed && !kept) observed = this.#observe(request);
      const prepared: Prepared = kept
        ? { reply: { status: 503, reason: kept }, waitUntil: end }
        : this.#prepare(request, end);
      if (end === last) end = this.#endOf(request, last);
      const left = Math.min(prepared.waitUntil, end) - now();
      if (left > 0 && !this.#closed) {
        sending?.end();
        sending = undefined;
        const waitsFrom = now();
        const reply = await this.#hold(request, left, prepared, signal);
        held.ms += now() - waitsFrom;
        if (reply) return reply;
      } else if (sending || !this.#outgoing.isLimited || prepared.reply.status !== 200) {
        return this.#send(request, prepared, end < last, sending);
      } else {
        sending = await this.#outgoing.take(prepared.reply.body.chunkBytes, last + queuedMs, signal);
        if (!sending) return this.#sendLater(request);
      }
    }
  }

  /** Holds a poll; undefined: it is to be evaluated again. */
  async #hold(
    request: HubPoll,
    ms: number,
    { reply, version }: Prepared,
    signal: AbortSignal | undefined,
  ): Promise<Reply | undefined> {
    const limited = this.#held.limitOf(request);
    if (limited) {
      this.#holds(request, false);
      return { status: 429, of: limited };
    }
    const ended = await this.#held.wait(request, ms, signal);
    if (ended === "gone") return { status: 503, reason: "the client went away" };
    if (ended === "replaced") return version ? { status: 503, reason: "replaced" } : reply;
    return undefined;
  }

  /** The reply for an answer that had no place in time: Envoy polls again. */
  #sendLater(request: HubPoll): Reply {
    this.#holds(request, false);
    return request.version === ""
      ? { status: 503, reason: "too many answers are being sent" }
      : { status: 304 };
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
    this.#held.wakeEnvoy(request, ["listeners", "routes"]);
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

  #send(
    request: HubPoll,
    { reply, version }: Prepared,
    reconnect: boolean,
    sending: Sending | undefined,
  ): Reply {
    const { type, names } = request;
    this.#holds(request, false);
    if (version) this.fleet.delivered(request, type, names, version, this.options.now());
    if (version && reply.status === 200)
      return {
        ...reply,
        ...(sending ? { sending } : {}),
        ...(request.direct ? { processed: () => this.#noteProcessed(request, version) } : {}),
      };
    sending?.end();
    return reply.status === 304 && reconnect ? { ...reply, reconnect } : reply;
  }

  #holds(request: Poll, holds: boolean): void {
    this.fleet.hold(request, request.type, request.names, holds);
  }

  #waited(poll: Poll, ms: number, isCut: boolean): void {
    if (isCut) this.metrics.count("polls_cut_total");
    this.#cuts.waited(poll, ms, isCut, this.options.now());
  }

  /** Starts or ends sending Envoys to other replicas: answers contain it, and held polls are answered soon, those of one Envoy together. */
  stepAside(aside: boolean): void {
    if (aside && !this.#isAside) this.#sendAway();
    this.#isAside = aside;
  }

  #sendAway(): void {
    this.#held.releaseLater(
      () => this.#random() * sendAwayMs,
      () => this.#isAside,
    );
  }

  #shortHold(holdMs: number): number {
    return Math.min(holdMs, shortHoldMs * (0.2 + 0.8 * this.#random()));
  }

  #random(): number {
    return this.options.random?.() ?? Math.random();
  }

  /** Answers all held polls as if their time were over, so that their tokens are checked again. */
  release(): void {
    this.#held.release();
  }

  #wake(types: readonly XdsType[]): void {
    this.#held.wake(types);
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
