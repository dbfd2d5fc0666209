import type { Timers } from "../../src/server/timers.js";

export interface Clock {
  now(): number;
  readonly timers: Timers;
  /** Runs all pending work that needs no time. */
  settle(): Promise<void>;
  /** Advances the time and runs the timers that become due. */
  pass(ms: number): Promise<void>;
  /** The number of pending timers. */
  pending(): number;
}

/** A clock that the test advances; timers run when they become due. */
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
