import { isRecord } from "../schema/issues.js";
import type { Ref } from "../schema/meta.js";
import type { ObjectStatus, StatusKind } from "../status/status.js";
import { ApiError, getJson, patchStatus, type Raw, type Transport } from "./api.js";
import { type Resource, resourcePath, resources } from "./resources.js";
import { conflict, type FailingStatus, Failures } from "./status-failures.js";
import {
  agrees,
  areSame,
  canonical,
  merged,
  observedGeneration,
  type Parts,
  partsOf,
} from "./status-parts.js";

export interface StatusWriterOptions {
  readonly transport: Transport;
  /** The status that every object should have now. */
  desired(): readonly ObjectStatus[];
  /** Whether this replica is the one that writes. */
  leads(): boolean;
  /** A write failed with this status code; 0 when there was no answer that can be read. */
  failed(kind: StatusKind, code: number): void;
  log(line: string): void;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after so many ms, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Changes of configuration are waited for this long, and go first. */
const holdoffMs = 500;
/** What somebody else changes again and again is put back this much later at most. */
const maxContestMs = 60_000;
/** Reading and writing one status may take this long. */
const maxWriteMs = 15_000;
/** Working out what to write may take this part of the time at most. */
const share = 20;
/** About a hundred statuses a second: API server and configuration have work of their own. */
const concurrency = 2;
const pauseMs = 15;
const batch = 200;
/** After failures in a row writes are this far apart at most, and after so many it is looked anew at what is due. */
const maxPauseMs = 4000;
const maxStreak = 4;

/**
 * Keeps the statuses in the cluster as they should be: only what differs is written, a few at a time and beside the
 * configuration, which never waits for it.
 */
export class StatusWriter {
  readonly #there = new Map<Ref, Parts>();
  /** What was written last, so that a server that stores it in another form is not written to for ever. */
  readonly #written = new Map<Ref, string>();
  /** How often somebody else has changed what was written: two writers must not answer each other without end. */
  readonly #contested = new Map<Ref, number>();
  readonly #failures = new Failures();
  /** The API version that a kind was read in, which need not be the newest. */
  readonly #versions = new Map<string, string>();
  #signal = new AbortController().signal;
  #wake: () => void = () => undefined;
  #poked = true;
  /** Failures since a write went well: of several objects in a row, the API server is in trouble, and gets fewer requests. */
  #streak = 0;

  constructor(private readonly options: StatusWriterOptions) {}

  /** Takes note of the status of an object as it was read; one that somebody else has changed is put back. */
  observe(ref: Ref, raw: Raw): void {
    if (typeof raw.apiVersion === "string")
      this.#versions.set(ref.slice(0, ref.indexOf("/")), raw.apiVersion);
    const before = this.#there.get(ref);
    const now = partsOf(raw.status);
    this.#there.set(ref, now);
    if ((before && areSame(before, now)) || !this.#written.has(ref)) return;
    const times = this.#contested.get(ref) ?? 0;
    this.#contested.set(ref, times + 1);
    this.#later(times, () => this.#written.delete(ref));
  }

  /** Does something, and looks again, the later the oftener it was so before. */
  #later(times: number, act: () => void): void {
    this.#after(Math.min(holdoffMs * 2 ** times, maxContestMs), act);
  }

  #after(ms: number, act: () => void): void {
    void this.options.sleep(ms, this.#signal).then(() => {
      act();
      this.poke();
    });
  }

  /** Objects whose status can't be written, each with the reason. */
  get failing(): readonly FailingStatus[] {
    return this.options.leads() ? this.#failures.failing : [];
  }

  forget(ref: Ref): void {
    this.#there.delete(ref);
    this.#written.delete(ref);
    this.#contested.delete(ref);
    this.#failures.forget(ref);
  }

  /** Something that statuses depend on may have changed. */
  poke(): void {
    this.#poked = true;
    this.#wake();
  }

  /** Writes until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { sleep, now, leads } = this.options;
    this.#signal = signal;
    let spent = 0;
    while (!signal.aborted) {
      await this.#untilPoked(signal);
      await sleep(Math.max(holdoffMs, spent * share, this.#pauseMs), signal);
      if (signal.aborted) return;
      if (!leads()) continue;
      const began = now();
      this.#poked = false;
      const due = inTurn(this.#due(), (ref) => this.#failures.timesOf(ref));
      spent = now() - began;
      if (due.length > batch) this.#poked = true;
      await this.#writeAll(due.slice(0, batch), signal);
    }
  }

  async #untilPoked(signal: AbortSignal): Promise<void> {
    if (this.#poked) return;
    await new Promise<void>((resolve) => {
      this.#wake = () => {
        signal.removeEventListener("abort", this.#wake);
        resolve();
      };
      signal.addEventListener("abort", this.#wake);
    });
  }

  #due(): ObjectStatus[] {
    const differing = this.options.desired().filter(({ ref, status }) => {
      const there = this.#there.get(ref);
      return Object.keys(status).length > 0 && !(there && agrees(status, there));
    });
    this.#failures.keep(differing);
    return differing.filter(
      ({ ref, status }) =>
        !this.#failures.isResting(ref, status) && this.#written.get(ref) !== canonical(status),
    );
  }

  get #pauseMs(): number {
    return Math.min(pauseMs * 2 ** this.#streak, maxPauseMs);
  }

  /** Writes one after the other. What can't be written rests by itself, and stops the others for a pause at most. */
  async #writeAll(due: readonly ObjectStatus[], signal: AbortSignal): Promise<void> {
    const left = [...due].reverse();
    const work = async (): Promise<void> => {
      for (let one = left.pop(); one && !signal.aborted; one = left.pop()) {
        try {
          await this.#inTime(signal, (inTime) => this.#write(one, inTime));
          this.#streak = 0;
        } catch (error) {
          if (signal.aborted) return;
          this.#fail(one, error);
        }
        if (this.#streak >= maxStreak && left.length > 0) {
          // What is due may be another object's status by now, which goes first.
          left.length = 0;
          this.#poked = true;
        }
        await this.options.sleep(this.#pauseMs, signal);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
  }

  /** An API server that does not answer for one object must not hold up the others. */
  async #inTime(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const done = new AbortController();
    const late = new AbortController();
    const either = AbortSignal.any([signal, done.signal]);
    void this.options.sleep(maxWriteMs, either).then(() => {
      if (!either.aborted) late.abort(new Error("no answer in time"));
    });
    await work(AbortSignal.any([signal, late.signal])).finally(() => done.abort());
  }

  #fail(one: ObjectStatus, error: unknown): void {
    const code = error instanceof ApiError ? error.status : 0;
    // Somebody else wrote at the same time: the API server is well.
    if (code !== conflict) this.#streak++;
    this.options.failed(one.kind, code);
    const { restMs, wake, line } = this.#failures.add(one, code, error);
    if (line) this.options.log(line);
    this.#after(restMs, wake);
  }

  async #write({ ref, kind, metadata, status }: ObjectStatus, signal: AbortSignal): Promise<void> {
    const newest = resources.find((one) => one.kind === kind);
    if (!newest) return;
    const resource = { ...newest, apiVersion: this.#versions.get(kind) ?? newest.apiVersion };
    const path = resourcePath(resource, metadata);
    let raw: Raw;
    try {
      raw = await getJson(this.options.transport, path, signal);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      this.#written.set(ref, canonical(status));
      this.#failures.forget(ref);
      return;
    }
    this.#there.set(ref, partsOf(raw.status));
    if (isOlder(status, raw)) return;
    if (agrees(status, partsOf(raw.status))) {
      this.#failures.forget(ref);
      return;
    }
    const time = new Date(this.options.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const body = { metadata: { resourceVersion: versionOf(raw) }, status: merged(status, raw.status, time) };
    const after = await patchStatus(
      this.options.transport,
      `${resourcePath(resource, { ...metadata, subresource: "status" })}?fieldManager=isoline`,
      body,
      signal,
    );
    this.#there.set(ref, partsOf(after.status));
    this.#written.set(ref, canonical(status));
    this.#failures.forget(ref);
  }
}

/** Statuses of each namespace in turn, and in a namespace those first that failed least: no namespace's many failures come before another's. */
function inTurn(due: readonly ObjectStatus[], failuresOf: (ref: Ref) => number): ObjectStatus[] {
  const byNamespace = new Map<string, ObjectStatus[]>();
  for (const one of due) {
    const { namespace } = one.metadata;
    const queue = byNamespace.get(namespace);
    if (queue) queue.push(one);
    else byNamespace.set(namespace, [one]);
  }
  const queues = [...byNamespace.values()].map((queue) =>
    queue
      .map((one) => ({ one, failures: failuresOf(one.ref) }))
      .sort((a, b) => a.failures - b.failures)
      .map(({ one }) => one),
  );
  const longest = queues.reduce((most, { length }) => Math.max(most, length), 0);
  return Array.from({ length: longest }, (_, i) => queues.flatMap((queue) => queue[i] ?? [])).flat();
}

const metadataOf = (raw: Raw): Raw => (isRecord(raw.metadata) ? raw.metadata : {});
const versionOf = (raw: Raw): unknown => metadataOf(raw).resourceVersion;

/** Whether a verdict is on an older generation than the API server has: a newer one is on its way. */
function isOlder(status: ObjectStatus["status"], raw: Raw): boolean {
  const observed = observedGeneration(status);
  const { generation } = metadataOf(raw);
  // An object that could not be read was judged without its generation.
  return (
    typeof observed === "number" && observed > 0 && typeof generation === "number" && observed < generation
  );
}

const withStatus = new Set<string>([
  "HTTPProxy",
  "IngressRoute",
  "ExtensionService",
  "Ingress",
  "GatewayClass",
  "Gateway",
  "HTTPRoute",
  "GRPCRoute",
  "TLSRoute",
  "TCPRoute",
  "BackendTLSPolicy",
]);

/** Kinds whose status is written. */
export const hasStatus = ({ kind }: Resource): boolean => withStatus.has(kind);
