import { type FindingCode, isFindingCode } from "../schema/finding-codes.js";
import type { Finding, ObjectMeta, Ref } from "../schema/meta.js";
import { codeProblem, dayProblem } from "../schema/suppressions.js";
import { quote } from "../schema/words.js";

/** Hides findings with one code that are known and intended. */
export interface Suppression {
  readonly code: FindingCode;
  readonly reason: string;
  /** The last day on which it applies, in UTC: `2027-01-31`. */
  readonly until?: string;
  /** `inSource` for an annotation, `external` for a file; the names come from SARIF. */
  readonly kind: "inSource" | "external";
  matches(target: SuppressionTarget): boolean;
}

/** A finding and its file; the file is empty for findings without one. */
export interface SuppressionTarget {
  readonly finding: Finding;
  readonly file: string;
}

/** The problem of a suppression; the caller adds its location. */
export interface SuppressionProblem {
  readonly suppression: Suppression;
  readonly reason: "SuppressionExpired" | "SuppressionNotAllowed" | "SuppressionUnused";
  readonly message: string;
}

export interface Suppressed<T> {
  /** The suppression of each hidden target. */
  readonly hiddenBy: ReadonlyMap<T, Suppression>;
  readonly problems: readonly SuppressionProblem[];
}

/** Hides warnings. Errors are never hidden, because their objects are not served. `now` is in ms since the epoch. */
export function suppress<T extends SuppressionTarget>(
  targets: readonly T[],
  suppressions: readonly Suppression[],
  now: number,
): Suppressed<T> {
  const hiddenBy = new Map<T, Suppression>();
  const problems: SuppressionProblem[] = [];
  const byCode = new Map<FindingCode, T[]>();
  for (const target of targets) {
    const alike = byCode.get(target.finding.reason);
    if (alike) alike.push(target);
    else byCode.set(target.finding.reason, [target]);
  }
  for (const suppression of suppressions) {
    const problem = apply(suppression, byCode.get(suppression.code) ?? [], now, hiddenBy);
    if (problem) problems.push({ suppression, ...problem });
  }
  return { hiddenBy, problems };
}

function apply<T extends SuppressionTarget>(
  suppression: Suppression,
  alike: readonly T[],
  now: number,
  hiddenBy: Map<T, Suppression>,
): Omit<SuppressionProblem, "suppression"> | undefined {
  const { code, until } = suppression;
  if (until !== undefined && now >= endOf(until)) {
    const message = `the suppression of ${code} ended on ${until}; correct the cause, or set a later day`;
    return { reason: "SuppressionExpired", message };
  }
  const matched = alike.filter((target) => suppression.matches(target));
  const warnings = matched.filter(({ finding }) => finding.severity === "warning");
  for (const target of warnings) if (!hiddenBy.has(target)) hiddenBy.set(target, suppression);
  if (warnings.length > 0) return undefined;
  if (matched.length > 0) {
    const message = `${code} is an error in this place and can't be suppressed: the object is not served`;
    return { reason: "SuppressionNotAllowed", message };
  }
  return {
    reason: "SuppressionUnused",
    message: `there is no finding ${code} to suppress; remove the suppression`,
  };
}

const dayMs = 24 * 60 * 60 * 1000;
const endOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) + dayMs;

export const suppressAnnotation = "isoline.dev/suppress";

/** The suppressions in the annotation of an object, and the errors of lines that can't be read. */
export interface AnnotationSuppressions {
  readonly suppressions: readonly Suppression[];
  readonly faults: readonly string[];
}

const line = /^(?<code>\w+)(?: +until +(?<until>[^\s:]+))? *: *(?<reason>\S.*)$/;

/**
 * Parses the annotation of an object, with one suppression per line: `CODE: reason` or `CODE until 2027-01-31: reason`.
 * They apply only to findings about this object.
 */
export function annotationSuppressions(about: Ref, meta: ObjectMeta): AnnotationSuppressions {
  const suppressions: Suppression[] = [];
  const faults: string[] = [];
  const lines = (meta.annotations[suppressAnnotation] ?? "").split("\n").map((text) => text.trim());
  for (const text of lines.filter((one) => one !== "")) {
    const { code = "", until, reason = "" } = line.exec(text)?.groups ?? {};
    const fault = faultOf(code, until);
    if (reason === "") faults.push(`${quote(text)} is not "CODE: reason"`);
    else if (fault !== undefined || !isFindingCode(code)) faults.push(fault ?? text);
    else {
      const matches = ({ finding }: SuppressionTarget): boolean => finding.about === about;
      const bound = until === undefined ? {} : { until };
      suppressions.push({ code, reason, kind: "inSource", ...bound, matches });
    }
  }
  return { suppressions, faults };
}

function faultOf(code: string, until: string | undefined): string | undefined {
  const ofCode = codeProblem(code);
  if (ofCode !== undefined) return `${quote(code)} ${ofCode}`;
  const ofDay = until === undefined ? undefined : dayProblem(until);
  return until === undefined || ofDay === undefined ? undefined : `${quote(until)} ${ofDay}`;
}
