export type PathKind = "exact" | "regex" | "prefix" | "segment" | "bare";

/**
 * `prefix` is a string prefix; `segment` is a prefix of whole path segments (and never ends in `/`). `bare` matches
 * one path as `exact` does: a rewritten prefix without its final slash. Envoy tries it after the routes that have this
 * path as a prefix.
 */
export interface PathMatch {
  readonly kind: PathKind;
  readonly value: string;
}

export interface HeaderMatch {
  readonly name: string;
  readonly kind: "exact" | "regex" | "contains" | "present";
  readonly value: string;
  readonly invert: boolean;
  readonly ignoreCase: boolean;
  readonly treatMissingAsEmpty: boolean;
}

export interface QueryMatch {
  readonly name: string;
  readonly kind: "exact" | "regex" | "prefix" | "suffix" | "contains" | "present";
  readonly value: string;
  readonly ignoreCase: boolean;
}

/** Headers and queries are sorted (matches/order.ts). */
export interface Match {
  readonly path: PathMatch;
  readonly headers: readonly HeaderMatch[];
  readonly queries: readonly QueryMatch[];
}
