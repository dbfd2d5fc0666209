/**
 * Milliseconds since the epoch, from a monotonic clock: waits end in time even if the wall clock jumps. The value
 * differs from the wall clock by all adjustments since the start of the process.
 */
export const steadyNow = (): number => Math.round(performance.timeOrigin + performance.now());
