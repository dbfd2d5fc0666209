import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { stringify } from "yaml";
import { bootstrapCommand } from "../../src/cli/bootstrap.js";
import { compileCommand } from "../../src/cli/compile.js";
import { revokeCommand, tokenCommand } from "../../src/cli/token.js";
import { appendPrivateFile, replacePrivateFile } from "../../src/platform/private-file.js";
import { createSqliteStore } from "../../src/store/sqlite.js";
import { hostProxy, service, tlsSecret } from "../support/backend.js";

let folder = "";
let umask = 0;
beforeEach(() => {
  umask = process.umask(0);
  folder = mkdtempSync(join(tmpdir(), "isoline-private-"));
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});
afterEach(() => {
  process.umask(umask);
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const modeOf = (path: string): number => lstatSync(path).mode & 0o777;

/** Every command that writes files with keys or tokens; the function gets the path. */
const writers: readonly (readonly [string, (path: string) => unknown])[] = [
  ["replacePrivateFile", (path) => replacePrivateFile(path, ["a", Buffer.from("b")])],
  ["appendPrivateFile", (path) => appendPrivateFile(path, "text")],
  ...(["json", "yaml"] as const).map(
    (format) => [`compile -o --format ${format}`, (path: string) => compile(path, { format })] as const,
  ),
  ["compile --status -o", (path) => compile(path, { status: true })],
  ["bootstrap", (path) => bootstrapCommand(path, { xds: "http://127.0.0.1:18000" })],
  ["token --file", (path) => tokenCommand("read", { file: path })],
  ["token --envoy-file", (path) => tokenCommand("node", { envoyFile: path })],
  [
    "token revoke",
    async (path) => {
      if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
        await tokenCommand("read", { name: "x", file: path });
        chmodSync(path, 0o644);
      }
      revokeCommand("x", path);
    },
  ],
  ["serve --store sqlite:", (path) => createSqliteStore(path).close()],
];

async function compile(output: string, options: object): Promise<void> {
  const file = join(folder, "objects.yaml");
  const objects = [service("default", "a"), hostProxy("a.test", "a"), tlsSecret("default", "secure")];
  writeFileSync(file, objects.map((one) => stringify(one)).join("---\n"));
  await compileCommand({ file: [file], output, format: "json", ...options });
}

describe.each(writers)("%s", (_, write) => {
  it("creates a file that only its owner can read", async () => {
    const path = join(folder, "new");
    await write(path);
    expect(modeOf(path)).toBe(0o600);
  });

  it("leaves one that others could read for its owner alone", async () => {
    const path = join(folder, "old");
    writeFileSync(path, "");
    chmodSync(path, 0o666);
    await write(path);
    expect(modeOf(path)).toBe(0o600);
    expect(readdirSync(folder).filter((name) => name.endsWith(".new"))).toEqual([]);
  });

  it.each([
    ["a file", "victim"],
    ["nothing", "missing"],
  ])("follows no symbolic link to %s", async (_, name) => {
    const target = join(folder, name);
    if (name === "victim") {
      writeFileSync(
        target,
        "read sha256:0000000000000000000000000000000000000000000000000000000000000000 name=x\n",
      );
      chmodSync(target, 0o644);
    }
    const before = existsSync(target) && readFileSync(target, "utf8");
    const path = join(folder, "link");
    symlinkSync(target, path);
    await expect((async () => write(path))()).rejects.toThrow(/symbolic link|ENOENT/);
    expect(existsSync(target) && readFileSync(target, "utf8")).toBe(before);
    if (before !== false) expect(modeOf(target)).toBe(0o644);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });
});

describe("compile --format envoy-files", () => {
  it("creates files that only their owner can read", async () => {
    const out = join(folder, "out");
    mkdirSync(out);
    writeFileSync(join(out, "secrets.json"), "old");
    chmodSync(join(out, "secrets.json"), 0o644);
    await compile(out, { format: "envoy-files" });
    const files = readdirSync(out);
    expect(files).toContain("listeners.json");
    for (const name of files.filter((name) => name !== "secrets.json"))
      expect(modeOf(join(out, name))).toBe(0o600);
  });
});

describe("replacePrivateFile", () => {
  it("writes nothing into the old file: neither through a hard link nor for a process that has it open", () => {
    const path = join(folder, "keys");
    writeFileSync(path, "old");
    linkSync(path, join(folder, "hard"));
    const opened = openSync(path, "r");
    replacePrivateFile(path, ["new"]);
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(readFileSync(join(folder, "hard"), "utf8")).toBe("old");
    expect(readFileSync(opened, "utf8")).toBe("old");
  });

  it("leaves only the old file when it fails", () => {
    const path = join(folder, "keys");
    writeFileSync(path, "old");
    const failing = function* (): Generator<string> {
      yield "new";
      throw new Error("no more");
    };
    expect(() => replacePrivateFile(path, failing())).toThrow("no more");
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["keys"]);
    mkdirSync(join(folder, "inner"));
    expect(() => replacePrivateFile(join(folder, "inner"), ["x"])).toThrow();
    expect(readdirSync(folder).sort()).toEqual(["inner", "keys"]);
  });

  it("writes to a device without changing its mode", () => {
    const before = modeOf("/dev/null");
    replacePrivateFile("/dev/null", ["x"]);
    appendPrivateFile("/dev/null", "x");
    expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
    expect(modeOf("/dev/null")).toBe(before);
  });
});

describe("a SQLite store", () => {
  it("makes journals of a killed process, and the files that it moves aside, readable only for their owner", () => {
    const path = join(folder, "isoline.db");
    createSqliteStore(path).close();
    writeFileSync(path, "this is no database, but 4096 bytes of something else".padEnd(4096, "x"));
    writeFileSync(`${path}-journal`, "");
    for (const name of [path, `${path}-journal`]) chmodSync(name, 0o644);
    createSqliteStore(path).close();
    expect(modeOf(`${path}.corrupt`)).toBe(0o600);
    for (const name of readdirSync(folder).filter((name) => !name.endsWith(".lock")))
      expect(modeOf(join(folder, name)), name).toBe(0o600);
  });

  it("follows no symbolic link of a journal", () => {
    const path = join(folder, "isoline.db");
    createSqliteStore(path).close();
    const victim = join(folder, "victim");
    symlinkSync(victim, `${path}-journal`);
    expect(() => createSqliteStore(path)).toThrow(/symbolic link/);
    expect(existsSync(victim)).toBe(false);
  });
});
