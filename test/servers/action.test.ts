import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { commentText, markerOf } from "../../src/action/comment.js";
import { InputError, readInputs } from "../../src/action/inputs.js";
import { startServer } from "../../src/runtime/node/serve.js";
import { canReview, checkout, type Files, runAction, startGitHub } from "../support/github.js";

const root = join(import.meta.dirname, "../..");

const proxy = (host: string, { secret = "", service = "web", path = "/" } = {}): string => `
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: ${host.split(".")[0]}, namespace: shop}
spec:
  virtualhost: {fqdn: ${host}${secret ? `, tls: {secretName: ${secret}}` : ""}}
  routes:
    - conditions: [{prefix: ${JSON.stringify(path)}}]
      services: [{name: ${service}, port: 80}]
`;
const service = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{port: 80}]}
`;
const files = (text: string): Files => ({ "manifests/routes.yaml": text, "manifests/service.yaml": service });
const good = files(proxy("shop.example.com"));
const broken = files(proxy("shop.example.com", { service: "webb" }));
const moved = files(proxy("store.example.com"));

/** A comment without the code that Markdown shows as plain text. */
const marksOf = (body: string): string =>
  body
    .replace(/^(`{3,})[\s\S]*?^\1$/gm, "")
    .replace(/<code>.*?<\/code>/g, "")
    .replace(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, "");

it("the committed bundle equals the output of npm run build:action", {
  timeout: 120_000,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), "isoline-bundle-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  execFileSync(process.execPath, [join(root, "scripts/build-action.mjs"), folder]);
  for (const name of ["isoline.mjs", "main.mjs"])
    expect(readFileSync(join(folder, name)).equals(readFileSync(join(root, "action", name))), name).toBe(
      true,
    );
});

it("action.yml names the inputs that are read", () => {
  const { inputs, runs } = parse(readFileSync(join(root, "action.yml"), "utf8")) as {
    inputs: Record<string, { description: string }>;
    runs: { main: string };
  };
  const source = readFileSync(join(root, "src/action/inputs.ts"), "utf8");
  const read = [...source.matchAll(/(?:text|lines|flag)\("([a-z-]+)"\)/g)].map(([, name]) => name);
  expect(Object.keys(inputs).sort()).toEqual([...new Set(read)].sort());
  expect(runs.main).toBe("action/main.mjs");
});

describe("a pull request", () => {
  it("that breaks routing fails; the comment has the reasons, and the next run edits it", async () => {
    const github = await startGitHub();
    const at = checkout(good, broken);
    const first = await runAction({ at, github });
    expect(first.code).toBe(canReview ? 1 : 2);
    expect(first.log).toMatch(
      /^::error file=manifests\/routes\.yaml,line=9,col=\d+,title=HTTPProxy\/shop\/shop /m,
    );
    expect(github.methods).toEqual(["GET", "POST"]);
    const [comment] = github.comments;
    expect(comment?.body).toContain("`HTTPProxy/shop/shop spec.routes[0].services[0]`");
    expect(comment?.body).toContain("actions/runs/99");
    expect(first.summary).toContain("ServiceUnresolvedReference");
    if (canReview) expect(comment?.body).toMatch(/shop(?:\.|&#46;)example(?:\.|&#46;)com/);

    writeFileSync(join(at.folder, "manifests/routes.yaml"), proxy("shop.example.com"));
    const second = await runAction({ at, github });
    if (canReview) expect(second.code).toBe(0);
    expect(github.comments).toHaveLength(1);
    expect(github.methods.slice(2)).toEqual(["GET", "PATCH"]);
    expect(github.comments[0]?.body).not.toContain("ServiceUnresolvedReference");

    await runAction({ at, github });
    expect(github.methods.slice(4)).toEqual(["GET"]);
  });

  it("gets the same result if TLS Secrets and other Services are not in the repository", async () => {
    const github = await startGitHub();
    const secured = { secret: "shop-tls" };
    const before = { "manifests/routes.yaml": proxy("shop.example.com", secured) };
    const typo = { "manifests/routes.yaml": proxy("shop.example.com", { ...secured, path: "api" }) };
    const unchanged = await runAction({ at: checkout(before, before), github });
    if (canReview) expect(unchanged.code).toBe(0);
    expect(unchanged.log).not.toContain("::error title=HTTPProxy");
    const { code, log } = await runAction({ at: checkout(before, typo), github });
    expect(code).toBeGreaterThan(0);
    expect(log.match(/^::error file=/gm)).toHaveLength(1);
    expect(log).not.toMatch(/::error .*Secret/);
    if (canReview) expect(github.comments[0]?.body).toContain("example");
  });

  it.skipIf(!canReview)(
    "that moves a host reports it, also with a shallow checkout and for new manifests",
    async () => {
      const github = await startGitHub();
      const at = checkout(good, moved, { shallow: true });
      expect((await runAction({ at, github })).code).toBe(0);
      expect(github.comments[0]?.body).toMatch(/shop/);
      expect(github.comments[0]?.body).toMatch(/store/);
      const first = await runAction({ at: checkout({}, good), github });
      expect(first.code).toBe(0);
    },
  );

  it("can't inject markup into the comment", async () => {
    const github = await startGitHub();
    const evil = "</details> `` | @shop/team <img src=http://evil.test> [a](http://evil.test) ##[error]x";
    const at = checkout(good, {
      ...files(proxy("shop.example.com", { path: evil })),
      "manifests/kind.yaml": 'apiVersion: a/v1\nkind: "X\\n::error::x\\n ##[group]"\nmetadata: {name: a}',
      "manifests/::error::x ##[add-path]y.yaml": "a: [",
    });
    const { log } = await runAction({ at, github });
    const body = github.comments[0]?.body ?? "";
    expect(body).toContain("evil.test");
    expect(marksOf(body)).not.toMatch(/evil|@shop|<img|add-path/);
    expect(log).not.toMatch(/^\s*::error::x/m);
    expect(log.replaceAll(/^::.*$/gm, "")).not.toContain("##[");
  });

  it.runIf(canReview)("that changes the settings is compared with the old settings", async () => {
    const github = await startGitHub();
    const at = checkout(
      { ...good, "settings.yaml": "timeouts: {requestTimeout: 7s}\n" },
      { ...good, "settings.yaml": "timeouts: {requestTimeout: 9s}\n" },
    );
    const { code, log } = await runAction({ at, github, inputs: { settings: "settings.yaml" } });
    expect(code, log).toBe(0);
    expect(github.comments[0]?.body).toContain("7s -> 9s");
    await runAction({
      at: checkout(good, { ...good, "new.yaml": "timeouts: {requestTimeout: 8s}\n" }),
      github,
      inputs: { settings: "new.yaml" },
    });
    expect(github.comments[0]?.body).toContain("-> 8s");
  });

  it.runIf(canReview)(
    "whose newest commit is checked out is compared with its target branch, whatever its parents are",
    async () => {
      const github = await startGitHub();
      const at = checkout(good, moved);
      const git = (...args: string[]): string =>
        execFileSync("git", ["-C", at.folder, "-c", "user.name=a", "-c", "user.email=a@b.test", ...args], {
          encoding: "utf8",
        }).trim();
      const forged = git(
        "commit-tree",
        "HEAD^{tree}",
        "-p",
        at.request,
        "-p",
        at.base,
        "-m",
        "a merge of its own",
      );
      git("checkout", "-q", forged);
      await runAction({ at: { ...at, request: forged }, github });
      expect(github.comments[0]?.body).toMatch(/host-gone/);
    },
  );

  it("of a fork is checked without a comment, because its token can't write", async () => {
    const github = await startGitHub();
    github.forbidden = true;
    const { code, log, summary } = await runAction({ at: checkout(good, good), github });
    if (canReview) expect(code).toBe(0);
    expect(log).toMatch(/^::warning title=isoline::no comment: .*403.*pull-requests: write/m);
    expect(summary).toContain("### isoline check");
  });

  it("comments despite answers with 502, ignores copied markers, and finds its comment on any page", async () => {
    const github = await startGitHub();
    github.failures = 2;
    const marker = markerOf(["manifests/"]);
    const person = (id: number) => ({ id, body: `${marker}\nby hand`, user: { type: "User" } });
    github.comments.push(...Array.from({ length: 101 }, (_, i) => person(i + 1)));
    const at = checkout(good, broken);
    await runAction({ at, github });
    expect(github.comments).toHaveLength(102);
    await runAction({ at, github });
    expect(github.comments).toHaveLength(102);
    expect(github.comments.slice(0, 101).every(({ body }) => body.endsWith("by hand"))).toBe(true);
  });

  it("has one comment for each set of files", async () => {
    const github = await startGitHub();
    const at = checkout(good, broken);
    await runAction({ at, github });
    await runAction({ at, github, inputs: { files: "manifests/routes.yaml" } });
    expect(github.comments).toHaveLength(2);
  });
});

describe("publishing", () => {
  async function startPush() {
    const folder = mkdtempSync(join(tmpdir(), "isoline-tokens-"));
    const digest = createHash("sha256").update("ci-token").digest("hex");
    writeFileSync(join(folder, "tokens"), `publish sha256:${digest} source=web\n`);
    const log = (): void => undefined;
    const options = {
      paths: [],
      push: true,
      tokensFile: join(folder, "tokens"),
      host: "127.0.0.1",
      port: 0,
      log,
    };
    const server = await startServer(options);
    onTestFinished(async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const inputs = { "publish-to": server.url, source: "web", "publish-token": "ci-token" };
    const revision = async (): Promise<unknown> => {
      const answer = await fetch(`${server.url}/sources/web`, {
        headers: { authorization: "Bearer ci-token" },
      });
      return ((await answer.json()) as { revision?: number }).revision;
    };
    return { inputs, revision };
  }

  it("happens on the default branch, with the number of the run, after a successful check", async () => {
    const { inputs, revision } = await startPush();
    const event = "push";
    expect((await runAction({ at: checkout(good, broken), event, inputs })).code).toBe(1);
    expect(await revision()).toBeUndefined();
    const at = checkout(good, good);
    const branch = { GITHUB_REF: "refs/heads/other" };
    expect((await runAction({ at, event, inputs, env: branch })).code).toBe(0);
    expect(await revision()).toBeUndefined();
    const { code, log } = await runAction({ at, event, inputs });
    expect(code, log).toBe(0);
    expect(await revision()).toBe(12);
    expect(log).toContain("::add-mask::ci-token");
  });

  it("never happens for a pull request, even with the token; a preview token starts a dry run", async () => {
    const { inputs, revision } = await startPush();
    const github = await startGitHub();
    const at = checkout(good, good);
    const tokens = { ...inputs, "preview-token": "ci-token" };
    const { log } = await runAction({ at, github, inputs: tokens, env: { GITHUB_REF: "refs/heads/main" } });
    expect(log).toContain("would be published");
    expect(await revision()).toBeUndefined();
    await runAction({ at, github, inputs });
    expect(await revision()).toBeUndefined();
    await runAction({ at, github, inputs, event: "issue_comment" });
    expect(await revision()).toBeUndefined();
  });
});

describe("inputs", () => {
  it.each([
    [{}, /files: name/],
    [{ INPUT_FILES: "a", INPUT_STRICT: "yes" }, /strict: must be true or false, found "yes"/],
    [{ INPUT_FILES: "a", "INPUT_PUBLISH-TO": "https://a.test" }, /source: is missing/],
  ])("%j", (env, message) => {
    expect(() => readInputs(env)).toThrow(message);
    expect(() => readInputs(env)).toThrow(InputError);
  });

  it("have lines, and link the docs of the revision that runs", () => {
    const read = readInputs({
      INPUT_FILES: " a \n\n b/\n",
      GITHUB_SERVER_URL: "https://github.example.com",
      GITHUB_ACTION_REPOSITORY: "o/isoline",
      GITHUB_ACTION_REF: "abc",
    });
    expect(read.files).toEqual(["a", "b/"]);
    expect(read.docsUrl).toBe("https://github.example.com/o/isoline/blob/abc/docs");
  });
});

it("a very long comment is cut between two sections, within GitHub's limit", () => {
  const section = `\n<details><summary>a</summary>\n\n\`\`\`diff\n${"- x\n".repeat(2000)}\`\`\`\n\n</details>\n`;
  const rows = Array.from({ length: 60 }, (_, i) => `| error | a | b | ${i} |`).join("\n");
  const text = commentText({ marker: markerOf(["a"]), check: rows, diff: section.repeat(20), footer: "f" });
  expect(text.length).toBeLessThanOrEqual(65_536);
  expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
  expect(text).toContain("The rest is too long for a comment");
  expect(text).toContain("40 more findings");
  expect(text).toContain("| 19 |");
  expect(text).not.toContain("| 20 |");
  expect(text.endsWith("f\n")).toBe(true);
});

it("a comment with long findings also has the changes, within GitHub's limit", () => {
  const long = `\`${"\\u202e".repeat(300)}\``;
  const rows = Array.from({ length: 60 }, () => `| error | ${long} | ${long} | ${long} |`).join("\n");
  const text = commentText({
    marker: markerOf(["a"]),
    check: rows,
    diff: `${"x".repeat(35_000)}\n<details><summary>a</summary></details>\n`,
    footer: "f",
  });
  expect(text.length).toBeLessThanOrEqual(65_536);
  expect(text).toMatch(/5\d more findings/);
  expect(text).toContain("<details>");
});

it("the bundle for CI reports that it reads no clusters", () => {
  const run = (): string =>
    execFileSync(process.execPath, [join(root, "action/isoline.mjs"), "check", "--kube"], {
      encoding: "utf8",
      stdio: "pipe",
    });
  expect(run).toThrow(/reads? no clusters|does not read clusters/);
});
