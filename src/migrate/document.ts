import type { SourceObject } from "./source.js";

/** One object of the result. */
export interface ResultDocument {
  readonly object: Readonly<Record<string, unknown>>;
  /** What it comes of, a line each. */
  readonly comments: readonly string[];
  /** Of the members of the list `spec.LIST`, which is the last field: what each comes of. */
  readonly members?: {
    readonly list: "routes" | "rules" | "listeners";
    readonly comments: readonly string[];
  };
  /** The place in the input that decides where it stands in the result. */
  readonly source: SourceObject;
  /** An object of the input that the result keeps. */
  readonly isKept?: true;
}
