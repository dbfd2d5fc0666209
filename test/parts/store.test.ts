import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { grantsKey, hostUnit, listRead, type ReadKey, type UnitKey } from "../../src/graph/core/keys.js";
import type { Ref } from "../../src/schema/meta.js";
import { parseSettings, type SettingsSpec } from "../../src/schema/settings.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { createSqliteStore, openSqliteStore, type SqliteStore } from "../../src/store/sqlite.js";
import type { Compiled, Resource, Store } from "../../src/store/store.js";
import { type Change, refresh, update } from "../../src/update.js";
import { dump, parseCase, platform } from "../support/compile.js";
import { inDatabase } from "../support/database.js";
import { fc } from "../support/fast-check.js";
import { hasSqlite } from "../support/sqlite.js";

const folder = mkdtempSync(join(tmpdir(), "isoline-store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const newFile = (): string => join(folder, `${++files}.sqlite`);

const service = (name: string, port = 80): Change => {
  const object = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "one", name },
    spec: { ports: [{ port }] },
  };
  return parsed(object);
};
const proxy = (name: string, fqdn: string, to: string): Change =>
  parsed({
    apiVersion: "projectcontour.io/v1",
    kind: "HTTPProxy",
    metadata: { namespace: "one", name },
    spec: { virtualhost: { fqdn }, routes: [{ services: [{ name: to, port: 80 }] }] },
  });
function parsed(object: object): Change {
  const found = parseCase(JSON.stringify(object)).objects[0];
  if (!found) throw new Error("the test's object is not valid");
  return found;
}

const cluster = (name: string, json = "{}"): Resource => ({
  type: "cluster",
  group: "",
  name,
  json,
  endpoints: name,
});
const unit = (key: UnitKey, resources: readonly Resource[], reads: readonly ReadKey[] = []): Compiled => ({
  unit: key,
  resources,
  findings: [],
  reads,
});

const read = listRead(grantsKey("r"));
const [x, y, z] = [grantsKey("x"), grantsKey("y"), grantsKey("z")] as const;

const stores: Record<string, () => Store> = {
  memory: createMemoryStore,
  ...(hasSqlite() ? { sqlite: () => createSqliteStore(newFile()) } : {}),
};

describe.each(Object.entries(stores))("the %s store", (_, create) => {
  let store: Store;
  beforeEach(() => {
    store = create();
  });

  it("keeps objects and their claims", () => {
    const one = service("b");
    if ("gone" in one) return;
    store.putObject(one, [y, x]);
    store.putObject({ ...one, ref: "Service/one/a" }, [x]);
    expect(store.object(one.ref)).toEqual(one);
    expect(store.claimsOf(one.ref)).toEqual([y, x]);
    expect(store.claimants(x)).toEqual(["Service/one/a", one.ref]);
    store.putObject(one, [z]);
    expect(store.claimants(y)).toEqual([]);
    expect([...store.objects()].map(({ ref }) => ref)).toEqual([one.ref, "Service/one/a"]);
    store.deleteObject(one.ref);
    expect(store.object(one.ref)).toBeUndefined();
    expect(store.claimants(z)).toEqual([]);
  });

  it("keeps a shared resource while a unit has it", () => {
    store.putUnit(unit(hostUnit("a"), [cluster("shared"), cluster("own"), cluster("own")], [read]));
    store.putUnit(unit(hostUnit("b"), [cluster("shared", '{"b":1}')], [read]));
    expect(store.readers(read)).toEqual([hostUnit("a"), hostUnit("b")]);
    expect(store.resource("cluster", "", "shared")?.json).toBe('{"b":1}');
    store.putUnit(unit(hostUnit("a"), [cluster("other")]));
    expect([...store.resources("cluster")].map(({ name }) => name)).toEqual(["other", "shared"]);
    expect(store.readers(read)).toEqual([hostUnit("b")]);
    store.deleteUnit(hostUnit("b"));
    store.deleteUnit(hostUnit("b"));
    expect([...store.resources("cluster")].map(({ name }) => name)).toEqual(["other"]);
  });

  it("sorts findings by their object", () => {
    const finding = (about: Ref) =>
      ({ about, severity: "error", type: "RouteError", reason: "Invalid", message: "m" }) as const;
    store.putUnit({ ...unit(hostUnit("a"), []), findings: [finding("S//b"), finding("S//a")] });
    expect([...store.findings()].map(({ about }) => about)).toEqual(["S//a", "S//b"]);
  });

  it("keeps values of many megabytes", () => {
    const json = JSON.stringify("a😀é".repeat(700_001));
    store.putUnit(unit(hostUnit("a"), [cluster("big", json)]));
    expect(store.resource("cluster", "", "big")?.json === json).toBe(true);
    store.setCursor("big", json);
    expect(store.cursor("big") === json).toBe(true);
    store.putUnit(unit(hostUnit("a"), [cluster("big")]));
    expect(store.resource("cluster", "", "big")?.json).toBe("{}");
  });

  it("keeps cursors", () => {
    expect(store.cursor("a")).toBeUndefined();
    store.setCursor("a", "1");
    expect(store.cursor("a")).toBe("1");
    store.setCursor("a", "");
    expect(store.cursor("a")).toBeUndefined();
  });

  it("nests transactions", () => {
    const result = store.transaction(() => {
      store.setCursor("a", "1");
      return store.transaction(() => store.cursor("a"));
    });
    expect(result).toBe("1");
  });
});

const name = fc.constantFrom("a", "b", "c");
const edits = fc.array(
  fc.oneof(
    fc.record({ put: fc.tuple(name, fc.constantFrom(80, 81)).map(([n, port]) => service(n, port)) }),
    fc.record({
      put: fc
        .tuple(name, fc.constantFrom("x.test", "y.test"), name)
        .map(([n, host, to]) => proxy(n, host, to)),
    }),
    fc.record({
      gone: fc
        .tuple(fc.constantFrom("Service", "HTTPProxy"), name)
        .map(([kind, n]): Ref => `${kind}/one/${n}`),
    }),
    fc.record({ reopen: fc.constant(true) }),
  ),
  { minLength: 1, maxLength: 15 },
);

describe.skipIf(!hasSqlite())("a SQLite file", () => {
  it("has the content of a memory store after any edits, also after reopening", () => {
    fc.assert(
      fc.property(edits, (sequence) => {
        const file = newFile();
        const memory = createMemoryStore();
        let sqlite = createSqliteStore(file);
        for (const edit of sequence) {
          if ("reopen" in edit) {
            sqlite.close();
            sqlite = createSqliteStore(file);
          } else {
            const change = "put" in edit ? edit.put : edit;
            const expected = update(memory, [change], platform);
            expect(update(sqlite, [change], platform)).toEqual(expected);
          }
          expect(dump(sqlite)).toBe(dump(memory));
        }
        expect([...sqlite.objects()]).toEqual([...memory.objects()]);
        expect([...sqlite.units()]).toEqual([...memory.units()]);
        sqlite.close();
      }),
      { numRuns: 40 },
    );
  });

  const filled = (file: string): SqliteStore => {
    const store = createSqliteStore(file);
    update(store, [service("a"), proxy("p", "x.test", "a")], platform);
    return store;
  };

  it("undoes a transaction that throws, or only its inner one", () => {
    const store = filled(newFile());
    const before = dump(store);
    const fail = (): never => {
      update(store, [{ gone: "Service/one/a" }], platform);
      throw new Error("no");
    };
    expect(() => store.transaction(fail)).toThrow("no");
    expect(dump(store)).toBe(before);
    expect(store.object("Service/one/a")).toBeDefined();
    store.transaction(() => {
      store.setCursor("kept", "1");
      expect(() => store.transaction(fail)).toThrow("no");
    });
    expect(dump(store)).toBe(before);
    expect(store.cursor("kept")).toBe("1");
    store.close();
  });

  it.each([
    [
      "is no database",
      () => Buffer.from("this is not a database, and long enough to look like one".repeat(200)),
    ],
    [
      "has lost its pages",
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 7)]),
    ],
    ["is cut short", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
  ])("is replaced when it %s", (_, damage) => {
    const file = newFile();
    filled(file).close();
    writeFileSync(file, damage(readFileSync(file)));
    const store = createSqliteStore(file);
    expect([...store.objects()]).toEqual([]);
    update(store, [service("a")], platform);
    store.close();
    expect(existsSync(`${file}.corrupt`)).toBe(true);
  });

  it("that is damaged passes its pushed contents to its replacement", () => {
    const file = newFile();
    const old = filled(file);
    const revision = { source: "web", revision: 7, at: 1, digest: "d", by: "ci" };
    const long = "é".repeat(600_000);
    old.putRevision(revision, { text: long, held: [] });
    old.setCursor("sequence", "42");
    old.close();
    // The damaged page belongs to an index that the integrity check reads, and that contents do not need.
    const bytes = readFileSync(file);
    const damaged = inDatabase(file, (database) => {
      const [row] = database.all("SELECT rootpage FROM sqlite_master WHERE name = 'claim'");
      return (Number(row?.rootpage) - 1) * 4096;
    });
    writeFileSync(file, bytes.fill(7, damaged, damaged + 4096));
    const store = createSqliteStore(file);
    expect(existsSync(`${file}.corrupt`)).toBe(true);
    expect([...store.objects()]).toEqual([]);
    expect(store.revisions("web")).toEqual([{ ...revision, size: long.length + 2 }]);
    expect(store.revisionContent("web", 7)?.text === long).toBe(true);
    expect(store.cursor("sequence")).toBe("42");
    store.close();
  });

  it("can be opened after a crash, but not twice at the same time", async () => {
    const file = newFile();
    filled(file).close();
    mkdirSync(`${file}.lock`);
    const store = await openSqliteStore(file);
    expect(store.object("Service/one/a")).toBeDefined();
    await expect(openSqliteStore(file)).rejects.toThrow(`in use by process ${process.pid}`);
    store.close();
    (await openSqliteStore(file)).close();
  });

  it("has the state from before a transaction during which its process was killed", () => {
    const file = newFile();
    const killed = newFile();
    const store = filled(file);
    const before = dump(store);
    // This exceeds SQLite's cache of 2 MB, so it writes pages before the transaction ends.
    const fill = (value: string): void => {
      for (let i = 0; i < 3000; i++) store.setCursor(`c${i}`, value.repeat(3000));
    };
    store.transaction(() => fill("a"));
    store.transaction(() => {
      fill("b");
      for (const end of ["", "-journal", "-wal"]) {
        if (existsSync(`${file}${end}`)) copyFileSync(`${file}${end}`, `${killed}${end}`);
      }
    });
    store.close();
    const next = createSqliteStore(killed);
    expect(existsSync(`${killed}.corrupt`)).toBe(false);
    expect(dump(next)).toBe(before);
    for (let i = 0; i < 3000; i++) expect(next.cursor(`c${i}`)?.[0]).toBe("a");
    next.close();
  });

  it("is recompiled only when another version of the compiler wrote it", () => {
    const file = newFile();
    const old = filled(file);
    expect(refresh(old, platform)).toBe(true);
    const good = dump(old);
    const stale = [...old.units()].find(({ unit }) => unit === hostUnit("a.test"));
    old.putUnit({ ...unit(hostUnit("a.test"), [cluster("stale")]), reads: stale?.reads ?? [] });
    expect(dump(old)).not.toBe(good);
    expect(refresh(old, platform)).toBe(false);
    for (const object of [...old.objects()]) old.putObject(object, [hostUnit("stale.test")]);
    old.setCursor("compiler", "0");
    old.setCursor("kubernetes:Service", "7");
    old.close();
    const store = createSqliteStore(file);
    expect(refresh(store, platform)).toBe(true);
    expect(dump(store)).toBe(good);
    expect(store.cursor("kubernetes:Service")).toBe("7");
    expect(refresh(store, platform)).toBe(false);
    store.close();
  });

  it("with settings of another version gets the defaults of missing settings", () => {
    const file = newFile();
    const old = filled(file);
    const { settings } = parseSettings({ endpoints: "inline", policy: { applyToIngress: true } });
    update(old, [settings], platform);
    const good = dump(old);
    const { forbiddenHosts, allowLoopbackEndpoints, ...spec } = settings.spec;
    old.putObject({ ...settings, spec: spec as SettingsSpec }, []);
    old.setCursor("compiler", "0");
    old.close();
    const store = createSqliteStore(file);
    expect(refresh(store, platform)).toBe(true);
    expect(dump(store)).toBe(good);
    expect(store.object(settings.ref)?.spec).toEqual(settings.spec);
    store.close();
  });
});
