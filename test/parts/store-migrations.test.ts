import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hostUnit } from "../../src/graph/core/keys.js";
import { Hub } from "../../src/server/hub.js";
import { PushedSources } from "../../src/sources/push/push-source.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { createSqliteStore } from "../../src/store/sqlite.js";
import type { Store } from "../../src/store/store.js";
import { refresh, unitsLeft } from "../../src/update.js";
import { dump, platform } from "../support/compile.js";
import { inDatabase } from "../support/database.js";
import { engineOf } from "../support/engine.js";
import { hasSqlite } from "../support/sqlite.js";

const folder = mkdtempSync(join(tmpdir(), "isoline-migrations-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const samples = new URL("../support/stores/", import.meta.url);
const names = readdirSync(samples).filter((name) => name.endsWith(".sql"));

let files = 0;
/** A file with the store of an earlier commit, and additional SQL. */
function oldStore(name: string, ...more: readonly string[]): string {
  const file = join(folder, `${++files}.sqlite`);
  const lines = readFileSync(new URL(name, samples), "utf8").trim().split(";\n");
  inDatabase(file, (database) => {
    database.exec("BEGIN");
    for (const line of [...lines, ...more]) database.exec(line.replace(/;$/, ""));
    database.exec("COMMIT");
  });
  return file;
}

const rowsOf = (file: string, table: string): readonly object[] =>
  inDatabase(file, (database) => database.all(`SELECT * FROM ${table} ORDER BY 1`));

const tablesOf = (file: string): string[] =>
  inDatabase(file, (database) =>
    database.all("SELECT name FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"),
  ).map(({ name }) => String(name));

function pushedTo(store: Store): PushedSources {
  const now = () => 1_800_000_000_000;
  return new PushedSources(engineOf(store, { outlet: new Hub({ now, log: () => undefined }), now }));
}

const rename = (text: string): string => JSON.stringify({ version: text });

describe.skipIf(!hasSqlite())("a store that an earlier Isoline wrote", () => {
  it.each(names)("%s loses nothing: it serves the same configuration", (name) => {
    const file = oldStore(name);
    const before = rowsOf(file, "object") as { ref: string }[];
    const store = createSqliteStore(file);
    refresh(store, platform);
    expect([...store.objects()].map(({ ref }) => ref).sort()).toEqual(before.map(({ ref }) => ref));
    expect([...store.resources("virtual-host", "ingress_http")].map((one) => one.name)).toEqual([
      "api.test",
      "broken.test",
      "web.test",
    ]);
    const sources = pushedTo(store);
    sources.start();
    expect(sources.status()).toMatchObject([
      { name: "web", revision: 1, objects: 5 },
      { name: "api", revision: 1, objects: 3 },
    ]);
    expect(sources.describe("web")).toMatchObject({
      findings: [{ about: "HTTPProxy/shop/broken", reason: "ServiceUnresolvedReference" }],
    });
    expect(Number(store.cursor("sequence"))).toBeGreaterThanOrEqual(1_700_000_000_000);
    store.close();
  });

  it.each(names)("%s accepts pushes, and is then equal to a new store", async (name) => {
    const store = createSqliteStore(oldStore(name));
    refresh(store, platform);
    const fresh = createMemoryStore();
    for (const one of [store, fresh]) {
      const sources = pushedTo(one);
      sources.start();
      for (const source of ["web", "api"])
        await sources.put({
          name: source,
          text: JSON.stringify([
            {
              apiVersion: "v1",
              kind: "Service",
              metadata: { name: source },
              spec: { ports: [{ port: 80 }] },
            },
          ]),
          strict: false,
          dryRun: false,
          acceptShrink: true,
        });
    }
    expect(dump(store)).toBe(dump(fresh));
    store.close();
  });

  it("has the tables of a new one, and opens a second time", () => {
    const fresh = join(folder, "fresh.sqlite");
    createSqliteStore(fresh).close();
    for (const name of names) {
      const file = oldStore(name);
      createSqliteStore(file).close();
      createSqliteStore(file).close();
      expect(tablesOf(file)).toEqual(tablesOf(fresh));
      expect(rowsOf(file, "isoline_schema")).toEqual(rowsOf(fresh, "isoline_schema"));
    }
  });

  it("keeps long texts and pending units", () => {
    const refs = JSON.stringify({ revision: 7, digest: "d", refs: ["Service/shop/web"], findings: [] });
    const long = JSON.stringify(`${"x".repeat(600_000)}😀`);
    const file = oldStore(
      "v2-last.sql",
      `INSERT INTO cursor VALUES ('left', '${JSON.stringify(JSON.stringify({ units: ["vhost:b.test", "vhost:a.test"] }))}')`,
      "INSERT INTO cursor VALUES ('long', '~')",
      `INSERT INTO part VALUES ('cursor/long', 0, '${long.slice(0, 500_000)}')`,
      `INSERT INTO part VALUES ('cursor/long', 1, '${long.slice(500_000)}')`,
      `UPDATE cursor SET value = '"2"' WHERE name = 'source:web'`,
      `UPDATE cursor SET value = '${JSON.stringify(refs.slice(0, 20))}' WHERE name = 'source:web:0'`,
      `INSERT INTO cursor VALUES ('source:web:1', '${JSON.stringify(refs.slice(20))}')`,
    );
    const store = createSqliteStore(file);
    expect(store.cursor("long")).toBe(JSON.parse(long));
    expect([unitsLeft(store), ...store.pending(9)]).toEqual([2, hostUnit("b.test"), hostUnit("a.test")]);
    expect(pushedTo(store).status()[0]).toEqual({ name: "web", revision: 7, objects: 1 });
    store.setCursor("long", "short");
    store.close();
    expect(rowsOf(file, "part")).toEqual([]);
    expect(rowsOf(file, "cursor").map((row) => ("name" in row ? row.name : ""))).not.toContain(
      "source:web:1",
    );
  });

  it("is unchanged when its migration fails", () => {
    const file = oldStore(
      "v2-last.sql",
      `UPDATE cursor SET value = '${rename("x").slice(0, 5)}' WHERE name = 'source:api:0'`,
    );
    const before = tablesOf(file);
    const rows = rowsOf(file, "object");
    expect(() => createSqliteStore(file)).toThrow();
    expect(tablesOf(file)).toEqual(before);
    expect(rowsOf(file, "object")).toEqual(rows);
  });

  it("is refused and unchanged when a newer Isoline wrote it, or its version can't be read", () => {
    for (const [version, code] of [
      ["4", "store-too-new"],
      ["1000", "store-too-new"],
      ["'x'", "store-damaged"],
      ["0", "store-damaged"],
    ]) {
      const file = oldStore("v2-last.sql");
      createSqliteStore(file).close();
      inDatabase(file, (database) => {
        database.exec(`UPDATE isoline_schema SET version = ${version}`);
        database.exec("CREATE TABLE later (x)");
      });
      const before = [tablesOf(file), rowsOf(file, "object"), rowsOf(file, "cursor")];
      expect(() => createSqliteStore(file)).toThrow(expect.objectContaining({ code }));
      expect([tablesOf(file), rowsOf(file, "object"), rowsOf(file, "cursor")]).toEqual(before);
    }
  });

  it("is not dropped by an earlier Isoline, which drops its own tables of other versions", () => {
    const file = oldStore("v2-last.sql");
    createSqliteStore(file).close();
    // That Isoline identifies its databases by the table with this name.
    expect(tablesOf(file)).not.toContain("isoline");
  });
});
