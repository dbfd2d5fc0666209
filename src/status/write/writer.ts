import { ApiError, type Raw } from "../../kubernetes/api.js";
import { isOlderVersion } from "../../kubernetes/resource-version.js";
import type { ApiResource } from "../../kubernetes/resources.js";
import { kindOf, namespaceOf, type Ref } from "../../schema/meta.js";
import { hasStatus, type ObjectStatus, type StatusKind, type StatusVerdict } from "../status.js";
import { StatusApi } from "./api.js";
import { VerdictEnds } from "./ends.js";
import { conflict, type FailingStatus, Failures, isAboutObject } from "./failures.js";
import { Idle } from "./idle.js";
import { contest, type Known, unknown } from "./known.js";
import { withoutOwned } from "./owned.js";
import { WritePace } from "./pace.js";
import { agrees, areSame, digestOf, heldOf, isOlder, merged } from "./parts.js";
import { StatusQueue } from "./queue.js";
import type { StatusWriterOptions } from "./writer-options.js";

/** Changes within this time are evaluated together, after the configuration. */
const holdoffMs = 200;
/** Computing statuses takes at most one part in `share` of each worker's time, in pieces of `sliceMs`. */
const share = 16;
const sliceMs = 5;
/** The same by count, for runtimes whose clock stands still while they compute. */
const sliceObjects = 50;
const workers = 4;
/** The maximum number of objects of a namespace in progress, so that hanging writes don't delay other namespaces. */
const perNamespace = 2;
/** The interval of checking whether this replica leads, and the longest timer. */
const lookMs = 1000;
const maxTimerMs = 3_600_000;

/** The pending write of one object: the status `desired`, or its removal. */
interface Due {
  readonly desired: ObjectStatus | undefined;
  readonly digest: string;
}

/**
 * Keeps the statuses in a Kubernetes cluster up to date. It writes only differences, for each object on its own, at a
 * limited rate. The configuration never waits for it.
 */
export class StatusWriter {
  readonly #known = new Map<Ref, Known>();
  readonly #queue = new StatusQueue();
  readonly #failures = new Failures();
  readonly #pace: WritePace;
  readonly #api: StatusApi;
  readonly #inWork = new Map<string, number>();
  /** Objects in progress, and whether each was touched meanwhile. */
  readonly #busy = new Map<Ref, boolean>();
  /** Objects that were skipped because a newer state of them will be read soon. */
  readonly #awaited = new Set<Ref>();
  /** Touched objects, to be evaluated after the holdoff. */
  readonly #touched = new Set<Ref>();
  readonly #ends = new VerdictEnds();
  #signal = new AbortController().signal;
  readonly #idle: Idle;
  #allTouched = false;
  /** Whether all objects were queued since this replica started leading. */
  #led = false;

  constructor(private readonly options: StatusWriterOptions) {
    this.#pace = new WritePace(options);
    this.#api = new StatusApi(options);
    this.#idle = new Idle(options.sleep);
  }

  /** Records the status of an object as it was read. A status that another writer changed is restored. */
  observe(ref: Ref, raw: Raw): void {
    this.#api.learn(raw);
    const isNew = !this.#known.has(ref);
    const known = this.#knownOf(ref);
    const now = heldOf(raw, this.options.owner());
    const before = known.held;
    // A read from before the last write may arrive late; so may one from a server that was restored from a backup.
    const isLate = before !== undefined && isOlderVersion(now.version, before.version);
    known.held = isLate ? undefined : now;
    if (before && !areSame(before, now)) known.isChanged = true;
    if (this.#awaited.delete(ref) || isLate || isNew || known.isChanged) this.touch(ref);
  }

  #knownOf(ref: Ref): Known {
    let known = this.#known.get(ref);
    if (!known) {
      known = unknown();
      this.#known.set(ref, known);
    }
    return known;
  }

  /** The object does not exist any more. */
  forget(ref: Ref): void {
    this.#known.delete(ref);
    this.#awaited.delete(ref);
    this.#ends.set(ref, undefined);
    this.#queue.delete(ref);
    this.#failures.forget(ref);
  }

  /** `metadata.generation` of the last read; undefined for an object that was not read. */
  generationOf(ref: Ref): number | undefined {
    return this.#known.get(ref)?.held?.generation;
  }

  /** Objects whose status can't be written, with the reasons. */
  get failing(): readonly FailingStatus[] {
    return this.options.leads() ? this.#failures.failing : [];
  }

  /** The number of objects whose status has to be compared or written. */
  get pending(): number {
    return this.#queue.size + this.#touched.size;
  }

  /** The status of an object may have changed. */
  touch(ref: Ref): void {
    if (!hasStatus(kindOf(ref))) return;
    this.#touched.add(ref);
    if (this.#touched.size === 1) this.#idle.wake();
  }

  /** The status of every object may have changed. */
  touchAll(): void {
    this.#allTouched = true;
    this.#idle.wake();
  }

  /** Checks at once whether this replica leads. */
  poke(): void {
    this.#idle.wake();
  }

  /** Writes until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    await Promise.all([this.#gather(signal), ...Array.from({ length: workers }, () => this.#work(signal))]);
  }

  /**
   * Compares and writes what is due now, after at most `most` writes or attempts of one (two requests each). For
   * runtimes without lasting work; there is no `run` and no other writer. Resolves to the number of attempts.
   */
  async turn(most: number, signal: AbortSignal): Promise<number> {
    this.#signal = signal;
    let left = most;
    let compared = 0;
    const work = async (): Promise<void> => {
      while (left > 0 && !signal.aborted && this.options.leads()) {
        this.#queueTouched();
        this.#queueEnded();
        const ref = this.#take();
        if (ref === undefined) return;
        left--;
        const { isDue } = await this.#compare(ref, signal);
        if (!isDue) left++;
        if (++compared % sliceObjects === 0) await this.options.sleep(0, signal);
      }
    };
    await this.options.sleep(holdoffMs, signal);
    await Promise.all(Array.from({ length: workers }, work));
    return most - left;
  }

  #after(ms: number, act: () => void): void {
    void this.options.sleep(ms, this.#signal).then(() => {
      if (this.#signal.aborted) return;
      act();
      this.#idle.wake();
      this.options.due?.();
    });
  }

  /** Queues touched objects, and objects whose verdict ends. */
  async #gather(signal: AbortSignal): Promise<void> {
    const { sleep, now, leads } = this.options;
    while (!signal.aborted) {
      if (!leads()) {
        this.#stopLeading();
        await this.#idle.wait(lookMs, signal);
      } else if (!this.#led || this.#allTouched || this.#touched.size > 0) {
        await sleep(holdoffMs, signal);
        this.#queueTouched();
      } else if (now() >= this.#ends.next) this.#queueEnded();
      else await this.#idle.wait(Math.min(this.#ends.next - now(), maxTimerMs), signal);
    }
  }

  /** Another replica leads: all statuses are compared again when this one leads. */
  #stopLeading(): void {
    this.#touched.clear();
    if (!this.#led) return;
    this.#led = false;
    this.#queue.clear();
    this.#ends.clear();
    this.#failures.clear();
    for (const known of this.#known.values()) known.written = undefined;
  }

  #queueEnded(): void {
    const now = this.options.now();
    if (now < this.#ends.next) return;
    for (const ref of this.#ends.take(now)) this.#queue.add(ref, "backlog");
    this.#idle.wake();
  }

  #queueTouched(): void {
    if (!this.options.leads()) return;
    // First reads before that are not changes.
    if (!this.#led) this.#touched.clear();
    if (!this.#led || this.#allTouched) this.#queueAll();
    for (const ref of this.#touched) this.#queue.add(ref, this.#failures.has(ref) ? "failed" : "fresh");
    this.#touched.clear();
    this.#idle.wake();
  }

  /** The newest first: users wait for the status of these. */
  #queueAll(): void {
    this.#led = true;
    this.#allTouched = false;
    const all = [...this.#known].map(([ref, { held }]) => ({ ref, version: Number(held?.version || 0) }));
    all.sort((a, b) => b.version - a.version);
    for (const { ref } of all) this.#queue.add(ref, this.#failures.has(ref) ? "failed" : "backlog");
  }

  /** Processes one object after the other. */
  async #work(signal: AbortSignal): Promise<void> {
    const { sleep, leads } = this.options;
    let spent = 0;
    while (!signal.aborted) {
      const ref = leads() && this.#led ? this.#take() : undefined;
      if (ref === undefined) {
        await this.#idle.wait(maxTimerMs, signal);
        continue;
      }
      spent += (await this.#compare(ref, signal)).ms;
      if (spent < sliceMs) continue;
      await sleep(spent * share, signal);
      spent = 0;
    }
  }

  /** Compares one object, and writes its status if that is due. `ms`: how long the comparison took. */
  async #compare(ref: Ref, signal: AbortSignal): Promise<{ readonly isDue: boolean; readonly ms: number }> {
    const { now, leads } = this.options;
    const began = now();
    const isDue = this.#due(ref) !== undefined;
    const ms = now() - began;
    if (isDue) await this.#pace.turn(signal);
    if (isDue && !signal.aborted && leads()) await this.#settle(ref, signal);
    this.#release(ref);
    return { isDue, ms };
  }

  #take(): Ref | undefined {
    const ref = this.#queue.take((namespace) => (this.#inWork.get(namespace) ?? 0) < perNamespace);
    if (ref === undefined) return undefined;
    if (this.#busy.has(ref)) {
      this.#busy.set(ref, true);
      return this.#take();
    }
    this.#busy.set(ref, false);
    const namespace = namespaceOf(ref);
    this.#inWork.set(namespace, (this.#inWork.get(namespace) ?? 0) + 1);
    return ref;
  }

  #release(ref: Ref): void {
    if (this.#busy.get(ref)) this.#queue.add(ref, "fresh");
    this.#busy.delete(ref);
    const namespace = namespaceOf(ref);
    const left = (this.#inWork.get(namespace) ?? 1) - 1;
    if (left > 0) this.#inWork.set(namespace, left);
    else this.#inWork.delete(namespace);
    // Other objects of the namespace may have waited for it.
    if (left === perNamespace - 1 && this.#queue.size > 0) this.#idle.wake();
  }

  /** The pending write of an object; undefined if its status is right or it is paused. */
  #due(ref: Ref): Due | undefined {
    const verdict = this.#verdict(ref);
    if (!verdict) return undefined;
    const { desired, until, isUnknown = false } = verdict;
    if (this.#ends.set(ref, until)) this.#idle.wake();
    const known = this.#known.get(ref);
    const { held, written } = known ?? {};
    const isEmpty = desired ? Object.keys(desired.status).length === 0 : known === undefined || isUnknown;
    const isRight = held && (desired ? agrees(desired, held) : !held.leftovers);
    if (isRight || isEmpty) {
      if (known) known.isChanged = false;
      this.#failures.forget(ref);
      return undefined;
    }
    const digest = digestOf(desired?.status);
    if (written === digest && known) return this.#contest(ref, known);
    return this.#failures.isPaused(ref, digest) ? undefined : { desired, digest };
  }

  /** An internal error affects the status of one object only. */
  #verdict(ref: Ref): StatusVerdict | undefined {
    try {
      return this.options.verdict(ref);
    } catch (error) {
      this.#pauseAfter(ref, "", 0, error);
      return undefined;
    }
  }

  /** The written status was changed: it is restored after an exponentially growing delay. */
  #contest(ref: Ref, known: Known): undefined {
    if (!known.isChanged) return;
    known.isChanged = false;
    this.#after(contest(known, this.options.now()), () => {
      known.written = undefined;
      this.#queue.add(ref, "fresh");
    });
  }

  /** Writes the current status of one object. A failure pauses that object only. */
  async #settle(ref: Ref, signal: AbortSignal): Promise<void> {
    // While it waited, others may have written, and the object may have changed.
    const due = this.#due(ref);
    if (!due) return;
    try {
      await this.#api.inTime(signal, (inTime) => this.#write(ref, due, inTime));
      this.#pace.went();
    } catch (error) {
      if (!signal.aborted) this.#fail(ref, due, error);
    }
  }

  #fail(ref: Ref, { digest }: Due, error: unknown): void {
    const code = error instanceof ApiError ? error.status : 0;
    // The failure concerns the object or a concurrent write: the API server works.
    if (code !== conflict && !isAboutObject(code)) this.#pace.failed();
    this.#pauseAfter(ref, digest, code, error);
  }

  #pauseAfter(ref: Ref, digest: string, code: number, error: unknown): void {
    this.options.failed(kindOf(ref) as StatusKind, code);
    const { line, pause } = this.#failures.add(ref, digest, code, error);
    if (line) this.options.log(line, "status-not-written");
    if (!pause) return;
    this.#after(pause.ms, () => {
      for (const one of pause.wake()) this.#queue.add(one, code === conflict ? "fresh" : "failed");
    });
  }

  async #write(ref: Ref, { desired, digest }: Due, signal: AbortSignal): Promise<void> {
    const raw = await this.#api.get(ref, signal);
    if (!raw) {
      this.forget(ref);
      return;
    }
    const owner = this.options.owner();
    const known = this.#knownOf(ref);
    const now = heldOf(raw, owner);
    // A removal contains no generation to compare.
    const isAhead = desired
      ? isOlder(desired.status, raw)
      : known.held !== undefined && isOlderVersion(known.held.version, now.version);
    if (isAhead) {
      this.#awaited.add(ref);
      return;
    }
    known.held = now;
    const time = new Date(this.options.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const patch = desired
      ? !agrees(desired, now) && { status: merged(desired, raw, owner, time) }
      : withoutOwned(raw, namespaceOf(ref), owner);
    if (!patch) {
      this.#failures.forget(ref);
      return;
    }
    const metadata = { resourceVersion: now.version };
    const after = await this.#api.patchStatus(ref, { metadata, ...patch }, owner.manager, signal);
    if (!after) {
      this.forget(ref);
      return;
    }
    known.held = heldOf(after, owner);
    known.isChanged = false;
    known.written = digest;
    this.options.wrote(kindOf(ref) as StatusKind);
    for (const one of this.#failures.written(ref)) this.#queue.add(one, "backlog");
    this.#idle.wake();
  }
}

/** Kinds whose status is written. */
export const reportsStatus = ({ kind }: ApiResource): boolean => hasStatus(kind);
