/** The description of a finding code, as Markdown. `docs/findings.md` and the rules in SARIF output contain it. */
export interface CodeText<S extends CodeSeverity = CodeSeverity> {
  readonly severity: S;
  /** The problem and its consequence. */
  readonly meaning: string;
  /** The correction. */
  readonly fix: string;
  /** Part of a manifest, or an event, that causes the finding. */
  readonly example: string;
}

/** `either`: an error or a warning; `meaning` states when. */
export type CodeSeverity = "error" | "warning" | "either";

const text =
  <S extends CodeSeverity>(severity: S) =>
  (meaning: string, fix: string, example: string): CodeText<S> => ({ severity, meaning, fix, example });

export const error = text("error");
export const warning = text("warning");
export const either = text("either");
