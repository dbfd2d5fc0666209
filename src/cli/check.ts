import { link } from "../link/snapshot.js";
import { lintFindings } from "../lint/findings.js";
import { findingsAt } from "../schema/meta.js";
import { printable } from "../schema/printable.js";
import { settingsRef } from "../schema/settings.js";
import { plural } from "../schema/words.js";
import { type AssumptionOptions, formatAssumed } from "./assumptions.js";
import { placed } from "./base-dir.js";
import { colourFindings, colourSummary, isColoured } from "./colour.js";
import { compiledFindings, compileManifests } from "./compiled.js";
import { type CheckFormat, findingWriters } from "./findings.js";
import { type InputOptions, readInput } from "./kube-manifests.js";
import { type Located, locateAll } from "./objects.js";
import { readSettings } from "./settings-file.js";
import { formatLeftOut, formatSummary, summarize } from "./summary.js";

export interface CheckCommandOptions extends InputOptions, AssumptionOptions {
  readonly settings?: string;
  readonly strict?: boolean;
  /** Paths in what is printed are from this folder. */
  readonly baseDir?: string;
  readonly format: CheckFormat;
}

/**
 * `isoline check`: prints what is wrong with manifests or a cluster's objects, and on standard error what becomes of them all. Returns
 * the exit code.
 */
export async function checkCommand(options: CheckCommandOptions): Promise<number> {
  const named = readSettings(options.settings);
  const input = await readInput({ ...options, asRepository: true }, named.settings);
  const compiled = compileManifests(input, options);
  const { manifests, settings, store, assumed, used } = compiled;
  const { findings, locate } = used.file ?? named;
  const located: Located[] = [
    ...findings.map(locate),
    ...used.located,
    ...manifests.located,
    ...locateAll(
      [
        ...findingsAt(Date.now(), compiledFindings(compiled)),
        ...lintFindings(store, settings.spec),
        ...link(store, settings.spec).findings,
      ],
      manifests.documents,
    ).map((one) => (one.finding.about === settingsRef ? locate(one.finding) : one)),
  ];
  const written = findingWriters[options.format](placed(located, options));
  const isPlain = options.format !== "text" || !isColoured(process.stdout);
  process.stdout.write(isPlain ? written : colourFindings(written));
  const errors = located.filter(({ finding }) => finding.severity === "error").length;
  const all = located.map(({ finding }) => finding);
  const counts = `${plural(errors, "error")}, ${plural(located.length - errors, "warning")}`;
  const summary = formatSummary(
    summarize(manifests, store, settings.spec, { findings: all, settingsFrom: used.ref }),
  );
  for (const line of [...used.lines, ...formatLeftOut(manifests), ...formatAssumed(assumed)])
    console.error(printable(line));
  const last = printable(`${summary}; ${counts}`);
  console.error(isColoured(process.stderr) ? colourSummary(last, errors, located.length - errors) : last);
  if (manifests.broken.size > 0 && manifests.objects.length === 0) return 3;
  return errors > 0 || (options.strict && located.length > 0) ? 1 : 0;
}
