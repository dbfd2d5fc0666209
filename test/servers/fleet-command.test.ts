import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { exportCommand, importCommand } from "../../src/cli/fleet.js";
import { startServer } from "../../src/runtime/node/serve.js";
import { openSqliteStore } from "../../src/store/sqlite.js";
import { hostProxy, type Manifest, tlsSecret } from "../support/backend.js";
import { inDatabase } from "../support/database.js";
import { hasSqlite } from "../support/sqlite.js";

let folder: string;
let err: string[];
const file = (name: string): string => join(folder, name);
const admin = (): { tokenFile: string } => ({ tokenFile: file("admin.token") });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isoline-fleet-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  err = [];
  const spy = vi.spyOn(console, "error").mockImplementation((text) => void err.push(String(text)));
  onTestFinished(() => spy.mockRestore());
  const line = (role: string): string =>
    `${role} sha256:${createHash("sha256").update(role).digest("hex")} name=${role}`;
  writeFileSync(file("tokens"), ["admin", "read", "publish"].map(line).join("\n"));
  for (const role of ["admin", "read"]) writeFileSync(file(`${role}.token`), role);
});

async function start(name: string) {
  const store = await openSqliteStore(file(name));
  const server = await startServer({
    paths: [],
    push: true,
    tokensFile: file("tokens"),
    store,
    host: "127.0.0.1",
    port: 0,
    log: () => undefined,
  });
  const close = async (): Promise<void> => {
    await server.close();
    store.close();
  };
  const get = async (path: string): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${server.url}${path}`, { headers: { authorization: "Bearer admin" } });
    return (await answer.json()) as Record<string, unknown>;
  };
  const push = async (source: string, objects: readonly Manifest[]): Promise<void> => {
    const answer = await fetch(`${server.url}/sources/${source}`, {
      method: "PUT",
      headers: { authorization: "Bearer publish" },
      body: JSON.stringify(objects),
    });
    expect(answer.status).toBe(200);
  };
  return { url: server.url, close, get, push };
}

const broken = { ...hostProxy("a.test", "x"), spec: { virtualhost: { fqdn: 7 } } } as unknown as Manifest;
const settings = { kind: "IsolineSettings", spec: { routeShards: 1 } };

/** A server with two sources; one has three contents, and the last one has an invalid object that stays. */
async function filled(name: string): ReturnType<typeof start> {
  const server = await start(name);
  await server.push("web", [hostProxy("a.test", "x")]);
  await server.push("web", [settings, hostProxy("a.test", "y"), tlsSecret("default", "secure")]);
  await server.push("web", [settings, broken, hostProxy("b.test", "y"), tlsSecret("default", "secure")]);
  await server.push("api", [hostProxy("api.test", "z")]);
  return server;
}

const served = async (server: Awaited<ReturnType<typeof start>>): Promise<unknown> => {
  const { sources } = await server.get("/sources");
  const { hosts } = await server.get("/graph");
  const { findings } = await server.get("/status");
  return { sources, hosts, findings };
};

describe.skipIf(!hasSqlite())("isoline fleet", () => {
  it("copies all sources, revisions and settings from one server to another; a repetition changes nothing", async () => {
    const from = await filled("one.db");
    expect(await exportCommand(from.url, { ...admin(), output: file("fleet.jsonl") })).toBe(0);
    expect(err.at(-1)).toBe(
      `4 revisions of 2 sources; ${file("fleet.jsonl")} contains private keys: only its owner may read it (mode 0600)`,
    );
    expect(statSync(file("fleet.jsonl")).mode & 0o777).toBe(0o600);
    expect(readFileSync(file("fleet.jsonl"), "utf8").split("\n")[0]).toBe('{"isoline":"fleet","version":1}');

    const to = await start("two.db");
    expect(await importCommand(file("fleet.jsonl"), to.url, admin())).toBe(0);
    expect(err.at(-1)).toBe("2 sources, 4 revisions, 0 refused");
    const before = await served(from);
    expect(JSON.stringify(before)).toContain("a.test");
    expect(await served(to)).toEqual(before);
    const { sequence } = await to.get("/status");
    expect(await importCommand(file("fleet.jsonl"), to.url, admin())).toBe(0);
    expect(await served(to)).toEqual(before);
    expect((await to.get("/status")).sequence).toEqual(sequence);
    // Pipelines continue with the same revisions.
    await to.push("web", [settings, hostProxy("b.test", "y")]);
    expect((await to.get("/sources/web")).revision).toBe(4);
    expect(await importCommand(file("fleet.jsonl"), to.url, admin())).toBe(0);
    expect((await to.get("/sources/web")).revision).toBe(4);
    await from.close();
    await to.close();
  });

  it("reads and writes the store file of a stopped server", async () => {
    const from = await filled("one.db");
    const before = await served(from);
    expect(
      await exportCommand(`sqlite:${file("one.db")}`, { output: file("x.jsonl") }).catch(String),
    ).toContain("is in use by");
    await from.close();
    expect(await exportCommand(`sqlite:${file("one.db")}`, { output: file("fleet.jsonl") })).toBe(0);
    expect(await importCommand(file("fleet.jsonl"), `sqlite:${file("two.db")}`, {})).toBe(0);
    const to = await start("two.db");
    expect(await served(to)).toEqual(before);
    await to.close();
  });

  it("copies sources of a store of an earlier version, which kept no texts", async () => {
    const samples = new URL("../support/stores/v2-last.sql", import.meta.url);
    inDatabase(file("old.db"), (database) => {
      for (const line of readFileSync(samples, "utf8").trim().split(";\n"))
        database.exec(line.replace(/;$/, ""));
    });
    expect(await exportCommand(`sqlite:${file("old.db")}`, { output: file("fleet.jsonl") })).toBe(0);
    expect(await importCommand(file("fleet.jsonl"), `sqlite:${file("two.db")}`, {})).toBe(0);
    const [old, copy] = [await start("old.db"), await start("two.db")];
    expect((await copy.get("/graph")).hosts).toEqual((await old.get("/graph")).hosts);
    expect((await copy.get("/sources/web")).revision).toBe(1);
    await old.close();
    await copy.close();
  });

  it("reports errors, and changes no existing data", async () => {
    const from = await filled("one.db");
    expect(
      await exportCommand(from.url, { tokenFile: file("read.token"), output: file("fleet.jsonl") }),
    ).toBe(3);
    expect(err.at(-1)).toContain("the answer is 401: unauthorized");
    expect(() => statSync(file("fleet.jsonl"))).toThrow();
    await exportCommand(from.url, { ...admin(), output: file("fleet.jsonl") });
    const text = readFileSync(file("fleet.jsonl"), "utf8");

    const to = await start("two.db");
    await to.push("mine", [hostProxy("b.test", "y")]);
    expect(await importCommand(file("fleet.jsonl"), to.url, admin())).toBe(1);
    expect(err.join("\n")).toContain("web at revision 3 is refused (409): in-another-source");
    expect((await to.get("/sources/api")).objects).toBe(1);

    for (const [content, message] of [
      ["", "expected a file that isoline fleet export has written"],
      ["kind: List", "expected a file that isoline fleet export has written"],
      ['{"isoline":"fleet","version":2}', "has version 2"],
      [text.slice(0, -100), "line 5 is not a line of an export"],
    ] as const) {
      writeFileSync(file("wrong.jsonl"), content);
      await expect(importCommand(file("wrong.jsonl"), to.url, admin())).rejects.toThrow(message);
    }
    expect(await exportCommand("http://127.0.0.1:1", { ...admin() })).toBe(3);
    await expect(exportCommand("nowhere", admin())).rejects.toThrow("expected a URL");
    await from.close();
    await to.close();
  });

  it("a server refuses an invalid copy, and other content for an existing number", async () => {
    const server = await filled("one.db");
    const put = async (revision: string, body: object | string): Promise<unknown> => {
      const answer = await fetch(`${server.url}/sources/web/revisions/${revision}`, {
        method: "PUT",
        headers: { authorization: "Bearer admin" },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
      return ((await answer.json()) as { code?: string }).code;
    };
    const copy = { at: 1, by: "x", text: "[]", held: [] };
    const before = await served(server);
    for (const [revision, body] of [
      ["9", "{"],
      ["9", "[]"],
      ["9", { ...copy, held: [{ kind: "Service" }] }],
      ["9", { ...copy, at: "now" }],
      ["x", copy],
      ["0", copy],
    ] as const)
      expect(await put(revision, body)).toBe("bad-revision");
    expect(await put("3", copy)).toBe("stale-revision");
    expect(await put("2", copy)).toBe("stale-revision");
    expect(await put("9", { ...copy, text: "a: [" })).toBe("not-readable");
    expect(await served(server)).toEqual(before);
    await server.close();
  });
});
