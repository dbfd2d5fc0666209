import { link } from "../link/snapshot.js";
import { lintFindings } from "../lint/findings.js";
import { findingsAt } from "../schema/meta.js";
import { plural } from "../schema/words.js";
import { orphanFindings } from "../status/contour.js";
import { type AssumptionOptions, formatAssumed } from "./assumptions.js";
import { placed } from "./base-dir.js";
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
  const { settings: asked, findings, locate } = readSettings(options.settings);
  const compiled = compileManifests(await readInput({ ...options, asRepository: true }, asked), options);
  const { manifests, settings, store, assumed } = compiled;
  const located: Located[] = [
    ...findings.map(locate),
    ...manifests.located,
    ...locateAll(
      [
        ...findingsAt(Date.now(), compiledFindings(compiled)),
        ...orphanFindings(store, settings.spec),
        ...lintFindings(store, settings.spec),
        ...link(store, settings.spec).findings,
      ],
      manifests.documents,
    ),
  ];
  process.stdout.write(findingWriters[options.format](placed(located, options)));
  const errors = located.filter(({ finding }) => finding.severity === "error").length;
  const all = located.map(({ finding }) => finding);
  const counts = `${plural(errors, "error")}, ${plural(located.length - errors, "warning")}`;
  const summary = formatSummary(summarize(manifests, store, settings.spec, all));
  for (const line of [...formatLeftOut(manifests), ...formatAssumed(assumed), `${summary}; ${counts}`])
    console.error(line);
  if (manifests.broken.size > 0 && manifests.objects.length === 0) return 3;
  return errors > 0 || (options.strict && located.length > 0) ? 1 : 0;
}
