/** No answer, or no end of one, came in the time that it has. */
export class NoAnswer extends Error {}

const acts = new WeakMap<AbortSignal, Set<() => void>>();

/** Acts when a signal is aborted; many do so with one signal, which has one listener for all. Returns what takes it back. */
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

/** The time that one request has: its signal is aborted with the caller's, or when the time is over. */
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

  /** Gives the request so many ms from now on, in place of those that it had. */
  in(ms: number, what: string): void {
    this.at(ms, () => this.#expire(`${what} in ${ms / 1000} s`));
  }

  /** Gives it so many ms in all, whatever it is given otherwise. */
  whole(ms: number, what: string): void {
    this.#whole = setTimeout(() => this.#expire(`${what} in ${ms / 1000} s`), ms);
  }

  /** Does something else than to end the request when the time is over. */
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

  /** What a request failed with: transports throw errors of their own when they are aborted. */
  reasonOf(error: unknown): unknown {
    return this.#late ?? error;
  }

  /** Has to be called when the request is over. */
  end(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#whole);
    this.#leave();
  }
}
