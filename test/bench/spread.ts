import { setTimeout as sleep } from "node:timers/promises";

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

/** Between two changes, so that Envoy's polls are held again. */
const pauseMs = 400;

/** From the end of a write to the first look that shows it, in ms. */
export async function until(write: () => Promise<unknown>, shows: () => Promise<boolean>): Promise<number> {
  await sleep(pauseMs * (0.75 + Math.random() / 2));
  await write();
  const written = performance.now();
  while (!(await shows())) {
    if (performance.now() - written > 30_000) throw new Error("nothing changed in 30 s");
    await sleep(1);
  }
  return performance.now() - written;
}
