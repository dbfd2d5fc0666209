/** A test by its file and its title as written there. */
export interface Proof {
  readonly file: string;
  readonly title: string;
}

/** One thing that Contour has: what shows that it is here too, or why it is not. */
export interface Row {
  /** A field's path, a setting, a flag or a reason. */
  readonly field: string;
  readonly name: string;
  /** Golden cases, `feature/case`. */
  readonly golden: readonly string[];
  /** What each of these holds, in its objects, settings or expected resources. */
  readonly words: readonly string[];
  readonly proofs: readonly Proof[];
  /** Why there is no such thing here. */
  readonly leftOut?: string;
}

const one = (cases: string | readonly string[]): readonly string[] =>
  typeof cases === "string" ? [cases] : cases;

/** A golden case (or several) shows it: there are these words. */
export const shown = (
  field: string,
  name: string,
  golden: string | readonly string[],
  ...words: readonly string[]
): Row => ({ field, name, golden: one(golden), words, proofs: [] });

/** Tests show it. */
export const tested = (field: string, name: string, ...proofs: readonly Proof[]): Row => ({
  field,
  name,
  golden: [],
  words: [],
  proofs,
});

/** A row that tests show beside its golden case. */
export const proved = (row: Row, ...proofs: readonly Proof[]): Row => ({ ...row, proofs });

export const leftOut = (field: string, name: string, why: string): Row => ({
  field,
  name,
  golden: [],
  words: [],
  proofs: [],
  leftOut: why,
});
