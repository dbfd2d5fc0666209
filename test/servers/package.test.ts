import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";

const exec = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const MB = 1_000_000;

/** A folder where the packed package is installed, without the network. */
const at = mkdtempSync(join(tmpdir(), "isoline-package-"));
afterAll(() => rmSync(at, { recursive: true, force: true }));
const packageFolder = join(at, "node_modules/isoline");
const examples = join(packageFolder, "examples/quickstart");

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

const pack = async (folder: string): Promise<Packed> => {
  // The tests share one build; prepack would repeat it while they run.
  const args = ["pack", folder, "--ignore-scripts", "--json", "--pack-destination", at];
  const { stdout } = await exec("npm", args, { cwd: root });
  const [packed] = JSON.parse(stdout) as readonly Packed[];
  if (!packed) throw new Error(`npm pack ${folder} printed no package`);
  return packed;
};

let packed: Packed;

beforeAll(async () => {
  await exec(
    process.execPath,
    ["-e", 'import("./scripts/prepack.mjs").then(({ buildTypes }) => buildTypes())'],
    { cwd: root },
  );
  packed = await pack(".");
  const dependency = await pack("./node_modules/node-sqlite3-wasm");
  writeFileSync(join(at, "package.json"), '{"type": "module"}');
  const files = [packed, dependency].map(({ filename }) => join(at, filename));
  await exec("npm", ["install", "--offline", "--no-audit", "--no-fund", ...files], { cwd: at });
});

interface Run {
  readonly code: number;
  readonly output: string;
}

/** Runs a program of the installed package, as `npx isoline` does. */
async function run(...args: readonly string[]): Promise<Run> {
  const command = join(at, "node_modules/.bin/isoline");
  try {
    const { stdout, stderr } = await exec(command, args, { cwd: at });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

const sizeOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);

describe("the npm package", () => {
  it("is small, packed and installed, and has no source maps", () => {
    expect(packed.size).toBeLessThan(2 * MB);
    expect(sizeOf(join(at, "node_modules"))).toBeLessThan(25 * MB);
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => /\.map$|worker\.js$|^(?:src|test|scripts)\//.test(path))).toEqual([]);
    expect(paths).toEqual(
      expect.arrayContaining(["LICENSE", "README.md", "CHANGELOG.md", "dist/isoline.js"]),
    );
  });

  it("is public, and has the packages that are not bundled as its only dependencies", () => {
    const manifest = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as object;
    expect(manifest).not.toHaveProperty("private");
    expect(manifest).toHaveProperty("dependencies", { "node-sqlite3-wasm": expect.any(String) });
  });

  it("prints one line with the needed version on an old Node", async () => {
    const old = 'Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.18.3"}})';
    const program = join(packageFolder, "dist/isoline.js");
    const start = exec(process.execPath, ["--import", `data:text/javascript,${old}`, program, "--version"]);
    await expect(start).rejects.toMatchObject({
      code: 2,
      stdout: "",
      stderr: "isoline: Node 20.19 or newer is required; this is Node 20.18.3\n",
    });
  });
});

describe("the library", () => {
  const page = readFileSync(join(root, "docs/library.md"), "utf8");
  const [, example = ""] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
  const [, printed = ""] = /prints\n\n```\n([\s\S]*?)```/.exec(page) ?? [];

  it("runs the example of its page", async () => {
    writeFileSync(join(at, "example.mjs"), example);
    const { stdout } = await exec(process.execPath, ["example.mjs"], { cwd: at });
    expect(stdout).toBe(printed);
  });

  it("has types that compile strictly without other packages", async () => {
    writeFileSync(
      join(at, "typed.ts"),
      `import { compile, explain, type Explanation, type Finding } from "isoline";
const compiled = compile([{ kind: "Service" }], { settings: { disableMergeSlashes: true } });
export const findings: readonly Finding[] = compiled.findings;
export const names: unknown[] = (compiled.xds.clusters?.resources ?? []).map((one) => one.name);
export const { outcome }: Explanation = explain(compiled, { url: "http://a.example.com/", headers: { "x-a": "1" } });
// @ts-expect-error: a request has a URL.
explain(compiled, { method: "GET" });
`,
    );
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const compilerOptions = { noEmit: true, strict: true, module: "nodenext", target: "es2022", types: [] };
    writeFileSync(join(at, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["typed.ts"] }));
    await exec(process.execPath, [tsc, "-p", at]).catch(({ stdout }: { stdout: string }) =>
      expect.fail(stdout),
    );
  });

  it("reports what it can't read, and compiles the rest", async () => {
    const script = `
      import { compile, explain, RequestSyntaxError } from "isoline";
      const { findings, xds } = compile("a: [\\n---\\nkind: Service\\napiVersion: v1\\nmetadata: {name: A B}");
      let refused = false;
      try { explain(compile([]), { url: "shop" }); } catch (error) { refused = error instanceof RequestSyntaxError; }
      console.log(JSON.stringify([findings.map(({ about, reason }) => [about, reason]), xds.listeners !== undefined, refused]));`;
    writeFileSync(join(at, "bad.mjs"), script);
    const { stdout } = await exec(process.execPath, ["bad.mjs"], { cwd: at });
    const [findings, hasListeners, refused] = JSON.parse(stdout) as [[string, string][], boolean, boolean];
    expect(findings).toContainEqual(["File//", "NotReadable"]);
    expect(findings.length).toBeGreaterThan(1);
    expect([hasListeners, refused]).toEqual([true, true]);
  });
});

/** What each command is run with, and what it prints. */
const commands: Readonly<Record<string, { args: readonly string[]; code?: number; prints: RegExp }>> = {
  compile: { args: ["-f", examples], prints: /"clusters":/ },
  check: { args: ["-f", examples], prints: /0 errors/ },
  explain: { args: ["-f", examples, "GET", "http://echo.com/"], prints: /to echo\/echo/ },
  graph: { args: ["-f", examples, "echo.com", "--format", "text"], prints: /echo\.com/ },
  migrate: { args: ["-f", join(root, "examples/migrate/ingressroute.yaml")], prints: /kind: HTTPProxy/ },
  status: { args: ["--xds", "http://127.0.0.1:1"], code: 3, prints: /127\.0\.0\.1:1/ },
  envoy: { args: ["--flags"], prints: /UAEX/ },
  test: { args: ["-f", examples, "tests.yaml"], prints: /1 test: 1 passed/ },
  diff: { args: [examples, examples], prints: /^no change for traffic$/m },
  serve: { args: ["--listen", "127.0.0.1:0"], code: 2, prints: /-f PATH is required/ },
  publish: {
    args: ["-f", examples, "--to", "http://127.0.0.1:1", "--source", "web"],
    code: 3,
    prints: /127\.0\.0\.1:1/,
  },
  history: { args: ["--source", "web", "--xds", "http://127.0.0.1:1"], code: 3, prints: /127\.0\.0\.1:1/ },
  "accept-shrink": { args: ["Secret", "--xds", "http://127.0.0.1:1"], code: 3, prints: /127\.0\.0\.1:1/ },
  fleet: { args: ["export", "http://127.0.0.1:1"], code: 3, prints: /127\.0\.0\.1:1/ },
  token: { args: ["read", "--name", "ci"], prints: /^read sha256:\w{64} name=ci$/m },
  crds: { args: [], prints: /kind: CustomResourceDefinition/ },
  manifests: { args: ["server"], prints: /kind: Deployment/ },
  cost: { args: ["--envoys", "10"], prints: /requests a month/ },
  bootstrap: { args: ["-", "--xds", "http://127.0.0.1:18000"], prints: /"dynamic_resources"/ },
  schema: { args: ["settings"], prints: /"xdsCluster"/ },
  completion: { args: ["bash"], prints: /^complete .* isoline$/m },
  demo: { args: ["--port", "0"], code: 2, prints: /--port/ },
};

describe("each command of the package", () => {
  it("is in the list of this test", async () => {
    const { output } = await run("--help");
    const [, listed = ""] = output.split("Commands:\n");
    const names = [...listed.matchAll(/^ {2}(\w[\w-]*)/gm)].map(([, name]) => name);
    expect(names.filter((name) => name !== "help").sort()).toEqual(Object.keys(commands).sort());
  });

  it.each(Object.entries(commands))("%s", async (name, { args, code = 0, prints }) => {
    writeFileSync(
      join(at, "tests.yaml"),
      "tests: [{request: {url: 'http://blue-green.echo.com/'}, expect: {backend: echo/blue}}]",
    );
    const ran = await run(name, ...args);
    expect(ran.output).toMatch(prints);
    expect(ran.code, ran.output).toBe(code);
  });

  it("runs with npx", async () => {
    const { stdout } = await exec("npx", ["--no-install", "isoline", "--version"], { cwd: at });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+/);
  });

  it("serve answers a bootstrap's polls, with a store", async () => {
    const folder = join(at, "served");
    mkdirSync(folder);
    const port = await freePort();
    const server = spawn(
      join(at, "node_modules/.bin/isoline"),
      ["serve", "-f", examples, "--listen", `127.0.0.1:${port}`, "--store", `sqlite:${folder}/isoline.db`],
      { stdio: "ignore" },
    );
    onTestFinished(() => void server.kill("SIGKILL"));
    await eventually(
      async () => (await request({ port, path: "/readyz" }).catch(() => undefined))?.status === 200,
      "the server is ready",
    );
    expect((await run("explain", "--xds", `http://127.0.0.1:${port}`, "GET", "http://echo.com/")).code).toBe(
      0,
    );
  });

  it("demo serves the examples of the package, and ends without a trace", async () => {
    const [port, adminPort] = [await freePort(), await freePort()];
    const args = ["demo", "--port", `${port}`, "--admin-port", `${adminPort}`];
    const demo = spawn(join(at, "node_modules/.bin/isoline"), args, { cwd: at });
    onTestFinished(() => void demo.kill("SIGKILL"));
    let output = "";
    for (const stream of [demo.stdout, demo.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk));
    await eventually(() => {
      expect(demo.exitCode, output).toBe(null);
      return Promise.resolve(output.includes("Try:"));
    }, "the demo says what to try");
    const answer = await request({ port, host: "blue-green.echo.com" });
    expect(answer.echo()).toMatchObject({ service: "blue" });
    const [, file = ""] = /in (\S+blue-green\.yaml)/.exec(output) ?? [];
    expect(file).not.toContain("node_modules");
    writeFileSync(file, readFileSync(file, "utf8").replace("name: blue\n", "name: green\n"));
    await eventually(
      async () => (await request({ port, host: "blue-green.echo.com" })).body.includes("green"),
      "the edited copy is served",
    );
    const exited = new Promise((done) => demo.on("exit", done));
    demo.kill("SIGTERM");
    expect(await exited).toBe(0);
  });
});
