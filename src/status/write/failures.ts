import { ApiError } from "../../kubernetes/api.js";
import { resources } from "../../kubernetes/resources.js";
import { kindOf, namespaceOf, type Ref } from "../../schema/meta.js";
import { messageOf } from "../../schema/words.js";
import type { StatusKind } from "../status.js";

/** An object whose status can't be written. */
export interface FailingStatus {
  readonly ref: Ref;
  readonly kind: StatusKind;
  /** What the API server said of the last attempt. */
  readonly reason: string;
}

/** The kind has no status subresource, so that no object of it can have a status. */
export class NoSubresource extends ApiError {
  constructor(plural: string) {
    super(404, "NoStatusSubresource", `${plural} have no status subresource`);
  }
}

interface Failure {
  /** In a row. */
  readonly times: number;
  readonly code: number;
  readonly reason: string;
  /** The digest of the status that was refused last, while the object rests: another one is tried at once. */
  resting: string | undefined;
}

/** What fails for all objects of a kind alike, or for those of one namespace. */
interface Block {
  times: number;
  reason: string;
  /** While it rests none of its objects is tried. */
  resting: boolean;
  readonly refs: Set<Ref>;
}

/** What a failure comes to. */
interface Consequence {
  /** A line for the log, where there is news. */
  readonly line: string | undefined;
  /** A rest that begins; `wake` ends it, and returns the objects that are to be tried again. */
  readonly rest?: { readonly ms: number; wake(): readonly Ref[] };
}

/** Somebody else wrote between reading and writing. */
export const conflict = 409;
/** As many conflicts in a row are normal where several write. */
const normalConflicts = 5;
const firstRestMs = 500;
const maxRestMs = 60_000;
/** Answers about the object, which another attempt does not change: not found, too large, not valid, refused by a webhook and the like. */
export const isAboutObject = (code: number): boolean =>
  code >= 400 && code < 500 && ![401, 408, conflict, 429].includes(code);
const maxObjectRestMs = 600_000;
/** Lines about objects until all is well again; beyond, the metric counts. */
const maxLines = 20;

/** Rights may be bound in namespaces: as many are asked for one by one before none is taken to have them. */
const maxRefusals = 8;

/** Admission answers 403, too, but about the object alone. */
const lacksRight = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 403 && /\bcannot \w+ resource\b/.test(error.message);

const inNamespace = (ref: Ref): string => `${kindOf(ref)}/${namespaceOf(ref)}`;

/** What is known of statuses that could not be written: each object rests by itself, ever longer, and is told of once. */
export class Failures {
  readonly #failures = new Map<Ref, Failure>();
  readonly #blocks = new Map<string, Block>();
  readonly #said = new Set<string>();
  /** By kind, how often a right lacked since a status of it was written. */
  readonly #refusals = new Map<string, number>();

  get failing(): readonly FailingStatus[] {
    const found = new Map<Ref, string>();
    for (const { refs, reason } of this.#blocks.values()) for (const ref of refs) found.set(ref, reason);
    for (const [ref, { code, times, reason }] of this.#failures)
      if (isFailing(code, times)) found.set(ref, reason);
    return [...found].map(([ref, reason]) => ({ ref, kind: kindOf(ref) as StatusKind, reason }));
  }

  has(ref: Ref): boolean {
    return this.#failures.has(ref);
  }

  /** Whether an object is not to be tried now: it rests with this status, or its kind does. */
  isResting(ref: Ref, digest: string): boolean {
    for (const block of this.#blocksOf(ref)) {
      block.refs.add(ref);
      if (block.resting) return true;
    }
    return this.#failures.get(ref)?.resting === digest;
  }

  #blocksOf(ref: Ref): Block[] {
    if (this.#blocks.size === 0) return [];
    return [kindOf(ref), inNamespace(ref)].flatMap((key) => this.#blocks.get(key) ?? []);
  }

  /** Takes note that an object can't be written with this status. */
  add(ref: Ref, digest: string, code: number, error: unknown): Consequence {
    const reason = messageOf(error).slice(0, 300);
    const key = this.#blockOf(ref, error);
    if (key !== undefined) return this.#block(key, ref, code, reason);
    const before = this.#failures.get(ref)?.times ?? 0;
    const failure: Failure = { times: before + 1, code, reason, resting: digest };
    this.#failures.set(ref, failure);
    const line = `${ref}: can't write the status: ${reason}; others are written, this one is tried again`;
    const ms = Math.min(firstRestMs * 2 ** before, isAboutObject(code) ? maxObjectRestMs : maxRestMs);
    const wake = (): readonly Ref[] => {
      failure.resting = undefined;
      return this.#failures.get(ref) === failure ? [ref] : [];
    };
    return { line: isFailing(code, failure.times) ? this.#news(ref, line) : undefined, rest: { ms, wake } };
  }

  /** What one missing right or subresource keeps from being written: a kind, or a kind in a namespace. */
  #blockOf(ref: Ref, error: unknown): string | undefined {
    const kind = kindOf(ref);
    if (error instanceof NoSubresource) return kind;
    if (!lacksRight(error)) return undefined;
    const refusals = (this.#refusals.get(kind) ?? 0) + 1;
    this.#refusals.set(kind, refusals);
    return refusals > maxRefusals ? kind : inNamespace(ref);
  }

  #block(key: string, ref: Ref, code: number, reason: string): Consequence {
    const block = this.#blocks.get(key) ?? { times: 0, reason, resting: false, refs: new Set<Ref>() };
    this.#blocks.set(key, block);
    block.reason = reason;
    // Behind the others, which are tried before it the next time.
    block.refs.delete(ref);
    block.refs.add(ref);
    const plural = resources.find(({ kind }) => kind === kindOf(ref))?.plural ?? kindOf(ref);
    const text =
      code === 403
        ? `not allowed to write the status of ${plural} (403): grant get on ${plural} and patch on ${plural}/status`
        : `can't write the status of ${plural}: they have no status subresource; apply their CustomResourceDefinition with one (isoline crds)`;
    const line = this.#news(plural, text);
    // Of several that were under way together the first one begins the rest.
    if (block.resting) return { line };
    block.resting = true;
    const ms = Math.min(firstRestMs * 2 ** block.times++, maxRestMs);
    const wake = (): readonly Ref[] => {
      block.resting = false;
      return this.#blocks.get(key) === block ? [...block.refs] : [];
    };
    return { line, rest: { ms, wake } };
  }

  /** A line that was not said since all was well. */
  #news(key: string, line: string): string | undefined {
    if (this.#said.has(key) || this.#said.size > maxLines) return undefined;
    this.#said.add(key);
    return this.#said.size > maxLines
      ? "more statuses can't be written; isoline_statuses_failing counts them"
      : line;
  }

  /** A status was written: its kind can be. Returns the objects that waited for that. */
  written(ref: Ref): readonly Ref[] {
    const refs = this.#blocksOf(ref).flatMap((block) => [...block.refs]);
    this.#blocks.delete(kindOf(ref));
    this.#refusals.delete(kindOf(ref));
    this.#blocks.delete(inNamespace(ref));
    this.forget(ref);
    return refs.filter((one) => one !== ref);
  }

  /** There is nothing to write for the object any more, or it is gone. */
  forget(ref: Ref): void {
    this.#failures.delete(ref);
    for (const block of this.#blocksOf(ref)) block.refs.delete(ref);
    if (this.#failures.size === 0 && this.#blocks.size === 0) this.#said.clear();
  }

  clear(): void {
    this.#failures.clear();
    this.#blocks.clear();
    this.#refusals.clear();
    this.#said.clear();
  }
}

const isFailing = (code: number, times: number): boolean => code !== conflict || times >= normalConflicts;
