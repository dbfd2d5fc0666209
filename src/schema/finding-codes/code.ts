/** What one finding code says, as Markdown. `docs/findings.md` and the rules of SARIF are made of it. */
export interface CodeText<S extends CodeSeverity = CodeSeverity> {
  readonly severity: S;
  /** What the finding says, and what comes of it. */
  readonly meaning: string;
  /** What to do about it. */
  readonly fix: string;
  /** What is written in a manifest, or what happens, that gives the finding. */
  readonly example: string;
}

/** `either`: an error or a warning, by what is at stake; the meaning says when. */
export type CodeSeverity = "error" | "warning" | "either";

const text =
  <S extends CodeSeverity>(severity: S) =>
  (meaning: string, fix: string, example: string): CodeText<S> => ({ severity, meaning, fix, example });

export const error = text("error");
export const warning = text("warning");
export const either = text("either");
