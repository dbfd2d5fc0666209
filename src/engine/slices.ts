import type { Store } from "../store/store.js";
import { type Change, type Platform, resume, unitsLeft, update } from "../update.js";

/** Yields to other work, such as requests. */
export const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** The number of objects that are put into a store without a pause. */
const sliceObjects = 500;

/** The platform for one slice of work. */
export const inSlices = (platform: Platform): Platform => {
  const { checkKeyPair, maxUnits, sliceUnits = maxUnits } = platform;
  return { checkKeyPair, ...(sliceUnits === undefined ? {} : { maxUnits: sliceUnits }) };
};

/** Puts changes into a store in slices, and leaves all affected units to be compiled later. */
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

/** Whether changes are few enough to be applied without a pause; always true for a platform without limits. */
export const isOneSlice = (changes: readonly Change[], { maxUnits }: Platform): boolean =>
  maxUnits === undefined || changes.length <= sliceObjects;

/**
 * Compiles units that are left in slices, as many as the platform allows for one request. `done` units of that request
 * were compiled before. Returns the new total.
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
