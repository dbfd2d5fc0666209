import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { KeptStore } from "../../src/runtime/node/kept-store.js";
import { lockFile } from "../../src/store/lock.js";
import { createSqliteStore } from "../../src/store/sqlite.js";
import { update } from "../../src/update.js";
import { hostProxy, httpProxy } from "../support/backend.js";
import { dump, parseCase, platform } from "../support/compile.js";
import { eventually } from "../support/envoy.js";
import { freePort } from "../support/http.js";
import { hasSqlite } from "../support/sqlite.js";

const folder = mkdtempSync(join(tmpdir(), "isoline-lock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = (): string => join(folder, `${++files}.sqlite`);

const isoline = join(import.meta.dirname, "../../dist/isoline.js");

interface Served {
  readonly child: ChildProcess;
  readonly url: string;
  output(): string;
  /** Undefined while it runs. */
  code(): number | null | undefined;
}

const kill = (child: ChildProcess, signal: NodeJS.Signals): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
    child.kill(signal);
  });

/** A server for pushes; `within` is a command that runs it. */
async function serve(file: string, within: readonly string[] = []): Promise<Served> {
  const port = await freePort();
  const args = [isoline, "serve", "--push", "--store", `sqlite:${file}`, "--listen", `127.0.0.1:${port}`];
  const [program = "", ...rest] = [...within, process.execPath, ...args];
  const child = spawn(program, rest, { stdio: ["ignore", "ignore", "pipe"] });
  onTestFinished(() => kill(child, "SIGKILL"));
  let text = "";
  child.stderr?.on("data", (data) => {
    text += String(data);
  });
  let code: number | null | undefined;
  child.once("exit", (ended) => {
    code = ended;
  });
  const made = { child, url: `http://127.0.0.1:${port}`, output: () => text, code: () => code };
  await eventually(async () => code !== undefined || text.includes("serves xDS"), "it serves or has ended");
  return made;
}

const host = (name: string): string =>
  JSON.stringify(
    httpProxy("shop", name, {
      virtualhost: { fqdn: `${name}.test` },
      routes: [{ directResponsePolicy: { statusCode: 200 } }],
    }),
  );
const push = async ({ url }: Served, name: string): Promise<number> =>
  (await fetch(`${url}/sources/${name}`, { method: "PUT", body: host(name) })).status;
const graph = async ({ url }: Served): Promise<string> => (await fetch(`${url}/graph`)).text();

const apart = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--net"];
const canUnshare = spawnSync("unshare", [...apart.slice(1), "true"]).status === 0;

describe.skipIf(!hasSqlite())("the lock of a store", { timeout: 60_000 }, () => {
  it("has one holder at a time, and names it", async () => {
    const file = newFile();
    const first = await lockFile(file);
    await expect(lockFile(file)).rejects.toThrow(`is in use by process ${process.pid} on `);
    expect(first.isHeld).toBe(true);
    first.release();
    const second = await lockFile(file);
    second.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("goes to one of many concurrent processes", async () => {
    for (let round = 0; round < 5; round++) {
      const file = newFile();
      const come = Array.from({ length: 6 }, () => lockFile(file));
      const taken = (await Promise.allSettled(come)).flatMap((one) =>
        one.status === "fulfilled" ? [one.value] : [],
      );
      expect(taken.length).toBeLessThan(2);
      for (const lock of taken) lock.release();
    }
  });

  it("works for a path that is too long for a socket", async () => {
    const deep = join(folder, "d".repeat(120));
    mkdirSync(deep);
    const lock = await lockFile(join(deep, "store.sqlite"));
    await expect(lockFile(join(deep, "store.sqlite"))).rejects.toThrow("is in use");
    lock.release();
    rmSync(deep, { recursive: true });
  });

  it("prevents writes after it is lost", async () => {
    const kept = await KeptStore.open(newFile(), () => undefined);
    kept.store.transaction(() => kept.store.setCursor("a", "1"));
    for (const name of readdirSync(folder).filter((name) => name.includes(".lock-")))
      rmSync(join(folder, name));
    expect(() => kept.store.transaction(() => kept.store.setCursor("a", "2"))).toThrow("lock");
    expect(kept.store.cursor("a")).toBe("1");
    kept.close();
  });

  it.each<[string, (file: string) => void]>([
    ["nothing", () => undefined],
    ["an empty owner", (file) => writeFileSync(`${file}.owner`, "")],
    ["an owner that is junk", (file) => writeFileSync(`${file}.owner`, "\0junk")],
    ["an owner that lives and is somebody else", (file) => writeFileSync(`${file}.owner`, "1\n")],
    ["a file in the place of a socket", (file) => writeFileSync(`${file}.lock-0123456789ab`, "")],
  ])("ends with a killed process, next to %s", async (_, leave) => {
    const file = newFile();
    const first = await serve(file);
    expect(await push(first, "one")).toBe(200);
    await kill(first.child, "SIGKILL");
    leave(file);
    const second = await serve(file);
    expect(await graph(second)).toContain("one.test");
    await kill(second.child, "SIGTERM");
    expect(second.code()).toBe(0);
    expect(readdirSync(folder).filter((name) => name.includes(".lock"))).toEqual([]);
  });

  it("stays with a stopped process", async () => {
    const file = newFile();
    const first = await serve(file);
    first.child.kill("SIGSTOP");
    const second = await serve(file);
    expect(second.code()).toBe(3);
    expect(second.output()).toContain("is in use by another process");
    await kill(first.child, "SIGKILL");
    expect((await serve(file)).code()).toBeUndefined();
  });

  it.skipIf(!canUnshare)("goes to one of two processes with PID 1 in their containers", async () => {
    const file = newFile();
    const first = await serve(file, apart);
    expect(first.code()).toBeUndefined();
    for (let i = 0; i < 3; i++) {
      const second = await serve(file, apart);
      expect(second.code()).toBe(3);
      expect(second.output()).toContain("is in use by process 1 on ");
    }
    await kill(first.child, "SIGKILL");
    await eventually(
      async () => (await serve(file, apart)).code() === undefined,
      "the next one has the file",
    );
  });
});

interface Wasm {
  readonly Database: new (file: string) => { exec(sql: string): void; close(): void };
}
const openRaw = (file: string): InstanceType<Wasm["Database"]> => {
  const database = new (createRequire(import.meta.url)("node-sqlite3-wasm") as Wasm).Database(file);
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  return database;
};

const objects = parseCase(
  `${JSON.stringify(hostProxy("a.test", "app"))}\n---\n${JSON.stringify(hostProxy("b.test", "app"))}`,
).objects;

describe.skipIf(!hasSqlite())("a store with damaged rows", { timeout: 60_000 }, () => {
  it.each([
    ["UPDATE unit SET findings = '['", true],
    ["UPDATE unit SET reads = 'null'", true],
    ["UPDATE unit SET resources = '{}'", true],
    ["UPDATE resource SET json = '{' WHERE type = 'virtual-host'", true],
    ["UPDATE object SET claims = '[' WHERE rowid = 1", true],
    ["UPDATE object SET json = substr(json, 1, 20) WHERE rowid = 1", false],
    ["UPDATE object SET json = '[]' WHERE rowid = 1", false],
    ["UPDATE cursor SET value = '' WHERE name = 'sequence'", true],
  ])("is put aside and replaced: %s", async (sql, isWhole) => {
    const file = newFile();
    const old = createSqliteStore(file);
    update(old, objects, platform);
    old.setCursor("sequence", "5");
    const before = dump(old);
    old.close();
    const raw = openRaw(file);
    raw.exec(sql);
    raw.close();
    const lines: string[] = [];
    const kept = await KeptStore.open(file, (line) => lines.push(line));
    onTestFinished(() => kept.close());
    const wrong = kept.check();
    expect(wrong).toBeDefined();
    expect(await kept.checkSlowly(new AbortController().signal)).toBe(wrong);
    kept.replace(wrong ?? "");
    expect(kept.check()).toBeUndefined();
    expect(existsSync(`${file}.corrupt`)).toBe(true);
    expect(lines.join("\n")).toContain(`is kept as ${file}.corrupt`);
    expect(kept.putAside).toBe(1);
    if (isWhole) expect(dump(kept.store)).toBe(before);
    expect(kept.store.cursor("sequence")).toBe(sql.includes("sequence") ? undefined : "5");
  });

  it("is served nevertheless", async () => {
    const file = newFile();
    const first = await serve(file);
    expect(await push(first, "one")).toBe(200);
    await kill(first.child, "SIGTERM");
    for (const sql of ["UPDATE resource SET json = '{'", "UPDATE object SET claims = '{'"]) {
      const raw = openRaw(file);
      raw.exec(sql);
      raw.close();
      const next = await serve(file);
      await eventually(async () => next.output().includes("is damaged"), "the damage is found");
      await eventually(async () => (await graph(next)).includes("one.test"), "the host is served");
      const metrics = await (await fetch(`${next.url}/metrics`)).text();
      expect(metrics).toContain("isoline_stores_put_aside_total 1");
      await kill(next.child, "SIGTERM");
    }
  });

  it("is put aside if it is not a database, with a log line", async () => {
    const file = newFile();
    writeFileSync(file, "no database".repeat(1000));
    const lines: string[] = [];
    const kept = await KeptStore.open(file, (line) => lines.push(line));
    expect(lines).toEqual([
      expect.stringMatching(/is damaged \(.*not a database.*\) and is kept as .*corrupt/),
    ]);
    kept.close();
  });

  it("is rolled back after a kill of a process without a write-ahead log", async () => {
    const [file, killed] = [newFile(), newFile()];
    const store = createSqliteStore(file);
    update(store, objects, platform);
    store.transaction(() => {
      for (let i = 0; i < 300; i++) store.setCursor(`c${i}`, "a".repeat(3000));
    });
    const before = dump(store);
    store.close();
    const raw = openRaw(file);
    raw.exec("PRAGMA journal_mode = DELETE");
    raw.exec("PRAGMA cache_size = 5");
    raw.exec("BEGIN");
    for (let i = 0; i < 300; i++)
      raw.exec(`UPDATE cursor SET value = '"${"b".repeat(3000)}"' WHERE name = 'c${i}'`);
    for (const end of ["", "-journal"]) copyFileSync(`${file}${end}`, `${killed}${end}`);
    raw.exec("ROLLBACK");
    raw.close();
    const kept = await KeptStore.open(killed, () => undefined);
    onTestFinished(() => kept.close());
    expect(dump(kept.store)).toBe(before);
    for (let i = 0; i < 300; i++) expect(kept.store.cursor(`c${i}`)?.[0]).toBe("a");
    expect(existsSync(`${killed}.corrupt`)).toBe(false);
  });
});
