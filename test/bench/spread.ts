export type Figures = Record<string, number>;

const at = (sorted: readonly number[], share: number): number =>
  Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;

/** Median, 95th percentile and maximum of some times in ms. */
export function spread(name: string, values: readonly number[]): Figures {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    [`${name}_p50_ms`]: at(sorted, 0.5),
    [`${name}_p95_ms`]: at(sorted, 0.95),
    [`${name}_max_ms`]: at(sorted, 1),
  };
}
