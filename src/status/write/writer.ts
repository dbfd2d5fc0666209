import { ApiError, type Raw, type Transport } from "../../kubernetes/api.js";
import { isOlderVersion } from "../../kubernetes/resource-version.js";
import type { ApiResource } from "../../kubernetes/resources.js";
import { kindOf, namespaceOf, type Ref } from "../../schema/meta.js";
import { hasStatus, type ObjectStatus, type StatusKind, type StatusVerdict } from "../status.js";
import { StatusApi } from "./api.js";
import { VerdictEnds } from "./ends.js";
import { conflict, type FailingStatus, Failures, isAboutObject } from "./failures.js";
import { type Owner, withoutOwned } from "./owned.js";
import { WritePace } from "./pace.js";
import { agrees, areSame, digestOf, heldOf, isOlder, type KnownStatus, merged } from "./parts.js";
import { StatusQueue } from "./queue.js";

export interface StatusWriterOptions {
  readonly transport: Transport;
  /** The status that an object should have now. */
  verdict(ref: Ref): StatusVerdict;
  owner(): Owner;
  /** Whether this replica is the one that writes. */
  leads(): boolean;
  /** A status was written, or taken back. */
  wrote(kind: StatusKind): void;
  /** A write failed with this status code; 0 when there was no answer that can be read. */
  failed(kind: StatusKind, code: number): void;
  log(line: string): void;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after so many ms, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Changes that come together are judged together, and configuration goes first. */
const holdoffMs = 200;
/** What somebody else changes again and again is put back this much later at most. */
const maxContestMs = 60_000;
/** After so long without another one, a contest is over. */
const contestMemoryMs = 600_000;
/** Working out what to write may take this part of each worker's time at most, in pieces of so many ms. */
const share = 16;
const sliceMs = 5;
const workers = 4;
/** As many of one namespace are in work at a time, so that those that hang keep no other namespace waiting. */
const perNamespace = 2;
/** How often it is looked whether this replica leads, and times are at most apart that a timer is set for. */
const lookMs = 1000;
const maxTimerMs = 3_600_000;

/** What is known of one object. */
interface Known {
  /** As the API server had it last; undefined while that is in doubt. */
  held: KnownStatus | undefined;
  /** The digest of what was written last, so that a server that stores it in another form is not written to for ever. */
  written: string | undefined;
  /** Whether the status was read with other parts since. */
  isChanged: boolean;
  /** How often somebody else has changed what was written, and when last: two writers must not answer each other without end. */
  contests: number;
  contestedAt: number;
}

/** What has to be written of one object, `wanted` or taken back. */
interface Due {
  readonly wanted: ObjectStatus | undefined;
  readonly digest: string;
}

/**
 * Keeps the statuses in the cluster as they should be: only what differs is written, object by object as they change, at a rate that
 * the API server bears, and beside the configuration, which never waits for it.
 */
export class StatusWriter {
  readonly #known = new Map<Ref, Known>();
  readonly #queue = new StatusQueue();
  readonly #failures = new Failures();
  readonly #pace: WritePace;
  readonly #api: StatusApi;
  readonly #inWork = new Map<string, number>();
  /** Objects in work, and whether each was touched meanwhile. */
  readonly #busy = new Map<Ref, boolean>();
  /** Objects that were left alone because a newer state of them is on its way. */
  readonly #awaited = new Set<Ref>();
  /** Changed, and to be judged once the holdoff is over. */
  readonly #touched = new Set<Ref>();
  readonly #ends = new VerdictEnds();
  #signal = new AbortController().signal;
  readonly #sleepers = new Set<() => void>();
  #allTouched = false;
  /** Whether all objects were queued since this replica leads. */
  #led = false;

  constructor(private readonly options: StatusWriterOptions) {
    this.#pace = new WritePace(options);
    this.#api = new StatusApi(options);
  }

  /** Takes note of the status of an object as it was read; one that somebody else has changed is put back. */
  observe(ref: Ref, raw: Raw): void {
    this.#api.learn(raw);
    const isNew = !this.#known.has(ref);
    const known = this.#knownOf(ref);
    const now = heldOf(raw, this.options.owner());
    const before = known.held;
    // What was read before the last write comes late; what a server says that went back in time does, too.
    const isLate = before !== undefined && isOlderVersion(now.version, before.version);
    known.held = isLate ? undefined : now;
    if (before && !areSame(before, now)) known.isChanged = true;
    if (this.#awaited.delete(ref) || isLate || isNew || known.isChanged) this.touch(ref);
  }

  #knownOf(ref: Ref): Known {
    let known = this.#known.get(ref);
    if (!known) {
      known = { held: undefined, written: undefined, isChanged: false, contests: 0, contestedAt: 0 };
      this.#known.set(ref, known);
    }
    return known;
  }

  /** The object is gone. */
  forget(ref: Ref): void {
    this.#known.delete(ref);
    this.#awaited.delete(ref);
    this.#ends.set(ref, undefined);
    this.#queue.delete(ref);
    this.#failures.forget(ref);
  }

  /** `metadata.generation` as it was read last; undefined of an object that was not read. */
  generationOf(ref: Ref): number | undefined {
    return this.#known.get(ref)?.held?.generation;
  }

  /** Objects whose status can't be written, each with the reason. */
  get failing(): readonly FailingStatus[] {
    return this.options.leads() ? this.#failures.failing : [];
  }

  /** How many objects wait to be judged or written. */
  get pending(): number {
    return this.#queue.size + this.#touched.size;
  }

  /** The status of an object may be another one. */
  touch(ref: Ref): void {
    if (!hasStatus(kindOf(ref))) return;
    this.#touched.add(ref);
    if (this.#touched.size === 1) this.#wake();
  }

  /** The status of every object may be another one. */
  touchAll(): void {
    this.#allTouched = true;
    this.#wake();
  }

  /** Looks at once whether this replica leads. */
  poke(): void {
    this.#wake();
  }

  /** Writes until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    await Promise.all([this.#gather(signal), ...Array.from({ length: workers }, () => this.#work(signal))]);
  }

  #wake(): void {
    const sleepers = [...this.#sleepers];
    this.#sleepers.clear();
    for (const wake of sleepers) wake();
  }

  /** Until something happens, or so many ms are over. */
  async #idle(ms: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const wake = (): void => over.abort();
    this.#sleepers.add(wake);
    await this.options.sleep(ms, AbortSignal.any([signal, over.signal]));
    this.#sleepers.delete(wake);
  }

  #after(ms: number, act: () => void): void {
    void this.options.sleep(ms, this.#signal).then(() => {
      if (this.#signal.aborted) return;
      act();
      this.#wake();
    });
  }

  /** Queues what was touched, and what time has touched. */
  async #gather(signal: AbortSignal): Promise<void> {
    const { sleep, now, leads } = this.options;
    while (!signal.aborted) {
      if (!leads()) {
        this.#rest();
        await this.#idle(lookMs, signal);
      } else if (!this.#led || this.#allTouched || this.#touched.size > 0) {
        await sleep(holdoffMs, signal);
        this.#queueTouched();
      } else if (now() >= this.#ends.next) {
        for (const ref of this.#ends.take(now())) this.#queue.add(ref, "backlog");
        this.#wake();
      } else await this.#idle(Math.min(this.#ends.next - now(), maxTimerMs), signal);
    }
  }

  /** Another replica writes: what is to be written is looked at anew when this one does. */
  #rest(): void {
    this.#touched.clear();
    if (!this.#led) return;
    this.#led = false;
    this.#queue.clear();
    this.#ends.clear();
    this.#failures.clear();
    for (const known of this.#known.values()) known.written = undefined;
  }

  #queueTouched(): void {
    if (!this.options.leads()) return;
    // What was read for the first time by then is no change.
    if (!this.#led) this.#touched.clear();
    if (!this.#led || this.#allTouched) this.#queueAll();
    for (const ref of this.#touched) this.#queue.add(ref, this.#failures.has(ref) ? "failed" : "fresh");
    this.#touched.clear();
    this.#wake();
  }

  /** The newest go first: those are what somebody waits for. */
  #queueAll(): void {
    this.#led = true;
    this.#allTouched = false;
    const all = [...this.#known].map(([ref, { held }]) => ({ ref, version: Number(held?.version || 0) }));
    all.sort((a, b) => b.version - a.version);
    for (const { ref } of all) this.#queue.add(ref, this.#failures.has(ref) ? "failed" : "backlog");
  }

  /** Takes one object after the other. */
  async #work(signal: AbortSignal): Promise<void> {
    const { sleep, leads, now } = this.options;
    let spent = 0;
    while (!signal.aborted) {
      const ref = leads() && this.#led ? this.#take() : undefined;
      if (ref === undefined) {
        await this.#idle(maxTimerMs, signal);
        continue;
      }
      const began = now();
      const isDue = this.#due(ref) !== undefined;
      spent += now() - began;
      if (isDue) await this.#pace.turn(signal);
      if (isDue && !signal.aborted && leads()) await this.#settle(ref, signal);
      this.#release(ref);
      if (spent < sliceMs) continue;
      await sleep(spent * share, signal);
      spent = 0;
    }
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
    // Others of the namespace may have waited for it.
    if (left === perNamespace - 1 && this.#queue.size > 0) this.#wake();
  }

  /** What has to be written of an object; undefined when nothing has, or it rests. */
  #due(ref: Ref): Due | undefined {
    const verdict = this.#verdict(ref);
    if (!verdict) return undefined;
    const { wanted, until, isUnknown = false } = verdict;
    if (this.#ends.set(ref, until)) this.#wake();
    const known = this.#known.get(ref);
    const { held, written } = known ?? {};
    const isEmpty = wanted ? Object.keys(wanted.status).length === 0 : known === undefined || isUnknown;
    const isRight = held && (wanted ? agrees(wanted, held) : !held.leftovers);
    if (isRight || isEmpty) {
      if (known) known.isChanged = false;
      this.#failures.forget(ref);
      return undefined;
    }
    const digest = digestOf(wanted?.status);
    if (written === digest && known) return this.#contest(ref, known);
    return this.#failures.isResting(ref, digest) ? undefined : { wanted, digest };
  }

  /** A fault of ours costs one object its status. */
  #verdict(ref: Ref): StatusVerdict | undefined {
    try {
      return this.options.verdict(ref);
    } catch (error) {
      this.#rested(ref, "", 0, error);
      return undefined;
    }
  }

  /** What was written is there no more: it is put back, the later the oftener it was so before. */
  #contest(ref: Ref, known: Known): undefined {
    if (!known.isChanged) return;
    known.isChanged = false;
    const now = this.options.now();
    if (now - known.contestedAt > contestMemoryMs) known.contests = 0;
    known.contestedAt = now;
    this.#after(Math.min(holdoffMs * 2 ** known.contests++, maxContestMs), () => {
      known.written = undefined;
      this.#queue.add(ref, "fresh");
    });
  }

  /** Writes one object's status, as it should be now. What can't be written rests by itself. */
  async #settle(ref: Ref, signal: AbortSignal): Promise<void> {
    // Others may have written, and the object may have changed, while its turn was waited for.
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
    // About the object, or written by somebody else at the same time: the API server is well.
    if (code !== conflict && !isAboutObject(code)) this.#pace.failed();
    this.#rested(ref, digest, code, error);
  }

  #rested(ref: Ref, digest: string, code: number, error: unknown): void {
    this.options.failed(kindOf(ref) as StatusKind, code);
    const { line, rest } = this.#failures.add(ref, digest, code, error);
    if (line) this.options.log(line);
    if (!rest) return;
    this.#after(rest.ms, () => {
      for (const one of rest.wake()) this.#queue.add(one, code === conflict ? "fresh" : "failed");
    });
  }

  async #write(ref: Ref, { wanted, digest }: Due, signal: AbortSignal): Promise<void> {
    const raw = await this.#api.get(ref, signal);
    if (!raw) {
      this.forget(ref);
      return;
    }
    const owner = this.options.owner();
    const known = this.#knownOf(ref);
    const now = heldOf(raw, owner);
    // Nothing of a status says which state of the object it was taken back for.
    const isAhead = wanted
      ? isOlder(wanted.status, raw)
      : known.held !== undefined && isOlderVersion(known.held.version, now.version);
    if (isAhead) {
      this.#awaited.add(ref);
      return;
    }
    known.held = now;
    const time = new Date(this.options.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const patch = wanted
      ? !agrees(wanted, now) && { status: merged(wanted, raw, owner, time) }
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
    this.#wake();
  }
}

/** Kinds whose status is written. */
export const reportsStatus = ({ kind }: ApiResource): boolean => hasStatus(kind);
