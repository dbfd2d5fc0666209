import { appendFileSync } from "node:fs";
import { findingSubject } from "../schema/finding-subject.js";
import { plural } from "../schema/words.js";
import { formatLocated, isShown, type Located } from "../sources/files/objects.js";
import { logLine } from "./log-line.js";
import { code } from "./markdown.js";

/** GitHub shows this many annotations of a level for each step, and drops the others. */
const maxAnnotations = 10;
/** Limit of rows in a step summary, whose maximum size is 1 MiB. */
const maxRows = 500;

/** In GitHub's workflow commands `%`, line ends and (in properties) `:` and `,` are special. */
const escapeData = (text: string): string =>
  text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const escapeProperty = (text: string): string =>
  escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");

/**
 * Workflow commands of GitHub Actions, errors first. The runner shows ten annotations of a level; further findings are
 * plain lines of the log, and one notice has their number and place.
 */
export function githubText(all: readonly Located[]): string {
  const { errors, warnings } = bySeverity(all);
  const annotated = [...errors.slice(0, maxAnnotations), ...warnings.slice(0, maxAnnotations)];
  const moreErrors = errors.slice(maxAnnotations);
  const moreWarnings = warnings.slice(maxAnnotations);
  const others = [...moreErrors, ...moreWarnings];
  const lines = [...annotated.map(annotation), ...others.map(formatLocated).map(logLine)];
  if (others.length > 0) {
    const counts = [
      ...(moreErrors.length > 0 ? [plural(moreErrors.length, "more error")] : []),
      ...(moreWarnings.length > 0 ? [plural(moreWarnings.length, "more warning")] : []),
    ].join(" and ");
    const message = `${counts} without an annotation: GitHub shows ${maxAnnotations} of a level for each step. All are in the log of this step and in the summary of the job.`;
    lines.push(`::notice title=isoline::${escapeData(message)}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function annotation({ finding, file, line, column }: Located): string {
  const title = escapeProperty(`${findingSubject(finding.about)} ${finding.reason}`.trim());
  const at = [`line=${Math.max(1, line)}`, ...(column === undefined ? [] : [`col=${column}`])].join(",");
  const place = file ? `file=${escapeProperty(file)},${at},` : "";
  return `::${finding.severity} ${place}title=${title}::${escapeData(finding.message)}`;
}

/** Errors and warnings that are not hidden, each in their order. */
function bySeverity(all: readonly Located[]): { readonly errors: Located[]; readonly warnings: Located[] } {
  const shown = all.filter(isShown);
  return {
    errors: shown.filter(({ finding }) => finding.severity === "error"),
    warnings: shown.filter(({ finding }) => finding.severity === "warning"),
  };
}

/** Findings as Markdown for the summary of a job, errors first, and the lines that account for the objects. */
export function stepSummary(all: readonly Located[], summary: readonly string[]): string {
  const { errors, warnings } = bySeverity(all);
  const rows = [...errors, ...warnings];
  const more = rows.length - maxRows;
  return [
    "### isoline check",
    "",
    ...summary.map((line) => `- ${code(line)}`),
    "",
    ...(rows.length > 0 ? ["| | object | place | finding |", "|---|---|---|---|"] : []),
    ...rows.slice(0, maxRows).map(row),
    ...(more > 0 ? ["", `${plural(more, "more finding")}; see the log of the step.`] : []),
    "",
  ].join("\n");
}

/** GitHub does not show a summary that is too long. */
const cut = (text: string): string => (text.length > 300 ? `${text.slice(0, 299)}…` : text);

function row({ finding, file, line }: Located): string {
  const { severity, about, path = "", reason, message } = finding;
  const place = file ? `${file}${line > 0 ? `:${line}` : ""}` : "";
  const object = [findingSubject(about), path].filter((part) => part !== "").join(" ");
  const cells = [
    severity,
    object && code(cut(object)),
    place && code(cut(place)),
    `${code(cut(message))} ${reason}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Appends to the summary of the job that runs this step, if there is one. */
export function writeStepSummary(text: () => string): void {
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (file) appendFileSync(file, text());
}
