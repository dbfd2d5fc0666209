import type { Duration } from "../gen/envoy.js";

/**
 * Milliseconds as proto3 JSON: `1500` is `1.5s`. Envoy counts whole milliseconds, and 0 often disables a timeout: a
 * value between 0 and 1 becomes 1.
 */
export const duration = (ms: number): Duration =>
  `${Number(((ms > 0 && ms < 1 ? 1 : ms) / 1000).toFixed(9))}s`;
