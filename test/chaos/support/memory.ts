import type { ServerProcess } from "./server.js";

interface Sample {
  readonly at: number;
  readonly mb: number;
}

/** Samples before this fraction of the time belong to the warm-up. */
const warmUp = 1 / 3;

/** Samples the resident memory of a server. */
export interface MemoryWatch {
  readonly samples: readonly Sample[];
  stop(): void;
}

export function watchMemory(server: ServerProcess, everyMs = 1000): MemoryWatch {
  const samples: Sample[] = [];
  const began = performance.now();
  const timer = setInterval(() => {
    if (server.running) samples.push({ at: performance.now() - began, mb: server.rssMb() });
  }, everyMs);
  return { samples, stop: () => clearInterval(timer) };
}

function afterWarmUp(samples: readonly Sample[]): readonly Sample[] {
  const end = samples.at(-1)?.at ?? 0;
  return samples.filter(({ at }) => at >= end * warmUp);
}

export const medianMb = (samples: readonly Sample[]): number =>
  Math.round(median(afterWarmUp(samples).map(({ mb }) => mb)));

/**
 * The growth of the memory from the end of the warm-up to the end, in percent of its median: the median of the slopes
 * between all samples (Theil–Sen), times the duration. Garbage collections do not affect it.
 */
export function growthPercent(samples: readonly Sample[]): number {
  const warm = afterWarmUp(samples);
  const span = (warm.at(-1)?.at ?? 0) - (warm[0]?.at ?? 0);
  const slopes = warm.flatMap((from, i) =>
    warm.slice(i + 1).map((to) => (to.mb - from.mb) / (to.at - from.at)),
  );
  return Math.round((1000 * median(slopes) * span) / median(warm.map(({ mb }) => mb))) / 10;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
