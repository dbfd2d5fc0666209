import type { Rig, RigOptions } from "./rig.js";

/** What was measured, by name; null: it did not come in the time that was waited for it. */
export type Measures = Readonly<Record<string, number | null>>;

/** Names of measures end in their unit. */
export interface Limit {
  readonly max?: number;
  readonly min?: number;
}

/** One experiment: what stands there, what is done to it, and what has to be true of it. */
export interface Experiment {
  readonly name: string;
  /** What fails, in a sentence for operators. */
  readonly what: string;
  /** What they see, in another. */
  readonly right: string;
  /** It is part of the short form. */
  readonly short?: boolean;
  readonly rig: RigOptions;
  /** Does the damage, and measures. Throws when what has to be true is no number. */
  run(rig: Rig): Promise<Measures>;
  /** Bounds of measures. That no request fails and that the final state is right holds for every experiment. */
  readonly limits: Readonly<Record<string, Limit>>;
  /** The measure that is shown as the time to recover. */
  readonly recovery?: string;
  /** How long the final state may take to be right. Default: 20 s. */
  readonly finalMs?: number;
}

/** What came of an experiment. */
export interface Outcome {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "unavailable";
  /** What was not right; empty when it passed. */
  readonly problems: readonly string[];
  readonly requests: number;
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly measures: Measures;
  /** Requests to the API server, and the most of them in a second. */
  readonly apiRequests: number;
  readonly apiBusiestSecond: number;
  readonly seconds: number;
}

/** What is wrong with measures. */
export function overruns(measures: Measures, limits: Experiment["limits"]): string[] {
  return Object.entries(limits).flatMap(([name, { max, min }]) => {
    const value = measures[name];
    if (value === undefined) return [`${name} was not measured`];
    if (value === null) return [`${name}: not in the time that was waited for it`];
    if (max !== undefined && value > max) return [`${name} is ${value}, over ${max}`];
    if (min !== undefined && value < min) return [`${name} is ${value}, under ${min}`];
    return [];
  });
}

/** The longest of some times; null when one of them did not come. */
export const slowest = (times: readonly (number | null)[]): number | null =>
  times.reduce((most, ms) => (most === null || ms === null ? null : Math.max(most, ms)), 0);
