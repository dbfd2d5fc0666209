import type { Store } from "../store/store.js";

/** The part of a store that link reads. */
export type Resources = Pick<Store, "resources" | "claimants">;

/** The JSON of an object without its closing brace, so that members can be appended. */
export const unclosed = (json: string): string => json.slice(0, -1);
