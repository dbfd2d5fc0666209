import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, isAbsolute, join, normalize } from "node:path";
import { logLine } from "../cli/log-line.js";
import { code } from "../cli/markdown.js";
import { messageOf } from "../schema/words.js";
import { commentText, markerOf, publishComment } from "./comment.js";
import { readEvent, type WorkflowEvent } from "./event.js";
import { Git } from "./git.js";
import { GitHubApi } from "./github-api.js";
import { type Env, type Inputs, readInputs } from "./inputs.js";

/** The dependencies of a run of the action. */
export interface ActionOptions {
  readonly env: Env;
  /** The bundle of the command line. */
  readonly cli: string;
  log(line: string): void;
}

interface Run extends ActionOptions {
  readonly inputs: Inputs;
  readonly event: WorkflowEvent;
  /** The folder for temporary files. */
  readonly folder: string;
}

/**
 * Runs the GitHub Action: `isoline check`; for a pull request also `isoline diff`, as a comment; and on the default branch
 * `isoline publish`, if the check passed. Returns the highest exit code.
 *
 * @throws InputError when an input is not valid.
 */
export async function runAction(options: ActionOptions): Promise<number> {
  const { env, log } = options;
  const inputs = readInputs(env);
  for (const secret of [inputs.token, inputs.publishToken, inputs.previewToken])
    if (secret) log(`::add-mask::${secret}`);
  const folder = mkdtempSync(join(tmpdir(), "isoline-action-"));
  try {
    const run: Run = { ...options, inputs, event: readEvent(env), folder };
    const checked = check(run);
    const codes = [checked.code];
    if (run.event.pullRequest) codes.push(await review(run, checked.markdown, run.event.pullRequest));
    if (inputs.publishTo.length > 0) codes.push(publish(run, checked.code));
    return Math.max(...codes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the command line without the secrets of the action; `more` is added to its environment. Its output contains text
 * that users control, so other output than workflow `commands` is escaped before it is logged.
 */
function isoline(run: Run, args: readonly string[], more: Env, output: "commands" | "text" | "kept"): Output {
  const own = Object.entries(run.env).filter(([name]) => !secret.test(name));
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [run.cli, ...args], {
    env: { ...Object.fromEntries(own), ...more },
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (error) throw error;
  if (output === "commands" && stdout) run.log(stdout.trimEnd());
  const text = output === "text" ? stdout + stderr : stderr;
  for (const line of text.split(/[\r\n]+/)) if (line !== "") run.log(logLine(line));
  return { code: status ?? 3, stdout, stderr };
}

/** Environment variables for inputs, for tokens, and for files of the runner that only the action writes. */
const secret = /^INPUT_|^ISOLINE_|^GITHUB_(?:STEP_SUMMARY|OUTPUT)$/;

const repeated = (option: string, values: readonly string[]): readonly string[] =>
  values.flatMap((value) => [option, value]);

/** Options of commands that compile files. */
const fileOptions = ({ settings, known, assumeMissing, build }: Inputs): readonly string[] => [
  ...(settings ? ["--settings", settings] : []),
  ...repeated("--known", known),
  ...(assumeMissing ? ["--assume-missing", assumeMissing] : []),
  ...(build ? ["--build"] : []),
];

function check(run: Run): { readonly code: number; readonly markdown: string } {
  const { inputs, env, folder } = run;
  const { files, suppress, strict, sarifFile, docsUrl } = inputs;
  const summary = join(folder, "check.md");
  writeFileSync(summary, "");
  const { code: exit } = isoline(
    run,
    [
      "check",
      ...repeated("-f", files),
      "--format",
      "github",
      ...fileOptions(inputs),
      ...repeated("--suppress", suppress),
      ...(strict ? ["--strict"] : []),
      ...(sarifFile ? ["--sarif-file", sarifFile] : []),
      ...(docsUrl ? ["--docs-url", docsUrl] : []),
    ],
    { GITHUB_STEP_SUMMARY: summary },
    "commands",
  );
  const markdown =
    readFileSync(summary, "utf8") || "### isoline check\n\nThe check did not run; see the log of the step.\n";
  addSummary(env, markdown);
  if (env.GITHUB_OUTPUT) appendFileSync(env.GITHUB_OUTPUT, `exit-code=${exit}\n`);
  return { code: exit, markdown };
}

const addSummary = ({ GITHUB_STEP_SUMMARY }: Env, markdown: string): void => {
  if (GITHUB_STEP_SUMMARY) appendFileSync(GITHUB_STEP_SUMMARY, `${markdown}\n`);
};

/** Reports findings and traffic changes on a pull request. */
async function review(
  run: Run,
  checked: string,
  request: NonNullable<WorkflowEvent["pullRequest"]>,
): Promise<number> {
  const { env, inputs, log } = run;
  const compared = diff(run, request);
  addSummary(env, compared.markdown);
  if (inputs.comment) {
    const marker = markerOf(inputs.files);
    const body = commentText({ marker, check: checked, diff: compared.markdown, footer: footerOf(env) });
    const { GITHUB_API_URL: url = "https://api.github.com", GITHUB_REPOSITORY: repository = "" } = env;
    const done = await publishComment(
      new GitHubApi({ url, repository, token: inputs.token }),
      request.number,
      marker,
      body,
    );
    log(
      done.startsWith("no comment") ? `::warning title=isoline::${done.replaceAll(/[\r\n]+/g, " ")}` : done,
    );
  }
  return compared.code;
}

const footerOf = ({ GITHUB_SHA = "", GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID }: Env): string =>
  `For commit ${GITHUB_SHA.slice(0, 12)}, from [this run](${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}).`;

function diff(
  run: Run,
  request: NonNullable<WorkflowEvent["pullRequest"]>,
): { readonly code: number; readonly markdown: string } {
  const { inputs, env, folder } = run;
  try {
    const git = new Git(env);
    const commit = git.baseOf(request);
    const before = inputs.files.filter((path) => git.hasPath(commit, path));
    const sides = [
      // The base of a pull request that adds the first manifests has none.
      ...repeated(
        "--from",
        before.length > 0 ? before.map((path) => `git:${commit}:${path}`) : [emptyFolder(folder)],
      ),
      ...repeated("--to", inputs.files),
    ];
    const settings = settingsBefore(run, git, commit);
    const args = ["diff", ...sides, ...fileOptions(inputs), ...settings, "--format", "markdown"];
    const { code: exit, stdout, stderr } = isoline(run, args, {}, "kept");
    if (stdout.trim() !== "") return { code: exit, markdown: stdout };
    return { code: exit, markdown: notCompared(stderr) };
  } catch (error) {
    run.log(`::error title=isoline diff::${messageOf(error).replaceAll(/[\r\n]+/g, " ")}`);
    return { code: 3, markdown: notCompared(messageOf(error)) };
  }
}

/** The option for the settings of the base commit: a pull request may change them. */
function settingsBefore({ inputs, folder }: Run, git: Git, commit: string): readonly string[] {
  const path = normalize(inputs.settings || "..");
  if (isAbsolute(path) || path.startsWith("..")) return [];
  const file = join(folder, `before-${basename(path)}`);
  writeFileSync(file, git.hasPath(commit, path) ? git.read(commit, path) : "{}\n");
  return ["--settings-before", file];
}

const notCompared = (why: string): string =>
  `### The traffic changes are not known\n\n${code(why.trim().slice(0, 1000))}\n`;

function emptyFolder(folder: string): string {
  return mkdtempSync(join(folder, "nothing-"));
}

/** Publishes on the default branch, and does a dry run for pull requests, if the inputs have a token for it. */
function publish(run: Run, checkCode: number): number {
  const { inputs, event, env, log } = run;
  const dryRun = event.pullRequest !== undefined;
  const token = dryRun ? inputs.previewToken : inputs.publishToken;
  if (!token || !(dryRun || event.isDefaultBranch)) return 0;
  if (checkCode !== 0) {
    log("isoline publish: nothing is published, because the check failed");
    return 0;
  }
  return isoline(
    run,
    [
      "publish",
      ...repeated("-f", inputs.files),
      ...(inputs.settings ? ["--settings", inputs.settings] : []),
      ...(inputs.build ? ["--build"] : []),
      ...repeated("--to", inputs.publishTo),
      "--source",
      inputs.source,
      ...(dryRun ? ["--dry-run"] : ["--revision", env.GITHUB_RUN_NUMBER ?? ""]),
    ],
    { ISOLINE_TOKEN: token },
    "text",
  ).code;
}
