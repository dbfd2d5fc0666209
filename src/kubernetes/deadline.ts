/** The answer, or its end, did not come within the time limit. */
export class NoAnswer extends Error {}

const acts = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `act` when a signal is aborted. A signal has one listener for all callers. Returns a function that removes
 * `act`.
 */
function onAbort(signal: AbortSignal, act: () => void): () => void {
  const known = acts.get(signal);
  const all = known ?? new Set();
  if (!known) {
    acts.set(signal, all);
    signal.addEventListener("abort", () => {
      for (const one of [...all]) one();
    });
  }
  all.add(act);
  return () => void all.delete(act);
}

/** The time limit of one request: its signal is aborted with the caller's, or after the limit. */
export class Deadline {
  readonly #abort = new AbortController();
  readonly #leave: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #whole: ReturnType<typeof setTimeout> | undefined;
  #late: NoAnswer | undefined;

  constructor(parent: AbortSignal) {
    const follow = (): void => this.#abort.abort(parent.reason);
    if (parent.aborted) follow();
    this.#leave = onAbort(parent, follow);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Sets the limit to `ms` from now on; replaces the previous one. */
  in(ms: number, what: string): void {
    this.at(ms, () => this.#expire(`${what} within ${ms / 1000} s`));
  }

  /** Sets a limit for the whole request, in addition to `in`. */
  whole(ms: number, what: string): void {
    this.#whole = setTimeout(() => this.#expire(`${what} within ${ms / 1000} s`), ms);
  }

  /** Calls `act` after `ms` instead of ending the request; replaces the previous limit. */
  at(ms: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, ms);
  }

  abort(): void {
    this.#abort.abort();
  }

  #expire(message: string): void {
    this.#late = new NoAnswer(message);
    this.#abort.abort(this.#late);
  }

  /** The cause of a failure: transports throw errors of their own when they are aborted. */
  reasonOf(error: unknown): unknown {
    return this.#late ?? error;
  }

  /** Must be called when the request is over. */
  end(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#whole);
    this.#leave();
  }
}
