import { writeFileSync } from "node:fs";
import type { MigrateOptions } from "../migrate/conversion.js";
import { type Migration, migrate } from "../migrate/migrate.js";
import { reportJson, reportMarkdown, reportText } from "../migrate/report-text.js";
import { writeDocuments } from "../migrate/text.js";
import { isLabel, isSubdomain } from "../schema/names.js";
import { printable } from "../schema/printable.js";
import { messageOf } from "../schema/words.js";
import type { InputOptions } from "./kube-manifests.js";
import { type MigrationInput, readMigrationInput } from "./migrate-input.js";
import { verify } from "./migrate-verify.js";
import { progress } from "./progress.js";
import { UsageError } from "./usage.js";

export interface MigrateCommandOptions extends InputOptions {
  readonly to: "httpproxy" | "gateway";
  readonly from?: string;
  readonly class: readonly string[];
  readonly ingressClass?: string;
  /** `NAMESPACE/NAME`. */
  readonly configMap?: string;
  /** `NAMESPACE/NAME`. */
  readonly gateway: string;
  readonly output?: string;
  readonly format: "text" | "markdown" | "json";
  readonly report?: string;
  readonly verify?: boolean;
  readonly strict?: boolean;
}

const reports = { text: reportText, markdown: reportMarkdown, json: reportJson } as const;

/**
 * `isoline migrate`: writes what objects of other controllers become, and a report of what differs. Returns the exit code: 1 when something was lost that
 * must not be, could not be read or, with `--verify`, is served otherwise; 3 when nothing could be read.
 *
 * @throws UsageError
 */
export async function migrateCommand(options: MigrateCommandOptions): Promise<number> {
  const wanted = migrateOptions(options);
  const input = await readMigrationInput(options, wanted.configMap);
  for (const line of input.problems) console.error(printable(line));
  if (input.manifests.length === 0 && input.problems.length > 0) return 3;
  const migration = migrate(input.manifests, wanted, (done, all) =>
    progress.show(() => `converting: ${done} of ${all} objects`),
  );
  progress.end();
  const text = writeDocuments(migration.documents);
  if (options.output === undefined) process.stdout.write(text);
  else write("--output", options.output, text);
  const report = reports[options.format](migration.report);
  if (options.report === undefined) process.stderr.write(report);
  else write("--report", options.report, report);
  const differs = options.verify ? verified(migration, input, wanted) : false;
  const { error, warning } = migration.report.counts;
  const isBad = error > 0 || input.problems.length > 0 || (options.strict === true && warning > 0);
  return isBad || differs ? 1 : 0;
}

function verified(migration: Migration, { manifests }: MigrationInput, options: MigrateOptions): boolean {
  const { text, differs } = verify(migration, manifests, options);
  process.stderr.write(text);
  return differs;
}

/** @throws UsageError when an option is not valid. */
function migrateOptions({
  to,
  from,
  class: classes,
  ingressClass,
  gateway,
  configMap,
}: MigrateCommandOptions): MigrateOptions {
  if (classes.length > 0 && from === undefined)
    throw new UsageError("--class: is a class of the controller of --from; give that, too");
  return {
    to,
    gateway: nameOf("--gateway", gateway),
    classes,
    ...(configMap === undefined ? {} : { configMap: nameOf("--config-map", configMap) }),
    ...(from === undefined ? {} : { from }),
    ...(ingressClass === undefined ? {} : { ingressClass }),
  };
}

/** @throws UsageError when the text is not `NAMESPACE/NAME`. */
function nameOf(option: string, text: string): { readonly namespace: string; readonly name: string } {
  const [namespace = "", name = "", ...rest] = text.split("/");
  if (!isLabel(namespace) || !isSubdomain(name) || rest.length > 0)
    throw new UsageError(`${option} ${text}: expected NAMESPACE/NAME`);
  return { namespace, name };
}

function write(option: string, file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UsageError(`${option}: ${messageOf(error)}`);
  }
}
