/** What configuration costs the server and every Envoy. */
export interface Size {
  /** Routes, and includes or delegations that lead to them. */
  readonly routes: number;
  /** About the bytes of their JSON. */
  readonly bytes: number;
  /** Instructions of the programs of their regular expressions. */
  readonly programSize: number;
  /** Servers of key sets (`remoteJWKS`), each once for a namespace. */
  readonly keySets: number;
}

/** Why an object is not served: what it costs beside the older objects of its namespace. */
export interface Overrun {
  readonly dimension: keyof Size;
  /** What the object makes beyond what is written in it. */
  readonly cost: number;
  readonly budget: number;
}

export const dimensions = [
  "routes",
  "bytes",
  "programSize",
  "keySets",
] as const satisfies readonly (keyof Size)[];

/** More than any budget: sums of it are still exact. */
const huge = 1e10;

export const nothing: Size = { routes: 0, bytes: 0, programSize: 0, keySets: 0 };
export const tooMuch: Size = { routes: huge, bytes: huge, programSize: huge, keySets: huge };

/** `a` and `times` times `b`, of which no part grows beyond all budgets. */
export const plus = (a: Size, b: Size, times = 1): Size => ({
  routes: Math.min(huge, a.routes + times * b.routes),
  bytes: Math.min(huge, a.bytes + times * b.bytes),
  programSize: Math.min(huge, a.programSize + times * b.programSize),
  keySets: Math.min(huge, a.keySets + times * b.keySets),
});

/** The exact sum of `a` and `times` times `b`, so that it can be taken back. */
export const exactPlus = (a: Size, b: Size, times: 1 | -1): Size => ({
  routes: a.routes + times * b.routes,
  bytes: a.bytes + times * b.bytes,
  programSize: a.programSize + times * b.programSize,
  keySets: a.keySets + times * b.keySets,
});
