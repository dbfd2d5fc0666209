import type { SourceObject } from "./source.js";

/** One object of the result. */
export interface ResultDocument {
  readonly object: Readonly<Record<string, unknown>>;
  /** Its sources in the input, one line each. */
  readonly comments: readonly string[];
  /** The sources of the members of the list `spec.LIST`, which is the last field. */
  readonly members?: {
    readonly list: "routes" | "rules" | "listeners";
    readonly comments: readonly string[];
  };
  /** The object of the input that determines the position in the result. */
  readonly source: SourceObject;
  /** An object of the input that is kept unchanged. */
  readonly isKept?: true;
}
