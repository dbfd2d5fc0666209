import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { printable } from "../schema/printable.js";
import { plural } from "../schema/words.js";
import { isSimpleName } from "../server/tokens.js";
import { type Located, locateAll, type Manifests } from "../sources/files/objects.js";
import { readSettingsValue } from "../sources/files/settings-file.js";
import { placed } from "./base-dir.js";
import type { CheckFormat } from "./check-formats.js";
import { findingWriters } from "./findings.js";
import { nearestFolder } from "./git-tree.js";
import { type PublishOutcome, type PublishTarget, send } from "./publish-target.js";
import { type RepositoryManifests, readRepository } from "./repository-objects.js";
import { readToken, serverUrl } from "./server-url.js";
import { formatLeftOut } from "./summary.js";
import { needFiles, UsageError } from "./usage.js";

/** The options of `isoline publish`, as commander passes them. */
export interface PublishCommandOptions {
  readonly file: readonly string[];
  readonly to: readonly string[];
  readonly source: string;
  readonly settings?: string;
  readonly defaultSettings?: boolean;
  /** Builds kustomizations. */
  readonly build?: boolean;
  readonly rollback?: string;
  readonly commit?: string;
  readonly revision?: string;
  readonly expect?: string;
  readonly strict?: boolean;
  readonly dryRun?: boolean;
  readonly acceptShrink?: boolean;
  /** One for all servers, or one per server in the same order. */
  readonly tokenFile?: readonly string[];
  readonly caFile?: string;
  readonly insecure?: boolean;
  readonly format: CheckFormat;
}

/**
 * `isoline publish`: sends manifests as the complete content of one source, or publishes an earlier revision of it
 * again. With several servers, a dry run on each comes before the first change. Returns the exit code: 1 when an
 * object is not valid or a push is refused, 3 when files or a server can't be reached.
 *
 * @throws UsageError when an option is not valid.
 */
export async function publishCommand(options: PublishCommandOptions): Promise<number> {
  checkOptions(options);
  const targets = targetsOf(options);
  const content = options.rollback === undefined ? readContent(options) : undefined;
  const manifests = content?.manifests;
  if (manifests && manifests.broken.size > 0) {
    write(options, manifests.located);
    console.error("nothing was published: objects that can't be read would count as removed");
    return 3;
  }
  for (const line of manifests ? formatLeftOut(manifests) : []) console.error(printable(line));
  const body = content && gzipSync(content.text);
  const { dryRun = false } = options;
  if (targets.length > 1 && !dryRun) {
    const failed = (await inTurn(targets, (target) => send(target, body, true))).filter(isFailure);
    if (failed.length > 0) return reportNoneChanged(options, failed, manifests);
  }
  const outcomes: PublishOutcome[] = [];
  for (const target of targets) {
    const outcome = await send(target, body, dryRun);
    outcomes.push(outcome);
    if (isFailure(outcome) && !dryRun) break;
  }
  return report(options, outcomes, targets, manifests);
}

const isFailure = ({ failure }: PublishOutcome): boolean => failure !== undefined;

async function inTurn(
  targets: readonly PublishTarget[],
  ask: (target: PublishTarget) => Promise<PublishOutcome>,
): Promise<PublishOutcome[]> {
  const outcomes: PublishOutcome[] = [];
  for (const target of targets) outcomes.push(await ask(target));
  return outcomes;
}

function reportNoneChanged(
  options: PublishCommandOptions,
  failed: readonly PublishOutcome[],
  manifests: Manifests | undefined,
): number {
  writeFindings(options, failed, manifests);
  for (const { failure } of failed) console.error(failure);
  console.error(`nothing was published to any of the ${options.to.length} servers`);
  return worst(failed);
}

function report(
  options: PublishCommandOptions,
  outcomes: readonly PublishOutcome[],
  targets: readonly PublishTarget[],
  manifests: Manifests | undefined,
): number {
  const findings = writeFindings(options, outcomes, manifests);
  for (const outcome of outcomes) reportOne(options, outcome, findings.get(outcome) ?? []);
  if (outcomes.some(isFailure) && outcomes.length > 1 && !options.dryRun)
    reportPartial(options, outcomes, targets.slice(outcomes.length));
  const failure = worst(outcomes);
  if (failure > 0) return failure;
  const isBad = outcomes.some(
    (outcome) =>
      (outcome.answer.missing ?? 0) > 0 ||
      findings.get(outcome)?.some(({ finding }) => finding.severity === "error"),
  );
  return isBad ? 1 : 0;
}

function reportOne(
  { source, dryRun, rollback }: PublishCommandOptions,
  { target: { to }, answer, failure }: PublishOutcome,
  located: readonly Located[],
): void {
  if (failure !== undefined) {
    console.error(failure);
    return;
  }
  for (const line of answer.traffic ?? []) console.error(line);
  const errors = located.filter(({ finding }) => finding.severity === "error").length;
  const done = dryRun
    ? "would be published"
    : answer.changed
      ? "published"
      : "published; the served configuration stays the same";
  const from = rollback === undefined ? "" : ` with the content of revision ${rollback}`;
  console.error(
    `${source} at revision ${answer.revision}${from}: ${plural(answer.objects ?? 0, "object")} ${done}, ${plural(errors, "error")}, ${plural(located.length - errors, "warning")}`,
  );
  const { missing = 0 } = answer;
  if (missing > 0)
    console.error(
      `${to} has lost its store: Envoys keep their configuration until ${missing} more sources are pushed again, or until an admin's POST /sources?complete confirms that all are pushed`,
    );
}

/** Reports that only some servers have changed: their revisions, and how to return to one state. */
function reportPartial(
  { source }: PublishCommandOptions,
  outcomes: readonly PublishOutcome[],
  notAsked: readonly PublishTarget[],
): void {
  const changed = outcomes.filter((outcome) => !isFailure(outcome));
  const where = changed.map(
    ({ target: { to }, answer }) => `${to} is at revision ${answer.revision} (before: ${answer.before})`,
  );
  const others = notAsked.map(({ to }) => to);
  console.error(
    [
      `the servers differ: ${where.join(", ")}; ${outcomes.at(-1)?.target.to ?? ""} was not changed, or did not confirm it`,
      ...(others.length > 0 ? [`; no request was sent to: ${others.join(", ")}`] : []),
      ". Run the same command again when the cause is fixed (a server that has the revision accepts it again). To go back instead:",
    ].join(""),
  );
  for (const { target, answer } of changed)
    console.error(
      answer.before
        ? `  isoline publish --rollback ${answer.before} --expect ${answer.revision} --source ${source} --to ${target.to}`
        : `  ${target.to} had no source ${source} before: an admin's DELETE /sources/${source} removes it`,
    );
}

const worst = (outcomes: readonly PublishOutcome[]): number =>
  Math.max(0, ...outcomes.map(({ code }) => code));

/** Writes the findings of all servers, each once. Returns the findings by server. */
function writeFindings(
  options: PublishCommandOptions,
  outcomes: readonly PublishOutcome[],
  manifests: Manifests | undefined,
): ReadonlyMap<PublishOutcome, readonly Located[]> {
  const documents: Manifests["documents"] = manifests?.documents ?? new Map();
  const byOutcome = new Map(
    outcomes.map((outcome) => [outcome, locateAll(outcome.answer.findings ?? [], documents)]),
  );
  // The server's findings are about objects; they lack files that could not be read.
  const ofFiles = manifests?.located.filter(({ finding }) => finding.type === "FileError") ?? [];
  const found = [...ofFiles, ...[...byOutcome.values()].flat()];
  const all = new Map(found.map((located) => [JSON.stringify(located), located]));
  write(options, [...all.values()]);
  return byOutcome;
}

const write = ({ format }: PublishCommandOptions, located: readonly Located[]): void =>
  void process.stdout.write(findingWriters[format](placed(located, { format })));

/**
 * Reads the manifests once and as `isoline check` does, so that the checked content is the published one. The text is
 * JSON Lines, which the server parses line by line, with the settings as one more line.
 */
function readContent({ file, settings, build }: PublishCommandOptions): {
  readonly manifests: RepositoryManifests;
  readonly text: string;
} {
  const values: string[] = [];
  const take = (value: unknown): void => void values.push(JSON.stringify(value));
  let isEmptied = false;
  const emptyList = (): void => {
    isEmptied = true;
  };
  const manifests = readRepository(file, [], { build, settings, take, emptyList });
  // The server refuses an empty text: a wrong folder must not remove everything.
  if (values.length === 0 && !isEmptied) return { manifests, text: "" };
  if (settings) take({ kind: "IsolineSettings", spec: readSettingsValue(settings) });
  return { manifests, text: values.length === 0 ? "[]" : values.join("\n") };
}

function checkOptions(options: PublishCommandOptions): void {
  const { file, source, settings, defaultSettings, rollback, build } = options;
  if (!isSimpleName(source)) throw new UsageError(`--source ${source}: expected a DNS name, such as web`);
  if (settings && defaultSettings)
    throw new UsageError("--settings and --default-settings contradict each other; give only one of them");
  if (rollback === undefined) needFiles(file);
  else if (file.length > 0 || settings || build)
    throw new UsageError("--rollback publishes an earlier push: omit -f, --settings and --build");
}

function targetsOf(options: PublishCommandOptions): PublishTarget[] {
  const { to: servers, tokenFile: files = [], caFile } = options;
  if (files.length > 1 && files.length !== servers.length)
    throw new UsageError("--token-file: give one for all servers, or one per --to in the same order");
  const origins = servers.map((to) => urlOf(to, options));
  const twice = origins.find((url, i) => origins.findIndex(({ href }) => href === url.href) < i);
  if (twice) throw new UsageError(`--to ${twice.origin}: is given twice`);
  return servers.map((to, i) => {
    const token = readToken(files.length > 1 ? files[i] : files[0]);
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    return { to, url: urlOf(to, options), credentials: { headers, ...(caFile ? { caFile } : {}) } };
  });
}

function urlOf(to: string, options: PublishCommandOptions): URL {
  const { source, insecure, strict, acceptShrink, defaultSettings, expect, rollback } = options;
  const url = serverUrl("--to", to, `sources/${source}`, insecure);
  const revision = revisionOf(options);
  if (revision !== undefined) url.searchParams.set("revision", String(revision));
  if (expect !== undefined) url.searchParams.set("expect", String(wholeNumber("--expect", expect)));
  if (rollback !== undefined) url.searchParams.set("rollback", String(wholeNumber("--rollback", rollback)));
  const commit = commitOf(options);
  if (commit !== undefined) url.searchParams.set("commit", commit);
  const flags = { strict, "accept-shrink": acceptShrink, "default-settings": defaultSettings };
  for (const [key, set] of Object.entries(flags)) if (set) url.searchParams.set(key, "1");
  return url;
}

const commitForm = /^[0-9a-f]{7,64}$/i;

/** The commit of the option, or the one that GitHub Actions or GitLab CI has checked out; a rollback has none. */
function commitOf({ commit, rollback }: PublishCommandOptions): string | undefined {
  if (commit !== undefined && !commitForm.test(commit))
    throw new UsageError(`--commit ${commit}: expected 7 to 64 hexadecimal digits`);
  if (rollback !== undefined) return undefined;
  return [commit, process.env.GITHUB_SHA, process.env.CI_COMMIT_SHA].find(
    (one) => one !== undefined && commitForm.test(one),
  );
}

export function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new UsageError(`${option} ${text}: expected a whole number`);
}

/** A number, `git` for the time of the last commit of the first path, or undefined to use the server's count. */
function revisionOf({ revision, file }: PublishCommandOptions): number | undefined {
  if (revision === undefined) return undefined;
  if (revision !== "git") return wholeNumber("--revision", revision);
  const first = file.find((path) => path !== "-") ?? ".";
  try {
    const git = ["-C", nearestFolder(first), "log", "-1", "--format=%ct"];
    return wholeNumber("--revision", execFileSync("git", git, { encoding: "utf8", stdio: "pipe" }).trim());
  } catch {
    throw new UsageError("--revision git: no commit was found; give a number");
  }
}
