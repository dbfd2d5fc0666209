import type { Duration } from "../gen/envoy.js";

/** Milliseconds as proto3 JSON: `1500` is `1.5s`. */
export const duration = (ms: number): Duration => `${Number((ms / 1000).toFixed(9))}s`;
