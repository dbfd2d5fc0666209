import { ApiError } from "../../kubernetes/api.js";
import { resources } from "../../kubernetes/resources.js";
import { kindOf, namespaceOf, type Ref } from "../../schema/meta.js";
import { messageOf } from "../../schema/words.js";
import type { StatusKind } from "../status.js";

/** An object whose status can't be written. */
export interface FailingStatus {
  readonly ref: Ref;
  readonly kind: StatusKind;
  /** The API server's response to the last attempt. */
  readonly reason: string;
}

/** The kind has no status subresource, so that its objects can't have a status. */
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
  /** The digest of the last refused status while the object is paused; another status is tried at once. */
  paused: string | undefined;
}

/** A failure of all objects of a kind, or of those in one namespace. */
interface Block {
  times: number;
  reason: string;
  /** While paused, none of its objects is tried. */
  paused: boolean;
  readonly refs: Set<Ref>;
}

/** The consequences of a failure. */
interface Consequence {
  /** A log line, if there is something new. */
  readonly line: string | undefined;
  /** A pause that starts; `wake` ends it and returns the objects to try again. */
  readonly pause?: { readonly ms: number; wake(): readonly Ref[] };
}

/** Another writer wrote between reading and writing. */
export const conflict = 409;
/** This many conflicts in a row are normal with several writers. */
const normalConflicts = 5;
const firstPauseMs = 500;
const maxPauseMs = 60_000;
/**
 * Responses that concern one object and that another attempt does not change: not found, too large, invalid, refused
 * by a webhook and the like.
 */
export const isAboutObject = (code: number): boolean =>
  code >= 400 && code < 500 && ![401, 408, conflict, 429].includes(code);
const maxObjectPauseMs = 600_000;
/** The maximum number of lines about objects until all writes succeed again; the metric counts all. */
const maxLines = 20;

/**
 * Permissions may be granted in single namespaces. After this many refusals the permission counts as missing in all
 * namespaces.
 */
const maxRefusals = 8;

/** Admission also responds with 403, which concerns a single object. */
const lacksRight = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 403 && /\bcannot \w+ resource\b/.test(error.message);

const inNamespace = (ref: Ref): string => `${kindOf(ref)}/${namespaceOf(ref)}`;

/**
 * The statuses that could not be written. Each object is paused on its own, exponentially longer, and reported once.
 */
export class Failures {
  readonly #failures = new Map<Ref, Failure>();
  readonly #blocks = new Map<string, Block>();
  readonly #logged = new Set<string>();
  /** By kind: refusals for missing permission since a status of the kind was last written. */
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

  /** Whether an object must not be tried now: it is paused with this status, or its kind is paused. */
  isPaused(ref: Ref, digest: string): boolean {
    for (const block of this.#blocksOf(ref)) {
      block.refs.add(ref);
      if (block.paused) return true;
    }
    return this.#failures.get(ref)?.paused === digest;
  }

  #blocksOf(ref: Ref): Block[] {
    if (this.#blocks.size === 0) return [];
    return [kindOf(ref), inNamespace(ref)].flatMap((key) => this.#blocks.get(key) ?? []);
  }

  /** Records that an object can't be written with this status. */
  add(ref: Ref, digest: string, code: number, error: unknown): Consequence {
    const reason = messageOf(error).slice(0, 300);
    const key = this.#blockOf(ref, error);
    if (key !== undefined) return this.#block(key, ref, code, reason);
    const before = this.#failures.get(ref)?.times ?? 0;
    const failure: Failure = { times: before + 1, code, reason, paused: digest };
    this.#failures.set(ref, failure);
    const line = `${ref}: can't write the status: ${reason}; other statuses are written, this one will be tried again`;
    const ms = Math.min(firstPauseMs * 2 ** before, isAboutObject(code) ? maxObjectPauseMs : maxPauseMs);
    const wake = (): readonly Ref[] => {
      failure.paused = undefined;
      return this.#failures.get(ref) === failure ? [ref] : [];
    };
    return { line: isFailing(code, failure.times) ? this.#news(ref, line) : undefined, pause: { ms, wake } };
  }

  /** The objects that one missing permission or subresource affects: a kind, or a kind in a namespace. */
  #blockOf(ref: Ref, error: unknown): string | undefined {
    const kind = kindOf(ref);
    if (error instanceof NoSubresource) return kind;
    if (!lacksRight(error)) return undefined;
    const refusals = (this.#refusals.get(kind) ?? 0) + 1;
    this.#refusals.set(kind, refusals);
    return refusals > maxRefusals ? kind : inNamespace(ref);
  }

  #block(key: string, ref: Ref, code: number, reason: string): Consequence {
    const block = this.#blocks.get(key) ?? { times: 0, reason, paused: false, refs: new Set<Ref>() };
    this.#blocks.set(key, block);
    block.reason = reason;
    // At the end: the others are tried first the next time.
    block.refs.delete(ref);
    block.refs.add(ref);
    const plural = resources.find(({ kind }) => kind === kindOf(ref))?.plural ?? kindOf(ref);
    const text =
      code === 403
        ? `not allowed to write the status of ${plural} (403): grant get on ${plural} and patch on ${plural}/status`
        : `can't write the status of ${plural}: they have no status subresource; apply their CustomResourceDefinition with one (isoline crds)`;
    const line = this.#news(plural, text);
    // Among concurrent failures, the first one starts the pause.
    if (block.paused) return { line };
    block.paused = true;
    const ms = Math.min(firstPauseMs * 2 ** block.times++, maxPauseMs);
    const wake = (): readonly Ref[] => {
      block.paused = false;
      return this.#blocks.get(key) === block ? [...block.refs] : [];
    };
    return { line, pause: { ms, wake } };
  }

  /** Returns a line that was not logged since the last time without failures. */
  #news(key: string, line: string): string | undefined {
    if (this.#logged.has(key) || this.#logged.size > maxLines) return undefined;
    this.#logged.add(key);
    return this.#logged.size > maxLines
      ? "more statuses can't be written; isoline_statuses_failing counts them"
      : line;
  }

  /** A status was written, so that its kind is not blocked. Returns the objects that waited for that. */
  written(ref: Ref): readonly Ref[] {
    const refs = this.#blocksOf(ref).flatMap((block) => [...block.refs]);
    this.#blocks.delete(kindOf(ref));
    this.#refusals.delete(kindOf(ref));
    this.#blocks.delete(inNamespace(ref));
    this.forget(ref);
    return refs.filter((one) => one !== ref);
  }

  /** The object has nothing to write any more, or does not exist any more. */
  forget(ref: Ref): void {
    this.#failures.delete(ref);
    for (const block of this.#blocksOf(ref)) block.refs.delete(ref);
    if (this.#failures.size === 0 && this.#blocks.size === 0) this.#logged.clear();
  }

  clear(): void {
    this.#failures.clear();
    this.#blocks.clear();
    this.#refusals.clear();
    this.#logged.clear();
  }
}

const isFailing = (code: number, times: number): boolean => code !== conflict || times >= normalConflicts;
