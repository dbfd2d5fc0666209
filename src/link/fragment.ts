import type { Store } from "../store/store.js";

/** What link reads of a store. */
export type Resources = Pick<Store, "resources" | "claimants">;

/** The JSON of an object without its end, to go on with `,` and more members. */
export const unclosed = (json: string): string => json.slice(0, -1);
