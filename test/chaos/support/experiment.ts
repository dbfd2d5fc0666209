import type { Rig, RigOptions } from "./rig.js";

/** Measured values by name; null: not reached within the waiting time. */
export type Measures = Readonly<Record<string, number | null>>;

/** Names of measures end with their unit. */
export interface Limit {
  readonly max?: number;
  readonly min?: number;
}

/** One experiment: its setup, its fault, and the required result. */
export interface Experiment {
  readonly name: string;
  /** The fault, in a sentence for operators. */
  readonly what: string;
  /** The required result, in another sentence. */
  readonly right: string;
  /** Part of the short form. */
  readonly short?: boolean;
  readonly rig: RigOptions;
  /** Causes the fault, and measures. Throws when a required result is not a number. */
  run(rig: Rig): Promise<Measures>;
  /** Bounds of measures. For every experiment, no request may fail and the final state must be correct. */
  readonly limits: Readonly<Record<string, Limit>>;
  /** The measure that is shown as the time to recover. */
  readonly recovery?: string;
  /** Time limit for the final state to be correct. Default: 20 s. */
  readonly finalMs?: number;
}

/** The outcome of an experiment. */
export interface Outcome {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "unavailable";
  /** Violations; empty when it passed. */
  readonly problems: readonly string[];
  readonly requests: number;
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly measures: Measures;
  /** Number of requests to the API server, and the maximum in one second. */
  readonly apiRequests: number;
  readonly apiBusiestSecond: number;
  readonly seconds: number;
}

/** Violated bounds of measures. */
export function overruns(measures: Measures, limits: Experiment["limits"]): string[] {
  return Object.entries(limits).flatMap(([name, { max, min }]) => {
    const value = measures[name];
    if (value === undefined) return [`${name} was not measured`];
    if (value === null) return [`${name}: not reached within the waiting time`];
    if (max !== undefined && value > max) return [`${name} is ${value}, over ${max}`];
    if (min !== undefined && value < min) return [`${name} is ${value}, under ${min}`];
    return [];
  });
}

/** The longest of some times; null when one of them was not reached. */
export const slowest = (times: readonly (number | null)[]): number | null =>
  times.reduce((most, ms) => (most === null || ms === null ? null : Math.max(most, ms)), 0);
