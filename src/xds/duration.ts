import type { Duration } from "../gen/envoy.js";

/**
 * Milliseconds as proto3 JSON: `1500` is `1.5s`. Envoy counts in whole milliseconds, and 0 is often "for ever" to it:
 * what is shorter than one is one.
 */
export const duration = (ms: number): Duration =>
  `${Number(((ms > 0 && ms < 1 ? 1 : ms) / 1000).toFixed(9))}s`;
