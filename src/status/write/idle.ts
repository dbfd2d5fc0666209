/** Waits that something may end early. */
export class Idle {
  readonly #sleepers = new Set<() => void>();

  /** `sleep` resolves after this many ms, or when the signal is aborted. */
  constructor(private readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>) {}

  /** Ends all waits. */
  wake(): void {
    const sleepers = [...this.#sleepers];
    this.#sleepers.clear();
    for (const wake of sleepers) wake();
  }

  /** Waits until `wake`, or for this many ms. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const wake = (): void => over.abort();
    this.#sleepers.add(wake);
    await this.sleep(ms, AbortSignal.any([signal, over.signal]));
    this.#sleepers.delete(wake);
  }
}
