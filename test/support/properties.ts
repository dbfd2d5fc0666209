import {
  configureGlobal,
  assert as fullAssert,
  type IAsyncProperty,
  type IProperty,
  type Parameters,
} from "fast-check";

export * from "fast-check";

/**
 * Fixed for `npm test`, so that only a change of the code makes a test fail. `npm run test:long` uses another seed
 * each time.
 */
export const seed = Number(process.env.SEED ?? 1);
/** The share of the runs that a test specifies: a tenth in `npm test`, all in `npm run test:long`. */
const share = Number(process.env.RUNS ?? 0.1);
/** Whether all runs are made. */
export const full = share >= 1;
const fewest = 10;

/** The number of runs in this process: the share of `all` in the environment variable `RUNS`, at least ten. */
export const runs = (all: number): number => Math.max(Math.min(all, fewest), Math.ceil(all * share));

configureGlobal({ seed });

/** fast-check's `assert` with the share of the runs; the default of a property is 100. */
export function assert<T>(property: IAsyncProperty<T>, parameters?: Parameters<T>): Promise<void>;
export function assert<T>(property: IProperty<T>, parameters?: Parameters<T>): void;
export function assert<T>(
  property: IAsyncProperty<T> | IProperty<T>,
  { numRuns = 100, ...parameters }: Parameters<T> = {},
): unknown {
  const scaled = { ...parameters, numRuns: runs(numRuns) };
  return fullAssert(property as IProperty<T>, scaled);
}
