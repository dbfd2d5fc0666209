import type { Ref } from "../schema/meta.js";
import type { ObjectStatus } from "../status/status.js";
import { resources } from "./resources.js";
import { canonical } from "./status-parts.js";

/** An object whose status can't be written. */
export interface FailingStatus {
  readonly ref: Ref;
  readonly kind: ObjectStatus["kind"];
  /** What the API server said of the last attempt. */
  readonly reason: string;
}

interface Failure {
  readonly kind: ObjectStatus["kind"];
  /** In a row. */
  readonly times: number;
  readonly code: number;
  readonly reason: string;
  /** The status that was refused last, while the object rests: another one is tried at once. */
  resting: string | undefined;
}

/** Somebody else wrote between reading and writing. */
export const conflict = 409;
/** As many conflicts in a row are normal where several write. */
const normalConflicts = 5;
const firstRestMs = 500;
const maxRestMs = 60_000;
/** Answers about the object, which another attempt does not change: not found, too large, not valid and the like. */
const isAboutObject = (code: number): boolean =>
  code >= 400 && code < 500 && ![401, 403, 408, 409, 429].includes(code);
const maxObjectRestMs = 600_000;
/** Lines about objects until all is well again; beyond, the metric counts. */
const maxLines = 20;

/** What is known of statuses that could not be written: each object rests by itself, ever longer, and is told of once. */
export class Failures {
  readonly #failures = new Map<Ref, Failure>();
  readonly #said = new Set<string>();

  timesOf(ref: Ref): number {
    return this.#failures.get(ref)?.times ?? 0;
  }

  get failing(): readonly FailingStatus[] {
    return [...this.#failures]
      .filter(([, { code, times }]) => isFailing(code, times))
      .map(([ref, { kind, reason }]) => ({ ref, kind, reason }));
  }

  isResting(ref: Ref, status: ObjectStatus["status"]): boolean {
    const resting = this.#failures.get(ref)?.resting;
    return resting !== undefined && resting === canonical(status);
  }

  /** Takes note of a failure: for how long the object rests, what ends the rest, and a line for the log if there is news. */
  add(
    { ref, kind, status }: ObjectStatus,
    code: number,
    error: unknown,
  ): { readonly restMs: number; readonly line: string | undefined; wake(): void } {
    const before = this.timesOf(ref);
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, 300);
    const failure: Failure = { kind, times: before + 1, code, reason, resting: canonical(status) };
    this.#failures.set(ref, failure);
    const line = isFailing(code, failure.times) ? this.#lineOf(ref, failure) : undefined;
    const wake = (): void => {
      failure.resting = undefined;
    };
    const longest = isAboutObject(code) ? maxObjectRestMs : maxRestMs;
    return { restMs: Math.min(firstRestMs * 2 ** before, longest), line, wake };
  }

  #lineOf(ref: Ref, { kind, code, reason }: Failure): string | undefined {
    const plural = resources.find((one) => one.kind === kind)?.plural ?? kind;
    const key = code === 403 ? plural : ref;
    if (this.#said.has(key) || this.#said.size > maxLines) return undefined;
    this.#said.add(key);
    if (this.#said.size > maxLines)
      return "more statuses can't be written; isoline_statuses_failing counts them";
    return code === 403
      ? `not allowed to write the status of ${plural} (403): grant get on ${plural} and patch on ${plural}/status`
      : `${ref}: can't write the status: ${reason}; others are written, this one is tried again`;
  }

  /** Forgets all but these: what is not to be written any more does not fail. */
  keep(wanted: readonly ObjectStatus[]): void {
    if (this.#failures.size === 0) return;
    const refs = new Set(wanted.map(({ ref }) => ref));
    for (const ref of [...this.#failures.keys()]) if (!refs.has(ref)) this.forget(ref);
  }

  /** The status was written, or the object is gone. */
  forget(ref: Ref): void {
    this.#failures.delete(ref);
    if (this.#failures.size === 0) this.#said.clear();
  }
}

const isFailing = (code: number, times: number): boolean => code !== conflict || times >= normalConflicts;
