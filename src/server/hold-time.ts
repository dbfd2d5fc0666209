const maxHoldMs = 25_000;
const marginMs = 2000;

/** Envoy's header with its timeout for an answer, in milliseconds. */
export const timeoutHeader = "x-envoy-expected-rq-timeout-ms";

/** How long a poll may be held, in ms: less than the timeout that Envoy states; 0 for a client that states none. */
export function holdTime(header: string | undefined): number {
  const timeout = Number(header);
  return Number.isFinite(timeout) && timeout > 0 ? Math.max(0, Math.min(timeout - marginMs, maxHoldMs)) : 0;
}
