import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request as forward } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type HistoryCommandOptions, historyCommand } from "../../src/cli/history.js";
import { type PublishCommandOptions, publishCommand } from "../../src/cli/publish.js";
import { startServer } from "../../src/runtime/node/serve.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { createSqliteStore } from "../../src/store/sqlite.js";
import type { Store } from "../../src/store/store.js";
import { hostProxy, type Manifest, tlsSecret } from "../support/backend.js";

let folder: string;
let out: string;
let err: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isoline-publish-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  out = "";
  err = [];
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const stderr = vi.spyOn(console, "error").mockImplementation((text) => void err.push(String(text)));
  onTestFinished(() => {
    stdout.mockRestore();
    stderr.mockRestore();
  });
  const digest = createHash("sha256").update("ci-token").digest("hex");
  await writeFile(join(folder, "tokens"), `publish sha256:${digest} name=ci source=web\n`);
  await writeFile(join(folder, "ci.token"), "ci-token\n");
});

async function start(options: { store?: Store } = {}): Promise<Awaited<ReturnType<typeof startServer>>> {
  const server = await startServer({
    paths: [],
    push: true,
    tokensFile: join(folder, "tokens"),
    ...(options.store ? { store: options.store } : {}),
    host: "127.0.0.1",
    port: 0,
    log: () => undefined,
  });
  return server;
}

async function publish(
  to: string,
  objects: readonly Manifest[] | string,
  options: Partial<PublishCommandOptions> = {},
): Promise<number> {
  const file = join(folder, "web.yaml");
  const text =
    typeof objects === "string" ? objects : objects.map((one) => JSON.stringify(one)).join("\n---\n");
  await writeFile(file, text);
  const tokenFile = join(folder, "ci.token");
  return publishCommand({
    file: [file],
    to: [to],
    source: "web",
    tokenFile: [tokenFile],
    format: "text",
    ...options,
  });
}

const good = {
  ...hostProxy("a.test", "x"),
  metadata: { namespace: "default", name: "a-test" },
  spec: { virtualhost: { fqdn: "a.test" }, routes: [{ directResponsePolicy: { statusCode: 200 } }] },
};
const bad = { ...hostProxy("b.test", "x"), spec: { virtualhost: { fqdn: 7 } } };

describe("isoline publish", () => {
  it("sends a source, reports invalid objects with file and line, and sets the exit code", async () => {
    const server = await start();
    onTestFinished(() => server.close());
    expect(await publish(server.url, [good])).toBe(0);
    expect(err.at(-1)).toBe("web at revision 1: 1 object published, 0 errors, 0 warnings");
    expect(await publish(server.url, [good, bad], { format: "github" })).toBe(1);
    expect(out).toMatch(/^::error file=.*web.yaml,line=3,col=\d+,title=HTTPProxy/m);
    expect(await publish(server.url, [good, bad], { strict: true })).toBe(1);
    expect(err.at(-1)).toContain("422 invalid-objects");
    expect(await publish(server.url, [good], { dryRun: true })).toBe(0);
    expect(err.at(-1)).toContain("would be published");
  });

  it("reports what to do when it is refused", async () => {
    const server = await start();
    onTestFinished(() => server.close());
    expect(await publish(server.url, [good], { revision: "5" })).toBe(0);
    expect(await publish(server.url, [bad], { revision: "4" })).toBe(1);
    expect(err.at(-1)).toContain("409 stale-revision");
    expect(await publish(server.url, [good], { source: "other" })).toBe(1);
    expect(err.at(-1)).toContain("403 source-not-allowed");
    await writeFile(join(folder, "ci.token"), "wrong");
    expect(await publish(server.url, [good])).toBe(1);
    expect(err.at(-1)).toContain("give --token-file");
    expect(err.join("\n")).not.toContain("wrong");
  });

  it("publishes nothing if a file can't be read, and fails if the server can't be reached", async () => {
    const server = await start();
    expect(await publish(server.url, "a: [")).toBe(3);
    expect(err.at(-1)).toContain("nothing was published");
    await server.close();
    expect(await publish(server.url, [good])).toBe(3);
    expect(err.at(-1)).toContain("can't reach");
  });

  it.each([
    [{ to: ["xds.example.com"] }, "expected a URL"],
    [{ to: ["http://xds.example.com"] }, "are sent over https"],
    [{ source: "Web!" }, "expected a DNS name"],
    [{ revision: "soon" }, "expected a whole number"],
  ])("refuses %j", async (options, message) => {
    await expect(publish("https://127.0.0.1:1", [good], options)).rejects.toThrow(message);
  });

  it("leaves a source that is served after a restart", async () => {
    const path = join(folder, "isoline.db");
    const before = createSqliteStore(path);
    const first = await start({ store: before });
    expect(await publish(first.url, [good])).toBe(0);
    await first.close();
    before.close();
    const store = createSqliteStore(path);
    onTestFinished(() => store.close());
    const second = await start({ store });
    onTestFinished(() => second.close());
    expect((await fetch(`${second.url}/readyz`)).status).toBe(200);
    expect(await publish(second.url, [good])).toBe(0);
    expect(err.at(-1)).toContain("the served configuration stays the same");
  });
});

/** A server that answers its first `good` pushes (without dry runs), and fails from then on. */
async function failing(good: number): Promise<string> {
  const server = await start();
  onTestFinished(() => server.close());
  const front = createServer((request, response) => {
    const isPush = request.method === "PUT" && !request.url?.includes("dry-run");
    if (isPush && good-- <= 0)
      return void response.writeHead(503).end('{"code":"internal","detail":"no disk"}');
    const { url = "", method, headers } = request;
    request.pipe(
      forward(`${server.url}${url}`, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void front.close());
  const { port } = front.address() as { port: number };
  return `http://127.0.0.1:${port}`;
}

const revisionOf = async (to: string): Promise<number | undefined> => {
  const answer = await fetch(`${to}/sources/web`, { headers: { authorization: "Bearer ci-token" } });
  return ((await answer.json()) as { readonly revision?: number }).revision;
};

describe("the content that isoline publish sends", () => {
  const named = (name: string): Manifest => ({
    ...hostProxy(`${name}.test`, "x"),
    metadata: { namespace: "default", name },
    spec: { virtualhost: { fqdn: `${name}.test` }, routes: [{ directResponsePolicy: { statusCode: 200 } }] },
  });

  async function sent(files: Readonly<Record<string, string>>, options: Partial<PublishCommandOptions> = {}) {
    const store = createMemoryStore();
    const server = await start({ store });
    onTestFinished(() => server.close());
    const root = join(folder, "repository");
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    const code = await publish(server.url, [], { file: [root], ...options });
    return { code, objects: [...store.objects()].map(({ ref }) => ref) };
  }

  it("equals what isoline check reads of a folder: nothing that .isolineignore, a chart or a patch hides from reviewers", async () => {
    const found = await sent({
      "a.yaml": JSON.stringify(named("a")),
      ".isolineignore": "hidden.yaml\n",
      "hidden.yaml": JSON.stringify(named("hidden")),
      "chart/Chart.yaml": "name: chart\n",
      "chart/evil.yaml": JSON.stringify(named("chart")),
      "kustomization.yaml": "resources: [a.yaml]\npatches: [{path: patch.yaml}]\n",
      "patch.yaml": JSON.stringify(named("patch")),
      "values.yaml": "replicas: 1\n",
    });
    expect(found).toEqual({ code: 0, objects: ["HTTPProxy/default/a"] });
    expect(out).toMatch(/Chart.yaml: warning: .*NotRendered/);
    expect(out).toMatch(/kustomization.yaml: warning: .*NotBuilt/);
    expect(err).toContain(
      "left out: 1 path of .isolineignore, 1 file that is a patch of a kustomization, 1 document without a manifest",
    );
  });

  it("is never empty: removing all requires an empty List", async () => {
    const chart = { "Chart.yaml": "name: chart\n", "a.yaml": JSON.stringify(named("a")) };
    await writeFile(join(folder, "settings.yaml"), "{}\n");
    for (const options of [{}, { settings: join(folder, "settings.yaml") }])
      expect((await sent(chart, options)).code).toBe(1);
    expect(err.at(-1)).toContain("400 empty): the content has no document; push an empty List to remove all");
    await rm(join(folder, "repository"), { recursive: true });
    const list = { "list.yaml": "apiVersion: v1\nkind: List\nitems: []\n" };
    expect(await sent(list)).toEqual({ code: 0, objects: [] });
  });

  it("is the output of kustomize, with --build", async () => {
    const bin = join(folder, "bin");
    await mkdir(bin);
    const script = `#!${process.execPath}\nconsole.log(${JSON.stringify(JSON.stringify(named("built")))})`;
    await writeFile(join(bin, "kustomize"), script, { mode: 0o755 });
    vi.stubEnv("PATH", bin);
    onTestFinished(() => void vi.unstubAllEnvs());
    const files = { "kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": JSON.stringify(named("a")) };
    expect(await sent(files, { build: true })).toEqual({ code: 0, objects: ["HTTPProxy/default/built"] });
  });

  it("is standard input, for -", async () => {
    const server = await start();
    onTestFinished(() => server.close());
    const cli = join(import.meta.dirname, "../../action/isoline.mjs");
    const args = ["publish", "-f", "-", "--to", server.url, "--source", "web", "--token-file"];
    const run = promisify(execFile)(process.execPath, [cli, ...args, join(folder, "ci.token")]);
    run.child.stdin?.end(JSON.stringify(named("piped")));
    expect((await run).stderr).toContain("1 object published");
  });

  it("has the time of the last commit of the folder as its revision, also for the root of the repository", async () => {
    const git = (...args: string[]) => execFileSync("git", ["-C", join(folder, "repository"), ...args]);
    await mkdir(join(folder, "repository"));
    git("init", "-q");
    git("-c", "user.name=a", "-c", "user.email=a@b.test", "commit", "-q", "--allow-empty", "-m", "a");
    const time = git("log", "-1", "--format=%ct").toString().trim();
    await sent({ "a.yaml": JSON.stringify(named("a")) }, { revision: "git" });
    expect(err.at(-1)).toContain(`web at revision ${time}`);
  });
});

describe("isoline publish to several servers", () => {
  async function two(): Promise<{ readonly to: readonly string[]; readonly close: () => Promise<void> }> {
    const [one, other] = [await start(), await start()];
    onTestFinished(() => one.close());
    onTestFinished(() => other.close().catch(() => undefined));
    return { to: [one.url, other.url], close: () => other.close() };
  }

  it("sends a dry run to all before the first change: if one refuses, none is changed", async () => {
    const { to } = await two();
    const [first = "", second = ""] = to;
    expect(await publish(first, [good], { revision: "5" })).toBe(0);
    expect(await publish(second, [good], { revision: "9" })).toBe(0);
    const edited = { ...good, metadata: { ...good.metadata, name: "other" } };
    expect(await publish("", [edited], { to, revision: "7" })).toBe(1);
    expect(err.slice(-2)).toEqual([
      expect.stringMatching(`^${second} refuses \\(409 stale-revision\\): revision 7 is older`),
      "nothing was published to any of the 2 servers",
    ]);
    expect(await publish("", [edited], { to: [second, first], revision: "7" })).toBe(1);
    expect(await Promise.all(to.map(revisionOf))).toEqual([5, 9]);
    expect(await publish("", [edited], { to, revision: "10" })).toBe(0);
    expect(await Promise.all(to.map(revisionOf))).toEqual([10, 10]);
  });

  it("changes none if one can't be reached, or refuses invalid objects", async () => {
    const { to, close } = await two();
    expect(await publish("", [good, bad], { to, strict: true })).toBe(1);
    expect(err.filter((line) => line.includes("422 invalid-objects"))).toHaveLength(2);
    await close();
    expect(await publish("", [good], { to })).toBe(3);
    expect(err.at(-2)).toContain(`can't reach ${to[1]}`);
    expect(err.at(-1)).toBe("nothing was published to any of the 2 servers");
    expect(await revisionOf(to[0] ?? "")).toBeUndefined();
  });

  it("reports the revisions if the second fails after the first has changed, and how to go back", async () => {
    const [first = ""] = (await two()).to;
    const second = await failing(1);
    expect(await publish("", [good], { to: [first, second], revision: "1" })).toBe(0);
    const edited = { ...good, metadata: { ...good.metadata, name: "other" } };
    expect(await publish("", [edited], { to: [first, second, await failing(0)], revision: "2" })).toBe(3);
    const report = err.slice(-3).join("\n");
    expect(report).toContain("refuses (503 internal): no disk");
    expect(report).toContain(
      `the servers differ: ${first} is at revision 2 (before: 1); ${second} was not changed`,
    );
    expect(report).toContain("; no request was sent to: http://127.0.0.1:");
    const [, back = ""] = /isoline (publish --rollback .*)$/.exec(report) ?? [];
    expect(back).toBe(`publish --rollback 1 --expect 2 --source web --to ${first}`);
    expect(await publish(first, [], { file: [], rollback: "1", expect: "2" })).toBe(0);
    expect(err.at(-1)).toContain("web at revision 3 with the content of revision 1: 1 object published");
    expect(await publish("", [good], { to: [first, second], revision: "4" })).toBe(3);
  });

  it("sends each server its own token, in the same order", async () => {
    const { to } = await two();
    await writeFile(join(folder, "wrong.token"), "wrong\n");
    const tokenFile = [join(folder, "ci.token"), join(folder, "wrong.token")];
    expect(await publish("", [good], { to, tokenFile })).toBe(1);
    expect(err.at(-2)).toContain(`${to[1]} refuses (401 unauthorized)`);
    await expect(publish("", [good], { to, tokenFile: [...tokenFile, "third"] })).rejects.toThrow(
      "one per --to",
    );
    await expect(publish("", [good], { to: [to[0] ?? "", to[0] ?? ""] })).rejects.toThrow("is given twice");
  });

  it("writes the findings of all servers once, as one document", async () => {
    const { to } = await two();
    expect(await publish("", [good, bad], { to, format: "json" })).toBe(1);
    expect(JSON.parse(out)).toHaveLength(1);
    expect(err.slice(-2).every((line) => line.includes("1 object published, 1 error"))).toBe(true);
  });
});

describe("isoline history and --rollback", () => {
  const history = (to: string, options: Partial<HistoryCommandOptions> = {}): Promise<number> =>
    historyCommand({
      xds: to,
      source: "web",
      tokenFile: join(folder, "ci.token"),
      format: "text",
      ...options,
    });

  it("show who changed what, and publish an earlier content as a new revision, after a restart", async () => {
    const path = join(folder, "isoline.db");
    const before = createSqliteStore(path);
    const first = await start({ store: before });
    expect(await publish(first.url, [good, { ...tlsSecret("default", "secure") }])).toBe(0);
    const moved = { ...good, spec: { ...good.spec, virtualhost: { fqdn: "b.test" } } };
    expect(await publish(first.url, [moved])).toBe(0);
    expect(await publish(first.url, [moved])).toBe(0);
    await first.close();
    before.close();
    const store = createSqliteStore(path);
    onTestFinished(() => store.close());
    const { url, close } = await start({ store });
    onTestFinished(close);
    expect(await history(url)).toBe(0);
    const time = "\\d{4}-\\d\\d-\\d\\dT\\S+Z by ci";
    expect(out).toMatch(
      new RegExp(
        `^revision 3  ${time}; first as revision 2, ${time}\n  ~ HTTPProxy/default/a-test\n  - Secret/default/secure\nrevision 1  ${time}\n  \\+ HTTPProxy/default/a-test\n  \\+ Secret/default/secure\n$`,
      ),
    );
    expect(out).not.toMatch(/LS0t|PRIVATE/);
    expect(await publish(url, [], { file: [], rollback: "1", expect: "2" })).toBe(1);
    expect(err.at(-1)).toContain("412 other-revision");
    expect(await publish(url, [], { file: [], rollback: "1", dryRun: true })).toBe(0);
    expect(err.join("\n")).toMatch(/^ *a\.test.*\n *\+ http/m);
    expect(await publish(url, [], { file: [], rollback: "1", expect: "3" })).toBe(0);
    expect(store.object("HTTPProxy/default/a-test")?.spec).toMatchObject({ virtualhost: { fqdn: "a.test" } });
    expect(store.object("Secret/default/secure")).toBeDefined();
    out = "";
    expect(await history(url, { last: "1", format: "json" })).toBe(0);
    expect(JSON.parse(out)).toMatchObject([
      {
        revision: 4,
        by: "ci",
        changes: { added: { refs: ["Secret/default/secure"] }, changed: { count: 1 } },
      },
    ]);
    expect(await publish(url, [], { file: [], rollback: "2" })).toBe(0);
    expect(err.at(-1)).toContain("web at revision 5 with the content of revision 2");
  });

  it("refuse unsupported uses", async () => {
    const server = await start();
    onTestFinished(() => server.close());
    expect(await history(server.url)).toBe(1);
    expect(err.at(-1)).toContain("(404): no source has this name");
    expect(await history(server.url, { source: "other" })).toBe(1);
    expect(err.at(-1)).toContain("403");
    expect(await publish(server.url, [good])).toBe(0);
    expect(await publish(server.url, [], { file: [], rollback: "7" })).toBe(1);
    expect(err.at(-1)).toContain("404 revision-not-kept): revision 7 is not kept; kept revisions: 1");
    await expect(publish(server.url, [good], { rollback: "1" })).rejects.toThrow("omit -f");
    await expect(history(server.url, { last: "0" })).rejects.toThrow("expected a number from 1");
    await server.close();
    expect(await history(server.url)).toBe(3);
  });
});

describe("an edit that breaks its object", () => {
  it("is reported with the revision that is served instead, and sets the exit code", async () => {
    const server = await start();
    onTestFinished(() => server.close());
    expect(await publish(server.url, [good])).toBe(0);
    const broken = { ...good, spec: { ...good.spec, routes: [{ services: [{ name: "no", port: 80 }] }] } };
    for (const options of [{ dryRun: true }, {}, { format: "json" }] as const) {
      out = "";
      expect(await publish(server.url, [broken], options)).toBe(1);
      expect(out).toContain("its text of revision 1 of the source is served until it is fixed or removed");
    }
    expect(err.at(-1)).toBe(
      "web at revision 3: 1 object published; the served configuration stays the same, 2 errors, 0 warnings",
    );
    expect(await publish(server.url, [broken], { strict: true })).toBe(1);
    expect(err.at(-1)).toContain("422 invalid-objects");
  });
});

describe("forgotten settings", () => {
  it("lead to a refusal, in a dry run too, unless --default-settings is given", async () => {
    const server = await start();
    onTestFinished(() => server.close());
    await writeFile(join(folder, "settings.yaml"), "routeShards: 1\n");
    const settings = join(folder, "settings.yaml");
    expect(await publish(server.url, [good], { settings })).toBe(0);
    for (const more of [{}, { dryRun: true }, { strict: true }]) {
      expect(await publish(server.url, [good], more)).toBe(1);
      expect(err.at(-1)).toContain("409 settings-missing");
      expect(err.at(-1)).toContain("--default-settings");
    }
    expect(await publish(server.url, [good], { settings })).toBe(0);
    expect(await publish(server.url, [good], { defaultSettings: true, dryRun: true })).toBe(0);
    expect(await publish(server.url, [good], { defaultSettings: true })).toBe(0);
    expect(await publish(server.url, [good])).toBe(0);
    expect(await publish(server.url, [], { file: [], rollback: "1" })).toBe(0);
    expect(await publish(server.url, [], { file: [], rollback: "3" })).toBe(1);
    expect(err.at(-1)).toContain("settings-missing");
    await expect(publish(server.url, [good], { settings, defaultSettings: true })).rejects.toThrow(
      "contradict",
    );
  });
});
