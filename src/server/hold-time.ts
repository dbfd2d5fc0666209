const maxHoldMs = 25_000;
const marginMs = 2000;

/** Envoy's header with the milliseconds that it waits for an answer. */
export const timeoutHeader = "x-envoy-expected-rq-timeout-ms";

/** How long a poll may be held: Envoy says when it gives up; a client that doesn't is answered at once. */
export function holdTime(header: string | undefined): number {
  const timeout = Number(header);
  return Number.isFinite(timeout) && timeout > 0 ? Math.max(0, Math.min(timeout - marginMs, maxHoldMs)) : 0;
}
