/** The terminal that shows progress. */
interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Commands that end within this time show no progress. */
const firstAfter = 2000;
const pause = 100;
const eraseLine = "\r\u001b[2K";
const widest = 79;

/**
 * One line on a terminal's standard error with the progress of a long command: from two seconds after the start, at
 * most ten times per second, and erased before other output.
 */
export class Progress {
  #last = Number.NEGATIVE_INFINITY;
  #isShown = false;

  constructor(
    private readonly terminal: Terminal,
    /** Milliseconds since the command began. */
    private readonly elapsed: () => number,
  ) {}

  show(text: () => string): void {
    if (!this.terminal.isTTY) return;
    const now = this.elapsed();
    if (now < firstAfter || now - this.#last < pause) return;
    this.#last = now;
    this.#isShown = true;
    this.terminal.write(eraseLine + text().slice(0, widest));
  }

  end(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.terminal.write(eraseLine);
  }
}

/** The progress of this process: `performance.now` counts from its start. */
export const progress = new Progress(process.stderr, () => performance.now());
