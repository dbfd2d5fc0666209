/** Where progress is shown, and the milliseconds since the command began. */
interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Commands that end sooner show none. */
const firstAfter = 2000;
const pause = 100;
const eraseLine = "\r\u001b[2K";
const widest = 79;

/**
 * One line on standard error that says what a long command does, where that is a terminal: from two seconds after the start on, ten times a second
 * at most, and erased before anything else is printed.
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

/** Of this process: `performance.now` counts from its start. */
export const progress = new Progress(process.stderr, () => performance.now());
