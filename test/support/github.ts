import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { type Seen, startHttp } from "./http-server.js";

const bundle = (name: string): string => join(import.meta.dirname, "../../action", name);

/** The state of one pull request in a fake GitHub. */
export interface FakeGitHub {
  readonly url: string;
  /** In GitHub's order, a hundred per page. */
  readonly comments: { readonly id: number; body: string; readonly user: { readonly type: string } }[];
  /** Methods of requests for comments. */
  readonly methods: string[];
  /** Whether the API refuses writes. */
  forbidden: boolean;
  /** The number of responses with 502 before it works. */
  failures: number;
}

/** Whether `isoline diff` supports commits and Markdown. */
export const canReview = execFileSync(process.execPath, [bundle("isoline.mjs"), "diff", "--help"], {
  encoding: "utf8",
}).includes("markdown");

const apiToken = "gh-token-of-the-job";

/** Starts the part of GitHub's API for comments that the action uses. */
export async function startGitHub(): Promise<FakeGitHub> {
  const github: FakeGitHub = { url: "", comments: [], methods: [], forbidden: false, failures: 0 };
  const answer = ({ method, path, headers, body }: Seen): [number, unknown] => {
    github.methods.push(method);
    if (headers.authorization !== `Bearer ${apiToken}`) return [401, {}];
    if (github.failures > 0) {
      github.failures--;
      return [502, {}];
    }
    const url = new URL(path, "http://github.test");
    const { comments } = github;
    if (method === "GET" && url.pathname === "/repos/shop/routes/issues/7/comments") {
      const page = Number(url.searchParams.get("page"));
      return [200, comments.slice((page - 1) * 100, page * 100)];
    }
    if (github.forbidden) return [403, { message: "Resource not accessible by integration" }];
    const text = (JSON.parse(body || "{}") as { body?: string }).body ?? "";
    if (text.length > 65_536) return [422, { message: "body is too long" }];
    if (method === "POST" && url.pathname === "/repos/shop/routes/issues/7/comments") {
      comments.push({ id: comments.length + 1, body: text, user: { type: "Bot" } });
      return [201, { id: comments.length }];
    }
    const id = Number(/^\/repos\/shop\/routes\/issues\/comments\/(\d+)$/.exec(url.pathname)?.[1]);
    const found = comments.find((one) => one.id === id);
    if (method !== "PATCH" || !found) return [404, {}];
    found.body = text;
    return [200, { id }];
  };
  const { port } = await startHttp("github", (seen, response) => {
    const [status, body] = answer(seen);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  return Object.assign(github, { url: `http://127.0.0.1:${port}` });
}

export type Files = Readonly<Record<string, string>>;

/** A checkout of a repository, as actions/checkout leaves it. */
export interface Checkout {
  readonly folder: string;
  readonly base: string;
  /** The commit that is checked out. */
  readonly head: string;
  /** The newest commit of the pull request. */
  readonly request: string;
}

const author = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"];

/**
 * A repository with `before` on its main branch and a pull request with `after`; the merge of both is checked out.
 * `shallow`: only the newest commit is fetched, as by default.
 */
export function checkout(before: Files, after: Files, { shallow = false } = {}): Checkout {
  const origin = mkdtempSync(join(tmpdir(), "isoline-origin-"));
  const folder = mkdtempSync(join(tmpdir(), "isoline-checkout-"));
  onTestFinished(() => {
    for (const one of [origin, folder]) rmSync(one, { recursive: true, force: true });
  });
  const git = (...args: string[]): string =>
    execFileSync("git", [...author, ...args], { cwd: origin, encoding: "utf8", stdio: "pipe" }).trim();
  const write = (files: Files): void => {
    rmSync(join(origin, "manifests"), { recursive: true, force: true });
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(origin, name)), { recursive: true });
      writeFileSync(join(origin, name), text);
    }
    git("add", "-A");
  };
  git("init", "-q");
  git("config", "uploadpack.allowAnySHA1InWant", "true");
  write({ README: "", ...before });
  git("commit", "-qm", "before");
  const base = git("rev-parse", "HEAD");
  git("checkout", "-qb", "request");
  write(after);
  git("commit", "-qm", "after", "--allow-empty");
  const request = git("rev-parse", "HEAD");
  git("checkout", "-q", "main");
  git("merge", "-q", "--no-ff", "-m", "merge", "request");
  const head = git("rev-parse", "HEAD");
  const depth = shallow ? ["--depth=1"] : [];
  git("clone", "-q", ...depth, `file://${origin}`, folder);
  return { folder, base, head, request };
}

export interface ActionRun {
  readonly code: number;
  /** The standard output, as the runner receives it. */
  readonly log: string;
  readonly summary: string;
}

export interface ActionInput {
  readonly at: Checkout;
  readonly github?: FakeGitHub;
  readonly event?: "pull_request" | "push" | "issue_comment";
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the script of `action.yml` as the runner does: with inputs, event and context in the environment. */
export async function runAction({
  at,
  github,
  event = "pull_request",
  inputs = {},
  env = {},
}: ActionInput): Promise<ActionRun> {
  const folder = mkdtempSync(join(tmpdir(), "isoline-runner-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const request = { pull_request: { number: 7, base: { sha: at.base }, head: { sha: at.request } } };
  const payload = {
    repository: { default_branch: "main" },
    ...(event === "pull_request" ? request : {}),
  };
  const [eventFile, summaryFile] = ["event.json", "summary.md"].map((name) => join(folder, name)) as [
    string,
    string,
  ];
  writeFileSync(eventFile, JSON.stringify(payload));
  writeFileSync(summaryFile, "");
  const given = { files: "manifests/", comment: "true", token: apiToken, ...inputs };
  const child = {
    PATH: process.env.PATH,
    HOME: folder,
    GITHUB_ACTIONS: "true",
    GITHUB_API_URL: github?.url ?? "http://127.0.0.1:1",
    GITHUB_EVENT_NAME: event,
    GITHUB_EVENT_PATH: eventFile,
    GITHUB_REF: event === "pull_request" ? "refs/pull/7/merge" : "refs/heads/main",
    GITHUB_REPOSITORY: "shop/routes",
    GITHUB_RUN_ID: "99",
    GITHUB_RUN_NUMBER: "12",
    GITHUB_SERVER_URL: "https://github.example.com",
    GITHUB_SHA: at.head,
    GITHUB_STEP_SUMMARY: summaryFile,
    GITHUB_WORKSPACE: at.folder,
    ...Object.fromEntries(
      Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
    ),
    ...env,
  };
  const { code, log } = await new Promise<{ code: number; log: string }>((resolve) => {
    execFile(
      process.execPath,
      [bundle("main.mjs")],
      { cwd: at.folder, env: child },
      (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 99) : 0, log: stdout + stderr }),
    );
  });
  return { code, log, summary: readFileSync(summaryFile, "utf8") };
}
