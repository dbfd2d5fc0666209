import type { Timers } from "../../src/server/timers.js";

export interface Clock {
  now(): number;
  readonly timers: Timers;
  /** Lets what is ready run. */
  settle(): Promise<void>;
  /** Moves the time, and runs the timers that it passes. */
  pass(ms: number): Promise<void>;
  /** How many timers are set. */
  pending(): number;
}

/** Time that the test moves; timers run when it passes them. */
export function clock(): Clock {
  let now = 1_000_000;
  const timers = new Map<object, { at: number; run: () => void }>();
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    now: () => now,
    timers: {
      set(run: () => void, ms: number): unknown {
        const timer = {};
        timers.set(timer, { at: now + ms, run });
        return timer;
      },
      clear: (timer: unknown): void => void timers.delete(timer as object),
    },
    settle,
    async pass(ms: number): Promise<void> {
      await settle();
      now += ms;
      for (const [timer, { at, run }] of [...timers]) {
        if (at <= now && timers.delete(timer)) run();
      }
      await settle();
    },
    pending: () => timers.size,
  };
}
