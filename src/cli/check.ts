import { writeFileSync } from "node:fs";
import { link } from "../link/snapshot.js";
import { lintFindings } from "../lint/findings.js";
import { findingsAt } from "../schema/meta.js";
import { printable } from "../schema/printable.js";
import { settingsRef } from "../schema/settings.js";
import { plural } from "../schema/words.js";
import { isShown, type Located, locateAll } from "../sources/files/objects.js";
import { readSettings } from "../sources/files/settings-file.js";
import { type AssumptionOptions, formatAssumed } from "./assumptions.js";
import { placed } from "./base-dir.js";
import type { CheckFormat } from "./check-formats.js";
import { colourFindings, colourSummary, isColoured } from "./colour.js";
import { compileManifests } from "./compiled.js";
import { findingWriters } from "./findings.js";
import { stepSummary, writeStepSummary } from "./github.js";
import { type InputOptions, readInput } from "./kube-manifests.js";
import { oneForEachCause } from "./one-cause.js";
import { formatLeftOut, formatSummary, summarize } from "./summary.js";
import { withSuppressions } from "./suppressions.js";

export interface CheckCommandOptions extends InputOptions, AssumptionOptions {
  readonly settings?: string;
  readonly strict?: boolean;
  /** Printed paths are relative to this folder. */
  readonly baseDir?: string;
  /** Files of suppressions. */
  readonly suppress?: readonly string[];
  /** The URL of `docs/`, for links in SARIF. */
  readonly docsUrl?: string;
  /** Also writes the findings as SARIF to this file. */
  readonly sarifFile?: string;
  readonly format: CheckFormat;
}

/**
 * `isoline check`: prints the findings about manifests or a cluster's objects, and on standard error a summary of all
 * objects. Returns the exit code.
 */
export async function checkCommand(options: CheckCommandOptions): Promise<number> {
  const named = readSettings(options.settings);
  const input = await readInput({ ...options, asRepository: true }, named.settings);
  const compiled = compileManifests(input, options);
  const { manifests, settings, store, assumed, used } = compiled;
  const { findings, locate } = used.file ?? named;
  const now = Date.now();
  const found: Located[] = [
    ...findings.map(locate),
    ...used.located,
    ...manifests.located,
    ...locateAll(
      [
        ...findingsAt(now, store.findings()),
        ...lintFindings(store, settings.spec),
        ...link(store, settings.spec).findings,
      ],
      manifests.documents,
    ).map((one) => (one.finding.about === settingsRef ? locate(one.finding) : one)),
  ];
  const all = found.map(({ finding }) => finding);
  const located = withSuppressions(oneForEachCause(found), manifests, options.suppress ?? [], now);
  const summary = formatSummary(
    summarize(manifests, store, settings.spec, { findings: all, settingsFrom: used.ref }),
  );
  const counted = countsOf(located);
  const lines = [...used.lines, ...formatLeftOut(manifests), ...formatAssumed(assumed)];
  const last = printable(`${summary}; ${counted.text}`);
  writeFindings(located, options, [...lines, last]);
  for (const line of lines) console.error(printable(line));
  console.error(isColoured(process.stderr) ? colourSummary(last, counted.errors, counted.warnings) : last);
  if (manifests.broken.size > 0 && manifests.objects.length === 0) return 3;
  return counted.errors > 0 || (options.strict && counted.warnings > 0) ? 1 : 0;
}

/** `1 error, 2 warnings, 3 suppressed`. */
function countsOf(located: readonly Located[]): { errors: number; warnings: number; text: string } {
  const shown = located.filter(isShown);
  const errors = shown.filter(({ finding }) => finding.severity === "error").length;
  const warnings = shown.length - errors;
  const hidden = located.length - shown.length;
  const text = [
    plural(errors, "error"),
    plural(warnings, "warning"),
    ...(hidden > 0 ? [`${hidden} suppressed`] : []),
  ];
  return { errors, warnings, text: text.join(", ") };
}

function writeFindings(
  located: readonly Located[],
  options: CheckCommandOptions,
  lines: readonly string[],
): void {
  const { format, sarifFile } = options;
  const written = findingWriters[format](placed(located, options), options);
  const isPlain = format !== "text" || !isColoured(process.stdout);
  process.stdout.write(isPlain ? written : colourFindings(written));
  if (format === "github") writeStepSummary(() => stepSummary(placed(located, options), lines));
  if (sarifFile === undefined) return;
  writeFileSync(sarifFile, findingWriters.sarif(placed(located, { ...options, format: "sarif" }), options));
}
