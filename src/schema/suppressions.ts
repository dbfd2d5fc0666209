import { z } from "zod";
import { type FindingCode, findingCodes, isFindingCode } from "./finding-codes.js";
import { schemaFindings } from "./issues.js";
import type { Finding } from "./meta.js";
import { nearestName } from "./spelling.js";

/** The problem of a text that is not a finding code; undefined when it is one. */
export function codeProblem(text: string): string | undefined {
  if (isFindingCode(text)) return undefined;
  const near = nearestName(text, Object.keys(findingCodes));
  return `is not a finding code${near ? ` (did you mean ${near}?)` : ""}`;
}

/** The problem of a text that is not a day; undefined when it is one. */
export const dayProblem = (text: string): string | undefined =>
  /^\d{4}-\d\d-\d\d$/.test(text) && isDay(text) ? undefined : "is not a day such as 2027-01-31";

const isDay = (text: string): boolean => {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
};

const checked = (problem: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const message = problem(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const entry = z
  .strictObject({
    code: checked(codeProblem).transform((text) => text as FindingCode),
    /** `KIND/NAMESPACE/NAME`, where `*` matches any text without `/`. */
    object: z
      .string()
      .regex(/^[A-Za-z*]+\/[a-z0-9.*-]+\/[a-z0-9.*-]+$/, "must be KIND/NAMESPACE/NAME, where * is any text")
      .optional(),
    /** A pattern as in .gitignore, relative to the folder of the suppression file. */
    file: z.string().min(1).optional(),
    reason: z.string().trim().min(1),
    until: checked(dayProblem).optional(),
  })
  .superRefine(({ object, file }, context) => {
    if (object === undefined && file === undefined)
      context.addIssue({ code: "custom", message: "names neither an object nor a file" });
  });

const suppressionFile = z.strictObject({ suppressions: z.array(entry) });

/** An entry of a file of suppressions. */
export type SuppressionEntry = z.output<typeof entry>;

/**
 * Reads the value of a suppression file: `suppressions` with `code`, `object` or `file`, `reason`, and an optional
 * `until`.
 */
export function parseSuppressions(value: unknown): {
  readonly entries: readonly SuppressionEntry[];
  readonly findings: readonly Finding[];
} {
  const parsed = suppressionFile.safeParse(value);
  return parsed.success
    ? { entries: parsed.data.suppressions, findings: [] }
    : { entries: [], findings: schemaFindings("File//", parsed.error.issues, value, [], false) };
}
