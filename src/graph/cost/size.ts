/** The size of configuration, for the server and every Envoy. */
export interface Size {
  /** Routes, and includes or delegations that lead to them. */
  readonly routes: number;
  /** Approximate bytes of JSON. */
  readonly bytes: number;
  /** Instructions of regular expression programs. */
  readonly programSize: number;
  /** Servers of key sets (`remoteJWKS`), counted once per namespace. */
  readonly keySets: number;
}

/** Why an object is not served: its size on top of the older objects of its namespace exceeds a budget. */
export interface Overrun {
  readonly dimension: keyof Size;
  /** What the object generates beyond its own content. */
  readonly cost: number;
  readonly budget: number;
}

export const dimensions = [
  "routes",
  "bytes",
  "programSize",
  "keySets",
] as const satisfies readonly (keyof Size)[];

/** More than any budget, and small enough that sums stay exact. */
const huge = 1e10;

export const nothing: Size = { routes: 0, bytes: 0, programSize: 0, keySets: 0 };
export const tooMuch: Size = { routes: huge, bytes: huge, programSize: huge, keySets: huge };

/** `a` plus `times` times `b`; each part is limited to `huge`. */
export const plus = (a: Size, b: Size, times = 1): Size => ({
  routes: Math.min(huge, a.routes + times * b.routes),
  bytes: Math.min(huge, a.bytes + times * b.bytes),
  programSize: Math.min(huge, a.programSize + times * b.programSize),
  keySets: Math.min(huge, a.keySets + times * b.keySets),
});

/** The exact sum of `a` and `times` times `b`, so that it can be subtracted again. */
export const exactPlus = (a: Size, b: Size, times: 1 | -1): Size => ({
  routes: a.routes + times * b.routes,
  bytes: a.bytes + times * b.bytes,
  programSize: a.programSize + times * b.programSize,
  keySets: a.keySets + times * b.keySets,
});
