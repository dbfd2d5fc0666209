import { type Awaited, awaitMs } from "../../engine/awaited.js";
import type { Put } from "../../engine/engine.js";
import { ApiError } from "../../kubernetes/api.js";
import { failureOf, LocalError, publication } from "../../kubernetes/failures.js";
import { type ApiResource, resourcesOf } from "../../kubernetes/resources.js";
import type { Finding, Ref } from "../../schema/meta.js";
import type { Change } from "../../update.js";
import { Clusters, type Member } from "./clusters.js";
import { KindFollower, type KindState, type Sink } from "./follow.js";
import type { ClusterFollowerOptions } from "./follower-options.js";
import { type HeldDeletions, holdFinding } from "./guard.js";
import { MemberStore } from "./member-store.js";
import { RequestPace } from "./pace.js";
import { Reporter } from "./reporter.js";
import { ServerCheck } from "./server-check.js";

/** The interval between requests for a kind whose CRD is absent, or whose list is held. */
const askAgainMs = 10_000;
/** After a gap, kinds catch up one after another. Each then still receives the events that were pending for it. */
const lastEventsMs = 250;
/**
 * The longest wait of deletions for kinds that do not catch up (`graceMs`), and of changes for a report (`reportMs`).
 */
const graceMs = 60_000;
const reportMs = 5000;

/**
 * Puts the objects of a Kubernetes cluster into an engine. Each kind is followed separately, so that a failure of one
 * does not stop another.
 */
export class ClusterFollower {
  readonly #followers: readonly KindFollower[];
  readonly #member: Member;
  readonly #kept: MemberStore;
  readonly #findings = new Map<Ref, readonly Finding[]>();
  readonly #known = new Map<ApiResource["kind"], Set<Ref>>();
  readonly #awaited: Awaited;
  readonly #reporter: Reporter;
  readonly #serverCheck: ServerCheck;
  /** True if the content of the store was published before. */
  #wasReady: boolean;
  #hadAnswered = false;
  #dirty = false;
  /** Aborts the timers. */
  #signal: AbortSignal | undefined;
  /** When a kind caught up last after a gap. */
  #caughtUpAt = Number.NEGATIVE_INFINITY;
  /** True if watches are always open; otherwise each refresh settles everything at its end. */
  #follows = false;
  #willSettle = false;
  /** Since when a change waits for kinds that catch up. */
  #unreportedSince: number | undefined;

  constructor(private readonly options: ClusterFollowerOptions) {
    const { transport, acceptShrink, namespaces, now, engine, server } = options;
    this.#reporter = new Reporter(options);
    this.#awaited = engine.awaits(now);
    this.#member = options.member ?? new Clusters(engine.store, [""]).of("");
    this.#kept = new MemberStore({ engine, member: this.#member });
    for (const ref of this.#member.known())
      this.#knownOf(ref.slice(0, ref.indexOf("/")) as ApiResource["kind"]).add(ref);
    this.#serverCheck = new ServerCheck({
      transport,
      server,
      now,
      cluster: () => this.#kept.cursor("cluster"),
      setCluster: (uid) => this.#kept.setCursor("cluster", uid),
      followers: () => this.#followers,
    });
    const common = {
      acceptShrink,
      namespaces,
      server,
      now,
      verify: (strict: boolean, signal: AbortSignal) => this.#serverCheck.verify(strict, signal),
    };
    this.#followers = resourcesOf(engine.settings).map((resource) => {
      const follower: KindFollower = new KindFollower(resource, transport, this.#sink, {
        ...common,
        caughtUp: (wasBehind) => this.#caughtUp(follower, wasBehind),
        catchingUp: () => this.#isCatchingUp,
      });
      return follower;
    });
    const isNew = this.#followers.every((follower) => !follower.ready);
    if (isNew && options.served) this.#kept.keepApart();
    this.#wasReady = options.served === true && !isNew;
  }

  /** Whether every kind was read at least once. Until then nothing may be published. */
  get ready(): boolean {
    return this.#followers.every((follower) => follower.ready);
  }

  /** Whether the API server has answered for every kind since the start. */
  get hasAnswered(): boolean {
    return this.#followers.every((follower) => follower.hasAnswered);
  }

  /**
   * Whether the served state may be old: it is from before the start, and the API server has not answered for every
   * kind since.
   */
  get stale(): boolean {
    return this.options.served === true && !this.hasAnswered;
  }

  /** Whether the known objects equal those of the API server, as far as its watches report. */
  get synced(): boolean {
    return this.#followers.every(({ state: { state } }) => state === "synced" || state === "absent");
  }

  /** The oldest time at which a kind was read last, in ms since the epoch; undefined while a kind was never read. */
  get lastGoodLook(): number | undefined {
    const times = this.#followers.map(({ seenAt }) => seenAt);
    return times.includes(undefined) ? undefined : times.reduce((a = 0, b = 0) => Math.min(a, b));
  }

  get findings(): Finding[] {
    const holds = this.#followers.flatMap(({ resource, held }) =>
      held ? [holdFinding(resource, held)] : [],
    );
    return [...holds, ...[...this.#findings.values()].flat()];
  }

  /** Why the current state of an object could not be read. */
  findingsAbout(ref: Ref): readonly Finding[] {
    return this.#findings.get(ref) ?? [];
  }

  status(): Readonly<Record<string, KindState>> {
    return Object.fromEntries(this.#followers.map(({ resource, state }) => [resource.kind, state]));
  }

  /** Deletions that wait for confirmation, by kind. */
  holds(): { readonly kind: ApiResource["kind"]; readonly held: HeldDeletions }[] {
    return this.#followers.flatMap(({ resource, held }) => (held ? [{ kind: resource.kind, held }] : []));
  }

  /**
   * Confirms what waits for confirmation: held deletions of a kind, a list that is not trusted, a removed CRD, or
   * (with any kind) another Kubernetes cluster. Returns how many objects are deleted at once; undefined when nothing
   * waits.
   */
  acceptShrink(kind: string): number | undefined {
    const follower = this.#followers.find(({ resource }) => resource.kind === kind);
    if (!follower) return undefined;
    const { plural } = follower.resource;
    const { state, held } = follower;
    const code = state.state === "failing" ? state.code : undefined;
    if (code === "kube-other-cluster") {
      this.#serverCheck.accept();
      this.relist();
      this.options.log(
        `an administrator confirmed the cluster of ${this.options.server}; it is followed from now on`,
        "deletions-confirmed",
        { kind, objects: 0 },
      );
      return 0;
    }
    if (!held && code !== "kube-missing") return undefined;
    const gone = follower.acceptHeld();
    this.options.log(
      `${plural}: an administrator confirmed the change; ${gone} objects are deleted at once`,
      "deletions-confirmed",
      { kind, objects: gone },
    );
    this.#report();
    return gone;
  }

  /**
   * Lists all kinds, or those that `isMeant` selects, again at the next poll. The known objects are served meanwhile.
   */
  relist(isMeant: (resource: ApiResource) => boolean = () => true): void {
    for (const follower of this.#followers) if (isMeant(follower.resource)) follower.relist();
  }

  /** Follows all kinds until the signal is aborted. Each watch is open for `seconds`. */
  async run(seconds: number, signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#follows = true;
    await Promise.all(this.#followers.map((follower) => this.#follow(follower, seconds, signal)));
  }

  /** Catches up once with all kinds, after a ring or a timer. Failures are logged and change nothing. */
  async refresh(seconds: number, signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const follower of this.#followers) follower.leave();
    await Promise.all(
      this.#followers.map((follower) =>
        follower.poll(seconds, signal).catch((error) => this.#failed(follower, error)),
      ),
    );
    // Each kind was watched for longer than pending events take.
    this.#caughtUpAt = Number.NEGATIVE_INFINITY;
    for (const follower of this.#followers) this.#reportHeld(follower);
    this.#settle();
    this.#report();
  }

  async #follow(follower: KindFollower, seconds: number, signal: AbortSignal): Promise<void> {
    const { sleep, random, now } = this.options;
    const pace = new RequestPace(random);
    while (!signal.aborted) {
      let expired = false;
      try {
        // With one fixed duration the watches of all kinds would always end together.
        await follower.poll(seconds * (0.8 + random() / 5), signal);
        this.#notify();
      } catch (error) {
        expired = error instanceof ApiError && error.status === 410;
        this.#failed(follower, error);
      }
      this.#reportHeld(follower);
      const { state, openedAt } = follower;
      const openMs = openedAt === undefined ? undefined : now() - openedAt;
      const isIdle = openMs === undefined && (state.state === "absent" || state.state === "held");
      const pause = pace.after({ openMs, expired });
      await sleep(isIdle ? askAgainMs * (0.75 + random() / 2) : pause, signal);
    }
  }

  /**
   * Whether kinds are being read after a gap. Their changes are published together: a renamed certificate and the
   * hosts that name it arrive one after another, in any order.
   */
  get #isCatchingUp(): boolean {
    const now = this.options.now();
    return (
      now - this.#caughtUpAt < lastEventsMs ||
      this.#followers.some((follower) => follower.isBehind(now, this.#caughtUpAt))
    );
  }

  #caughtUp({ resource }: KindFollower, wasBehind: boolean): void {
    this.#reporter.recovered(resource, this.#followers);
    if (!wasBehind) return;
    this.#caughtUpAt = this.options.now();
    this.#settleAfter(lastEventsMs + 50);
  }

  #settleAfter(ms: number): void {
    this.#later(ms, () => this.#settle());
  }

  #later(ms: number, run: () => void): void {
    const signal = this.#signal;
    if (signal) void this.options.sleep(ms, signal).then(() => signal.aborted || run());
  }

  /** Applies deletions that wait, once the objects that may refer to them are up to date, and reports the changes. */
  #settle(): void {
    const now = this.options.now();
    const wait = this.#isCatchingUp;
    this.#willSettle = false;
    for (const follower of this.#followers) {
      const { waitingSince } = follower;
      if (waitingSince === undefined || (wait && now - waitingSince < graceMs)) continue;
      try {
        follower.deleteWaiting();
      } catch (error) {
        this.#failed(follower, error);
      }
    }
    this.#notify();
  }

  #failed({ resource }: KindFollower, error: unknown): void {
    const { code, message } = failureOf(resource, error, this.options.server);
    this.options.failed?.(resource.kind, code);
    this.#reporter.failed(resource, code, message);
  }

  #reportHeld({ resource, state, held }: KindFollower): void {
    if (held)
      this.#reporter.logOnce(resource, `kube-held: ${resource.plural}: ${held.message}`, "deletions-held");
    if (state.state === "absent")
      this.#reporter.logOnce(
        resource,
        `this cluster has no ${resource.plural}; they are read once their CRD exists`,
        "kind-absent",
      );
    if (state.state === "synced") this.#reporter.forget(resource);
  }

  #knownOf(kind: ApiResource["kind"]): Set<Ref> {
    const found = this.#known.get(kind) ?? new Set<Ref>();
    this.#known.set(kind, found);
    return found;
  }

  #setCursor(kind: string, version: string): void {
    this.#kept.setCursor(kind, version);
    if (this.ready) this.#noteApplied(this.#kept.complete());
    this.#notify();
  }

  readonly #sink: Sink = {
    known: (kind) => this.#knownOf(kind),
    held: (ref) => this.#member.held(ref),
    cursor: (kind) => this.#kept.cursor(kind),
    setCursor: (kind, version) => this.#setCursor(kind, version),
    last: (kind) => this.#kept.cursor(`${kind}:last`),
    setLast: (kind, version) => this.#setCursor(`${kind}:last`, version),
    answered: () => this.#notify(),
    waits: (kind) => this.#kept.cursor(`${kind}:waits`),
    setWaits: (kind, text) => {
      this.#kept.setCursor(`${kind}:waits`, text);
      if (text && this.#follows && !this.#willSettle) {
        this.#willSettle = true;
        this.#settleAfter(graceMs);
      }
    },
    observe: (ref, raw) => this.options.observe?.(ref, raw),
    apply: (kind, changes, findings, whole, by) => this.#apply(kind, changes, findings, whole, by),
    writer: (ref, object, isDeleted) => this.options.writers?.of(ref, object, isDeleted),
  };

  /** The known refs change only after the store has the changes: if the store throws, the same changes come again. */
  #apply(
    kind: ApiResource["kind"],
    changes: readonly Change[],
    findings: readonly Finding[],
    whole: boolean,
    by?: string,
  ): void {
    this.#noteApplied(this.#kept.apply(changes, by));
    const known = this.#knownOf(kind);
    if (whole) for (const ref of known) this.#dropFindings(ref);
    for (const change of changes) {
      const ref = "gone" in change ? change.gone : change.ref;
      this.#dropFindings(ref);
      if ("gone" in change) known.delete(ref);
      else known.add(ref);
    }
    for (const finding of findings) {
      known.add(finding.about);
      this.#findings.set(finding.about, [...(this.#findings.get(finding.about) ?? []), finding]);
    }
    if (findings.length > 0) this.#dirty = true;
    this.options.engine.statusesChanged(findings.map(({ about }) => about));
  }

  #noteApplied(put: Put | undefined): void {
    if (!put) return;
    if (put.edited) this.#dirty = true;
    if (this.#awaited.add(put.missed, this.options.now()) && this.#follows)
      // A timer may fire slightly before its time by the clock.
      this.#later(awaitMs + 5, () => this.#notify());
  }

  #dropFindings(ref: Ref): void {
    if (!this.#findings.delete(ref)) return;
    this.#dirty = true;
    this.options.engine.statusesChanged([ref]);
  }

  /** Whether there is a change to report. The state of an earlier process may lack a kind that this version reads. */
  get #hasChanges(): boolean {
    if (!this.ready && (this.#kept.isApart || !this.options.served)) return false;
    return !this.#wasReady || this.#hadAnswered !== this.hasAnswered || this.#dirty;
  }

  /**
   * Reports changes: first when all kinds are known, then each one. Changes of kinds that catch up together wait for
   * each other.
   */
  #notify(): void {
    if (!this.#hasChanges) return;
    const now = this.options.now();
    if (!this.#wasReady || !this.#isCatchingUp) {
      if (!this.#wasReady || !this.#awaited.isWaiting(now)) this.#report();
      return;
    }
    if (this.#unreportedSince === undefined) {
      this.#unreportedSince = now;
      if (this.#follows) this.#settleAfter(reportMs + 50);
    } else if (now - this.#unreportedSince >= reportMs) this.#report();
  }

  #report(): void {
    if (!this.#hasChanges) return;
    this.#unreportedSince = undefined;
    this.#awaited.clear();
    try {
      this.options.changed();
    } catch (error) {
      // The change is reported again at the next occasion.
      const { code, message } = failureOf(publication, new LocalError(error), this.options.server);
      this.#reporter.failed(publication, code, message);
      return;
    }
    this.#wasReady = true;
    this.#hadAnswered = this.hasAnswered;
    this.#dirty = false;
  }
}
