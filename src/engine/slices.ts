import type { Store } from "../store/store.js";
import { type Change, type Platform, resume, unitsLeft, update } from "../update.js";

/** Lets others work: requests that have come meanwhile. */
export const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** Objects that are put into a store without a pause. */
const sliceObjects = 500;

/** The platform for one slice of work. */
export const inSlices = (platform: Platform): Platform => {
  const { checkKeyPair, maxUnits, sliceUnits = maxUnits } = platform;
  return { checkKeyPair, ...(sliceUnits === undefined ? {} : { maxUnits: sliceUnits }) };
};

/** Puts changes into a store, some at a time, and leaves all units that they touch. */
export async function updateInSlices(
  store: Store,
  changes: readonly Change[],
  { checkKeyPair }: Platform,
): Promise<void> {
  for (let start = 0; start < changes.length; start += sliceObjects) {
    update(store, changes.slice(start, start + sliceObjects), { checkKeyPair, maxUnits: 0 });
    await pause();
  }
}

/** Whether changes are few enough to be applied without a pause; where a platform has no bound, all are. */
export const isOneSlice = (changes: readonly Change[], { maxUnits }: Platform): boolean =>
  maxUnits === undefined || changes.length <= sliceObjects;

/**
 * Compiles what is left, as much as the platform takes for one request, some at a time; `done` units were compiled for it already.
 * Returns how many are by now.
 */
export async function compileLeft(store: Store, platform: Platform, done = 0): Promise<number> {
  const { maxUnits = Number.POSITIVE_INFINITY } = platform;
  let units = done;
  while (units < maxUnits && unitsLeft(store) > 0) {
    units += resume(store, inSlices(platform)).units;
    await pause();
  }
  return units;
}
