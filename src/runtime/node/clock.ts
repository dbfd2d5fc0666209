/**
 * Milliseconds since the epoch, by a clock that is never set: waits measured by it end in time when the wall clock jumps. It is off by
 * as much as the wall clock was set since the process started.
 */
export const steadyNow = (): number => Math.round(performance.timeOrigin + performance.now());
