import { execFileSync } from "node:child_process";
import { dirname, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import type { Finding } from "../schema/meta.js";
import { messageOf, plural } from "../schema/words.js";
import { isSimpleName } from "../server/tokens.js";
import { ask } from "./client.js";
import { type CheckFormat, findingWriters } from "./findings.js";
import { loadDocuments } from "./load.js";
import { type Located, locateAll, readManifests } from "./objects.js";
import { readToken, serverUrl } from "./server-url.js";
import { readSettingsValue } from "./settings-file.js";
import { UsageError } from "./usage.js";

/** The options of `isoline publish` as commander hands them over. */
export interface PublishCommandOptions {
  readonly file: readonly string[];
  readonly to: string;
  readonly source: string;
  readonly settings?: string;
  readonly revision?: string;
  readonly expect?: string;
  readonly strict?: boolean;
  readonly dryRun?: boolean;
  readonly acceptShrink?: boolean;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly insecure?: boolean;
  readonly format: CheckFormat;
}

/** What the server says of a push; problem details when it is refused. */
interface Answer {
  readonly code?: string;
  readonly detail?: string;
  readonly revision?: number;
  readonly objects?: number;
  readonly changed?: boolean;
  readonly traffic?: readonly string[];
  readonly findings?: readonly Finding[];
  /** Units that the server has still to compile. */
  readonly left?: number;
  /** Sources that Envoys have and that were not pushed again since the server lost its store. */
  readonly missing?: number;
}

const lookMs = 300;
const maxLooks = 1000;

type Credentials = Pick<Parameters<typeof ask>[1], "headers" | "caFile">;

/** Waits for a server that compiles in batches: only then all findings are known. */
async function whenCompiled(url: URL, credentials: Credentials, answer: Answer): Promise<Answer> {
  const source = new URL(url.pathname, url);
  for (let looks = 0; looks < maxLooks; looks++) {
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    const looked = await ask(source, { method: "GET", ...credentials });
    const { revision, left, findings = [] } = looked.answer as Answer;
    // A newer push has its own publisher to tell.
    if (looked.status !== 200 || revision !== answer.revision) return answer;
    if (!left) return { ...answer, changed: true, findings };
  }
  return answer;
}

/**
 * `isoline publish`: sends manifests as the whole of one source. Returns the exit code: 1 when an object is not valid
 * or the push is refused, 3 when files or the server can't be reached.
 *
 * @throws UsageError when an option is not valid.
 */
export async function publishCommand(options: PublishCommandOptions): Promise<number> {
  const url = urlOf(options);
  const token = readToken(options.tokenFile);
  const manifests = readManifests(options.file, []);
  if (manifests.broken.size > 0) {
    write(options, manifests.located);
    console.error("nothing was published: what can't be read would be taken for removed");
    return 3;
  }
  const body = gzipSync(contentOf(options));
  const credentials: Credentials = {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    ...(options.caFile ? { caFile: options.caFile } : {}),
  };
  const headers = { "content-encoding": "gzip", ...credentials.headers };
  let status: number;
  let answer: Answer;
  try {
    const told = await ask(url, { method: "PUT", ...credentials, headers, body });
    status = told.status;
    answer = told.answer as Answer;
    if (status === 200 && answer.left) answer = await whenCompiled(url, credentials, answer);
  } catch (error) {
    console.error(messageOf(error));
    return 3;
  }
  const located = locateAll(answer.findings ?? [], manifests.documents);
  write(options, located);
  return report(options, status, answer, located);
}

function report(
  { source, dryRun, to }: PublishCommandOptions,
  status: number,
  answer: Answer,
  located: readonly Located[],
): number {
  if (status !== 200) {
    console.error(
      `${to} refuses (${status} ${answer.code ?? ""}): ${answer.detail ?? "no reason given"}${fixOf(answer)}`,
    );
    return status >= 500 ? 3 : 1;
  }
  for (const line of answer.traffic ?? []) console.error(line);
  const errors = located.filter(({ finding }) => finding.severity === "error").length;
  const done = dryRun
    ? "would be published"
    : answer.changed
      ? "published"
      : "published; what is served stays the same";
  console.error(
    `${source} at revision ${answer.revision}: ${plural(answer.objects ?? 0, "object")} ${done}, ${plural(errors, "error")}, ${plural(located.length - errors, "warning")}`,
  );
  const { missing = 0 } = answer;
  if (missing > 0)
    console.error(
      `${to} has lost its store: Envoys keep what they have until ${missing} more of its sources are pushed again, or until an admin's POST /sources?complete says that what is pushed is all`,
    );
  return errors > 0 || missing > 0 ? 1 : 0;
}

const fixes: Readonly<Record<string, string>> = {
  unauthorized: "; give --token-file, or ISOLINE_TOKEN, with a token of the role publish",
  shrink: " (--accept-shrink)",
  "stale-revision": "; a newer push is there, so this one is not needed, or give a higher --revision",
};
const fixOf = ({ code }: Answer): string => (code && fixes[code]) || "";

const write = ({ format }: PublishCommandOptions, located: readonly Located[]): void =>
  void process.stdout.write(findingWriters[format](located));

/** Documents as they were read, with the settings as one more. */
/** JSON Lines: the server parses them one by one. */
function contentOf({ file, settings }: PublishCommandOptions): string {
  const values: string[] = [];
  loadDocuments(file, (value) => void values.push(JSON.stringify(value)));
  if (settings) {
    values.push(JSON.stringify({ kind: "IsolineSettings", spec: readSettingsValue(settings) }));
  }
  return values.length === 0 ? "[]" : values.join("\n");
}

function urlOf(options: PublishCommandOptions): URL {
  const { to, source, insecure, strict, dryRun, acceptShrink, expect } = options;
  if (!isSimpleName(source)) throw new UsageError(`--source ${source}: expected a DNS name, such as web`);
  const url = serverUrl("--to", to, `sources/${source}`, insecure);
  const revision = revisionOf(options);
  if (revision !== undefined) url.searchParams.set("revision", String(revision));
  if (expect !== undefined) url.searchParams.set("expect", String(wholeNumber("--expect", expect)));
  for (const [key, set] of Object.entries({ strict, "dry-run": dryRun, "accept-shrink": acceptShrink }))
    if (set) url.searchParams.set(key, "1");
  return url;
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new UsageError(`${option} ${text}: expected a whole number`);
}

/** A number, `git` for the time of the last commit of the first path, or undefined to let the server count. */
function revisionOf({ revision, file }: PublishCommandOptions): number | undefined {
  if (revision === undefined) return undefined;
  if (revision !== "git") return wholeNumber("--revision", revision);
  const first = file.find((path) => path !== "-") ?? ".";
  try {
    const git = ["-C", dirname(resolve(first)), "log", "-1", "--format=%ct"];
    return wholeNumber("--revision", execFileSync("git", git, { encoding: "utf8", stdio: "pipe" }).trim());
  } catch {
    throw new UsageError("--revision git: no commit was found; give a number");
  }
}
