interface PacedOptions {
  /** The pause after a load is at least this long. */
  readonly leastRestMs: number;
  /** It is also this multiple of the duration of the load: the rest of a server's time is for Envoys. */
  readonly restTimes: number;
}

/**
 * Runs loads one after another with pauses between them, however often it is asked: at once if nothing ran lately, and
 * once more after the last request.
 */
export class Paced {
  #isRunning = false;
  #isWanted = false;
  #notBefore = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(
    private readonly load: () => Promise<void>,
    private readonly options: PacedOptions,
  ) {}

  /** Asks for a load that begins after now. */
  ask(): void {
    if (this.#stopped) return;
    this.#isWanted = true;
    if (this.#isRunning || this.#timer !== undefined) return;
    const wait = this.#notBefore - performance.now();
    if (wait <= 0) void this.#run();
    else
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        void this.#run();
      }, wait);
  }

  /** A load in progress ends by itself. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    const { leastRestMs, restTimes } = this.options;
    const began = performance.now();
    this.#isRunning = true;
    this.#isWanted = false;
    await this.load();
    this.#isRunning = false;
    const ended = performance.now();
    this.#notBefore = ended + Math.max(leastRestMs, restTimes * (ended - began));
    if (this.#isWanted) this.ask();
  }
}
