import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { stringify } from "yaml";
import { compileCommand } from "../../src/cli/compile.js";
import { type DiffCommandOptions, diffCommand } from "../../src/cli/diff.js";
import { UsageError } from "../../src/cli/usage.js";
import { startServer } from "../../src/runtime/node/serve.js";
import {
  endpointSlice,
  hostProxy,
  httpProxy,
  type Manifest,
  secret,
  service,
  tlsSecret,
} from "../support/backend.js";
import { freePort } from "../support/http.js";
import { HttpKube } from "../support/http-kube.js";
import { captureOutput } from "../support/output.js";

let folder = "";
let out = "";
let errors = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isoline-sides-"));
  out = "";
  errors = "";
  captureOutput(
    (text) => {
      out += text;
    },
    (line) => {
      errors += line;
    },
  );
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const yaml = (...manifests: readonly Manifest[]): string =>
  manifests.map((object) => stringify(object)).join("---\n");

function write(name: string, text: string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const run = (before?: string, after?: string, options: Partial<DiffCommandOptions> = {}): Promise<number> =>
  diffCommand(before, after, { from: [], to: [], format: "text", ...options });

interface Told {
  readonly changes: readonly {
    readonly kind: string;
    readonly name: string;
    readonly change: string;
    readonly risk: readonly string[];
  }[];
  readonly uncompared: readonly { readonly about: string; readonly reason: string; readonly side: string }[];
  readonly rewritten: { readonly objects: readonly string[] };
}
const told = async (...given: Parameters<typeof run>): Promise<Told> => {
  out = "";
  await run(given[0], given[1], { ...given[2], format: "json" });
  return JSON.parse(out) as Told;
};
const kinds = ({ changes }: Told): string[] =>
  changes.map(({ kind, change, name }) => `${kind} ${change} ${name}`);

const git = (...args: readonly string[]): string =>
  execFileSync("git", [
    "-C",
    folder,
    "-c",
    "user.name=a",
    "-c",
    "user.email=a@example.com",
    ...args,
  ]).toString();

function commit(): void {
  if (!existsSync(join(folder, ".git"))) git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-qm", "one", "--allow-empty");
}

const [a, b] = [service("default", "a"), service("default", "b")];
const host = (to: string, fqdn = "x.test"): Manifest => hostProxy(fqdn, to);

it("a host with too many requests to try them all is not compared", async () => {
  const routes = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      conditions: [{ prefix: `/p${i}` }],
      services: [{ name: "a", port: 80 }],
    }));
  const many = (count: number): string =>
    write(
      `${count}.yaml`,
      yaml(a, httpProxy("default", "x", { virtualhost: { fqdn: "x.test" }, routes: routes(count) })),
    );
  const { uncompared } = await told(many(1), many(1100));
  expect(uncompared).toMatchObject([
    { reason: "untried", message: expect.stringContaining("only 2000 requests") },
  ]);
});

it("an object that the schema refuses is compared by its text, and is not listed where that is the same", async () => {
  const placeholder = (rest = ""): string =>
    `apiVersion: projectcontour.io/v1\nkind: HTTPProxy\nmetadata: {name: p}\nspec: {virtualhost: {fqdn: "\${HOST}"}${rest}}\n`;
  const before = write("before.yaml", placeholder());
  const same = write("same.yaml", placeholder());
  const other = write("other.yaml", placeholder(", routes: []"));
  expect(await told(before, same)).toMatchObject({ uncompared: [], rewritten: { objects: [] } });
  expect((await told(before, other)).uncompared).toMatchObject([
    { about: "HTTPProxy/default/p", side: "both" },
  ]);
});

describe("files that can't be read", () => {
  it("are each named with their error, on the side where they are", async () => {
    const before = write("a/x.yaml", yaml(a, b, host("a")));
    write("b/x.yaml", yaml(a, b, host("a")));
    write("b/y.yaml", "a: [");
    write("b/z.yaml", "b: [");
    expect(await run(before, join(folder, "b"), { exitCode: true })).not.toBe(0);
    expect(out).toMatch(/\? not valid after: \S+b\/y.yaml: /);
    expect(out).toMatch(/\? not valid after: \S+b\/z.yaml: /);
    expect(out).not.toContain("File/");
  });
});

describe("a side in git", () => {
  it("is read at the paths of the other side, and leaves the work tree as it is", async () => {
    const file = write("manifests/x.yaml", yaml(a, b, host("a")));
    commit();
    writeFileSync(file, yaml(a, b, host("b")));
    write("manifests/new.yaml", yaml(host("a", "new.test")));
    const before = git("status", "--porcelain=v2", "--untracked-files=all");
    const index = readFileSync(join(folder, ".git/index"));
    expect(kinds(await told("git:main", join(folder, "manifests")))).toEqual(
      ["route changed prefix /", "host added new.test (http)", "cluster added default/b/80"].toSorted(
        (x, y) => (x.startsWith("route") ? -1 : y.startsWith("route") ? 1 : 0),
      ),
    );
    expect(readFileSync(join(folder, ".git/index")).equals(index)).toBe(true);
    expect(git("status", "--porcelain=v2", "--untracked-files=all")).toBe(before);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("isoline-git-"))).toEqual([]);
  });

  it("names files as they are in the commit", async () => {
    const file = write("manifests/x.yaml", `${yaml(a, host("a"))}---\nkind: [`);
    commit();
    writeFileSync(file, yaml(a, host("a")));
    expect(await run("git:main", join(folder, "manifests"))).toBe(3);
    expect(errors).toContain("git:main:manifests/x.yaml:");
    expect(errors).not.toContain("isoline-git-");
  });

  it("may be both sides, of paths of their own", async () => {
    write("old/x.yaml", yaml(a, b, host("a")));
    write("new/x.yaml", yaml(a, b, host("b")));
    commit();
    vi.spyOn(process, "cwd").mockReturnValue(folder);
    expect(kinds(await told("git:main:old", "git:HEAD:new"))).toContain("route changed prefix /");
    expect(kinds(await told("git:main:old", "git:main"))).toEqual([]);
  });

  it("is empty at a path that the other side alone has", async () => {
    write("manifests/x.yaml", yaml(a, host("a")));
    commit();
    write("new/y.yaml", yaml(a, host("a", "new.test")));
    expect(kinds(await told("git:main", join(folder, "new")))).toContain("host added new.test (http)");
    expect(errors).toMatch(/git:main has no .*new, which counts as empty/);
  });

  it("that is not there is an error that says what to do", async () => {
    write("manifests/x.yaml", yaml(a, host("a")));
    commit();
    const manifests = join(folder, "manifests");
    await expect(run("git:gone", manifests)).rejects.toThrow(
      /git:gone: .* no such branch, tag or commit; fetch it first/,
    );
    await expect(run("git:--upload-pack=x", manifests)).rejects.toThrow(/no such branch/);
    await expect(run(`git:main:${join(folder, "none")}`, manifests)).rejects.toThrow(/has no .*none/);
    await expect(run("git:main:/", manifests)).rejects.toThrow(/not a git repository/);
    rmSync(join(folder, ".git"), { recursive: true });
    await expect(run("git:main", manifests)).rejects.toThrow(/not a git repository/);
    await expect(run("git:", manifests)).rejects.toThrow(UsageError);
  });

  it("follows links inside the commit alone", async () => {
    const secret = mkdtempSync(join(tmpdir(), "isoline-outside-"));
    onTestFinished(() => rmSync(secret, { recursive: true }));
    writeFileSync(join(secret, "x.yaml"), yaml(host("a", "outside.test")));
    write("shared/inside.yaml", yaml(host("a", "inside.test")));
    write("manifests/a.yaml", yaml(a));
    symlinkSync("../shared/inside.yaml", join(folder, "manifests/link.yaml"));
    symlinkSync(join(secret, "x.yaml"), join(folder, "manifests/out.yaml"));
    symlinkSync(`../../${secret}`, join(folder, "manifests/up"));
    symlinkSync("..", join(folder, "manifests/round"));
    commit();
    for (const name of ["link.yaml", "out.yaml", "up", "round"]) rmSync(join(folder, "manifests", name));
    const found = kinds(await told("git:main", join(folder, "manifests")));
    expect(errors).toMatch(
      /git:main:manifests\/out.yaml: warning: is a link, and its target is not a file of the commit/,
    );
    expect(found).toEqual([
      "host removed inside.test (http)",
      "listener removed ingress_http",
      "cluster removed default/a/80",
    ]);
  });

  it("takes no path of a tree that leads elsewhere, nor a line end for the end of a name", async () => {
    write("manifests/a\nHEAD:secret.yaml", yaml(a, host("a")));
    write("manifests/tab\there.yaml", yaml(b));
    commit();
    const blob = git("hash-object", "-w", "manifests/tab\there.yaml").trim();
    const inner = execFileSync("git", ["-C", folder, "mktree"], { input: `100644 blob ${blob}\tx.yaml\n` })
      .toString()
      .trim();
    const bad = execFileSync("git", ["-C", folder, "mktree"], { input: `040000 tree ${inner}\t..\n` })
      .toString()
      .trim();
    const root = git("rev-parse", "HEAD^{tree}").trim();
    expect(root).not.toBe(bad);
    const evil = git("commit-tree", bad, "-m", "evil").trim();
    vi.spyOn(process, "cwd").mockReturnValue(folder);
    expect(await run(`git:${evil}:.`, join(folder, "manifests"))).toBe(3);
    expect(errors).toContain("is not a valid path");
    expect(kinds(await told("git:main", join(folder, "manifests")))).toEqual([]);
  });

  it("tells text that has changed although traffic has not", async () => {
    const file = write("manifests/x.yaml", yaml(a, host("a"), secret("default", "unused", {})));
    commit();
    writeFileSync(file, `# new\n${yaml(a, host("a"), secret("default", "other", {}))}`);
    expect(await run("git:main", join(folder, "manifests"), { exitCode: true })).toBe(0);
    expect(out).toBe(
      "no change for traffic; written differently: Secret/default/other (new), Secret/default/unused (gone), Service/default/a (comments or layout)\n",
    );
  });
});

describe("a side that is saved", () => {
  it("is what isoline compile writes, as JSON or YAML", async () => {
    const before = write("x.yaml", yaml(a, b, host("a"), endpointSlice("default", "a", 8080)));
    const after = write("y.yaml", yaml(a, b, host("b")));
    for (const format of ["json", "yaml"] as const) {
      const output = join(folder, `saved.${format}`);
      await compileCommand({ file: [before], output, format });
      expect(await run(`snapshot:${output}`, before, { exitCode: true })).toBe(0);
      expect(kinds(await told(`snapshot:${output}`, after))).toEqual([
        "route changed prefix /",
        "cluster removed default/a/80",
        "cluster added default/b/80",
      ]);
    }
  });

  it("is refused when it is something else", async () => {
    const file = write("x.yaml", yaml(a));
    await expect(run(`snapshot:${file}`, file)).rejects.toThrow(/is not the output of isoline compile/);
    await expect(run(`snapshot:${join(folder, "none")}`, file)).rejects.toThrow(/none/);
    await expect(run("snapshot:", file)).rejects.toThrow(UsageError);
  });
});

describe("a side of a cluster", () => {
  it("takes files over what is there", async () => {
    const kube = await HttpKube.start();
    onTestFinished(() => kube.end());
    kube.put("services", a);
    kube.put("services", b);
    kube.put("httpproxies", host("a"));
    kube.put("httpproxies", host("a", "other.test"));
    kube.put("endpointslices", endpointSlice("default", "b", 8080));
    const file = write("x.yaml", yaml(host("b")));
    const { kubeconfig } = kube;
    expect(await run("kube", "kube", { kubeconfig, exitCode: true })).toBe(0);
    const laid = await told(undefined, undefined, { kubeconfig, from: ["kube"], to: ["kube:one", file] });
    expect(kinds(laid)).toEqual(["route changed prefix /", "cluster added default/b/80"]);
    expect(laid.uncompared).toEqual([]);
    // Files alone lack the other host; what they refer to is assumed, and not compared.
    const alone = await told("kube", file, { kubeconfig });
    expect(kinds(alone)).toContain("host removed other.test (http)");
    expect(alone.uncompared).toMatchObject([
      { about: "Service/default/b", reason: "assumed", side: "after" },
    ]);
    await expect(run("kube:none", file, { kubeconfig })).rejects.toThrow(/none/);
    await kube.stop();
    await expect(run("kube", file, { kubeconfig })).rejects.toThrow(/ECONNREFUSED|unreachable|reach/);
  });
});

describe("a side of a server", () => {
  const objects = (to: string, fields: Manifest = {}): string =>
    yaml(
      a,
      b,
      tlsSecret("default", "secure"),
      endpointSlice("default", "a", 8080),
      httpProxy("default", "x", {
        virtualhost: { fqdn: "x.test", tls: { secretName: "secure" } },
        routes: [
          { services: [{ name: to, port: 80 }], ...fields },
          {
            conditions: [{ prefix: "/in" }, { header: { name: "x-key", exact: "hunter2" } }],
            services: [{ name: "a", port: 80 }],
          },
        ],
      }),
    );

  async function serve(
    text: string,
    more: object = {},
  ): Promise<{ readonly url: string; readonly file: string }> {
    const file = write("served.yaml", text);
    const port = await freePort();
    const server = await startServer({
      paths: [file],
      host: "127.0.0.1",
      port,
      log: () => undefined,
      ...more,
    });
    onTestFinished(() => server.close());
    return { url: `http://127.0.0.1:${port}`, file };
  }

  /** The options of a server that asks for tokens, and of a client that has one of the role read. */
  function reader(): { readonly tokensFile: string; readonly tokenFile: string } {
    const digest = createHash("sha256").update("token").digest("hex");
    return {
      tokensFile: write("tokens.txt", `read sha256:${digest} name=reviewer\n`),
      tokenFile: write("read.token", "token\n"),
    };
  }

  it("is compared whole, also where it serves route tables in parts", async () => {
    const settingsFile = write("s.yaml", stringify({ routeShards: 16 }));
    const { url, file } = await serve(objects("a"), { settingsFile });
    expect(await told(`xds:${url}`, file)).toMatchObject({ changes: [], uncompared: [] });
    const other = write("y.yaml", objects("b", { timeoutPolicy: { response: "3s" } }));
    const found = await told(`xds:${url}`, other);
    expect(kinds(found).filter((one) => one.startsWith("route"))).toEqual(["route changed prefix /"]);
  });

  it("tells another certificate or key by its digest", async () => {
    const { url } = await serve(objects("a"));
    const { data } = tlsSecret("default", "tcp") as { readonly data: object };
    const renewed = yaml({ ...tlsSecret("default", "secure"), data });
    const file = write("y.yaml", `${objects("a")}---\n${renewed}`);
    expect(kinds(await told(`xds:${url}`, file))).toEqual(["certificate changed default/secure"]);
  });

  it("shows no key, and to the role read not what requests are compared with, which is told", async () => {
    const { tokensFile, tokenFile } = reader();
    const { url, file } = await serve(objects("a"), { tokensFile });
    await expect(run(`xds:${url}`, file)).rejects.toThrow(/401/);
    const same = await told(`xds:${url}`, file, { tokenFile });
    expect(same).toMatchObject({ changes: [], uncompared: [{ reason: "hidden" }] });
    expect(await run(`xds:${url}`, file, { tokenFile, exitCode: true })).toBe(1);
    expect(out).toContain("a token of the role admin shows all but credentials");
    const other = write("y.yaml", objects("a").replace("hunter2", "hunter3"));
    expect(await told(`xds:${url}`, other, { tokenFile })).toMatchObject({ changes: [] });
    const text = await (await fetch(`${url}/config`, { headers: { authorization: "Bearer token" } })).text();
    expect(text).toContain("x.test");
    expect(text).toMatch(/sha256:[0-9a-f]{64}/);
    expect(text).not.toMatch(/hunter2|BEGIN|LS0t/);
  });

  it("that can't be reached, or is none, is an error", async () => {
    const file = write("x.yaml", yaml(a));
    await expect(run(`xds:http://127.0.0.1:${await freePort()}`, file)).rejects.toThrow(
      /nothing listens there/,
    );
    await expect(run("xds:http://example.com", file)).rejects.toThrow(UsageError);
    await expect(run("xds:nothing", file)).rejects.toThrow(UsageError);
  });
});

describe("sides", () => {
  it("are named once each", async () => {
    const file = write("x.yaml", yaml(a));
    const wrong: readonly Parameters<typeof run>[] = [
      [],
      [file],
      [file, file, { from: [file] }],
      [file, file, { to: [file] }],
      [undefined, undefined, { from: [file] }],
      ["-", "-"],
      [`snapshot:${file}`, undefined, { to: [file, "xds:http://127.0.0.1:1"] }],
    ];
    for (const given of wrong) await expect(run(...given)).rejects.toThrow(UsageError);
    expect(await run(file, undefined, { to: [file] })).toBe(0);
    expect(await run(file, undefined, { from: [file] })).toBe(0);
  });

  it("may have several parts, of which the later counts", async () => {
    const [one, two, three] = [yaml(a, b, host("a")), yaml(host("b")), yaml(a, b, host("b"))].map((text, i) =>
      write(`${i}.yaml`, text),
    );
    const [x, y, z] = [one ?? "", two ?? "", three ?? ""];
    expect(await run(undefined, undefined, { from: [z], to: [x, y], exitCode: true })).toBe(0);
    expect(await run(undefined, undefined, { from: [z], to: [y, x], exitCode: true })).toBe(1);
  });
});

describe("the summary of a step", () => {
  it("gets the Markdown beside the output", async () => {
    const file = write("summary.md", "before\n");
    const [x, y] = [write("x.yaml", yaml(a, b, host("a"))), write("y.yaml", yaml(a, b, host("b")))];
    vi.stubEnv("GITHUB_STEP_SUMMARY", file);
    await run(x, y, { stepSummary: true });
    expect(out).toContain("x.test  [backends-changed]");
    const text = readFileSync(file, "utf8");
    expect(text).toMatch(/^before\n<!-- isoline diff -->\n/);
    expect(text).toContain("backends&#45;changed".replace("&#45;", "-"));
    vi.stubEnv("GITHUB_STEP_SUMMARY", "");
    await expect(run(x, y, { stepSummary: true })).rejects.toThrow(UsageError);
  });
});
