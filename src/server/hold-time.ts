/** The time (ms) for which a poll is held if no setting has another one. */
export const usualHoldMs = 25_000;
const marginMs = 2000;

/** Envoy's header with its timeout for an answer, in milliseconds. */
export const timeoutHeader = "x-envoy-expected-rq-timeout-ms";

/**
 * How long a poll may be held, in ms: `most`, but less than the timeout that Envoy states; 0 for a client that states
 * none.
 */
export function holdTime(header: string | undefined, most = usualHoldMs): number {
  const timeout = Number(header);
  return Number.isFinite(timeout) && timeout > 0 ? Math.max(0, Math.min(timeout - marginMs, most)) : 0;
}
