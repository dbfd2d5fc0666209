import type { Resource, Store } from "../store/store.js";

/** What link reads of a store. */
export type Resources = Pick<Store, "resources" | "claimants">;

/** Whether two fragments of one name say the same; a store may give another object for each reading. */
export const isSameFragment = (a: Resource | undefined, b: Resource | undefined): boolean =>
  a === b ||
  (a !== undefined &&
    b !== undefined &&
    a.name === b.name &&
    a.json === b.json &&
    a.endpoints === b.endpoints &&
    a.mode === b.mode);

export const areSameFragments = (a: readonly Resource[], b: readonly Resource[]): boolean =>
  a.length === b.length && a.every((fragment, i) => isSameFragment(fragment, b[i]));

/** The JSON of an object without its end, to go on with `,` and more members. */
export const unclosed = (json: string): string => json.slice(0, -1);
