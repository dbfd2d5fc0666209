import { describe, expect, it } from "vitest";
import { compilerVersion } from "../../src/compile.js";
import { Hub } from "../../src/server/hub.js";
import { PushedSources } from "../../src/sources/push/push-source.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { rebuildInPlace, restore, salvage } from "../../src/store/salvage.js";
import { createSqlStore } from "../../src/store/sql-store.js";
import type { Store } from "../../src/store/store.js";
import type { Platform } from "../../src/update.js";
import { refresh } from "../../src/update.js";
import { hostProxy, type Manifest } from "../support/backend.js";
import { dump } from "../support/compile.js";
import { countingDriver } from "../support/counting-driver.js";
import { engineOf } from "../support/engine.js";
import { eventually } from "../support/envoy.js";
import { hasSqlite } from "../support/sqlite.js";

const checkKeyPair = (): undefined => undefined;
/** As in a Worker: objects in slices, two units without a pause. */
const sliced = { checkKeyPair, maxUnits: 1_000_000, sliceUnits: 200 };

/** What is left until a store may be published. */
function workLeft(store: Store): number {
  const engine = engineOf(store);
  return engine.pending + new PushedSources(engine).steps;
}

let clock = 1_000_000;
/** A server that is started on a store. */
function start(store: Store, platform: Platform = { checkKeyPair }) {
  const lines: string[] = [];
  const now = (): number => ++clock;
  const hub = new Hub({ now, log: (line) => void lines.push(line) });
  const engine = engineOf(store, { outlet: hub, platform, now });
  const sources = new PushedSources(engine);
  sources.start();
  const put = (objects: readonly Manifest[] | string, options: object = {}) =>
    sources.put({
      name: "main",
      text: typeof objects === "string" ? objects : JSON.stringify(objects),
      strict: false,
      dryRun: false,
      acceptShrink: true,
      by: "ci",
      ...options,
    });
  return { sources, put, engine, lines, settled: () => sources.resume() };
}

const proxies = (count: number, to = "a"): Manifest[] =>
  Array.from({ length: count }, (_, i) => hostProxy(`h${i}.test`, to));
const broken = { ...hostProxy("h0.test", "a"), spec: { virtualhost: { fqdn: 7 } } } as unknown as Manifest;
const hosts = (store: Store): number => [...store.objects()].length;

describe("what was pushed", () => {
  it("is kept as text: the last ten contents, with number, time, digest and the token's name", async () => {
    const store = createMemoryStore();
    const { put } = start(store);
    for (let i = 1; i <= 12; i++) await put(proxies(i), { revision: i * 10, by: `ci-${i}` });
    const kept = store.revisions("main");
    expect(kept.map(({ revision }) => revision)).toEqual([120, 110, 100, 90, 80, 70, 60, 50, 40, 30]);
    expect(kept[0]).toMatchObject({
      by: "ci-12",
      at: expect.any(Number),
      digest: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(store.revisionContent("main", 110)).toEqual({ text: JSON.stringify(proxies(11)), held: [] });
  });

  it("is kept once where pipelines push it again and again", async () => {
    const store = createMemoryStore();
    const { put } = start(store);
    await put(proxies(1));
    for (let i = 0; i < 20; i++) await put(proxies(2));
    expect(store.revisions("main").map(({ revision }) => revision)).toEqual([21, 1]);
  });

  it("is bounded in size, but the newest is kept", async () => {
    const store = createMemoryStore();
    const { put } = start(store);
    const long = (n: number): string => `${JSON.stringify(proxies(n))}${" ".repeat(12 * 1024 * 1024)}`;
    for (let i = 1; i <= 4; i++) await put(long(i));
    expect(store.revisions("main").map(({ revision }) => revision)).toEqual([4, 3, 2]);
  });

  it("is not kept of a push that is refused or a dry run, and goes with its source", async () => {
    const store = createMemoryStore();
    const { put, sources } = start(store);
    await put("a: [");
    await put(proxies(2), { dryRun: true });
    await put([...proxies(1), broken], { strict: true });
    expect(store.revisionSources()).toEqual([]);
    await put(proxies(2), { strict: true, acceptShrink: true });
    await put(proxies(3));
    expect(store.revisions("main")).toHaveLength(1 + Number(store.revisions("main").length > 1));
    await sources.remove("main");
    expect(store.revisionSources()).toEqual([]);
  });
});

describe.skipIf(!hasSqlite())("a damaged database", () => {
  it("gives what was pushed, of which the same is served: also objects that stayed as their text is not valid", async () => {
    const { driver } = countingDriver();
    const store = createSqlStore(driver);
    const { put, engine } = start(store);
    await put(proxies(3));
    await put([broken, ...proxies(4).slice(1)]);
    await put([hostProxy("other.test", "a")], { name: "other" });
    const good = dump(store);
    driver.exec("UPDATE object SET json = substr(json, 1, 20)");
    driver.exec("DELETE FROM claim");
    driver.exec("UPDATE unit SET reads = ''");

    const salvaged = salvage(driver);
    expect(salvaged).toMatchObject({
      lost: 0,
      contents: { length: 3 },
      sequence: String(engine.sequence),
    });
    const rebuilt = createMemoryStore();
    if (salvaged) restore(rebuilt, salvaged);
    const next = start(rebuilt);
    expect(next.engine.snapshot).toBeUndefined();
    await next.settled();
    expect(dump(rebuilt)).toBe(good);
    expect(next.engine.sequence).toBeGreaterThan(engine.sequence);
    expect(next.sources.status()).toEqual([
      { name: "main", revision: 2, objects: 4 },
      { name: "other", revision: 1, objects: 1 },
    ]);
    expect(await next.put([hostProxy("h0.test", "a")], { revision: 2 })).toMatchObject({
      refused: { code: "stale-revision" },
    });
  });

  it("whose newest content is damaged, too, serves the one before, and says so", async () => {
    const { driver } = countingDriver();
    const { put } = start(createSqlStore(driver));
    await put(proxies(3));
    await put(proxies(4));
    driver.exec("UPDATE revision SET text = substr(text, 1, 50) WHERE revision = 2");
    const rebuilt = createMemoryStore();
    restore(rebuilt, salvage(driver) ?? { sequence: undefined, contents: [], lost: 0 });
    const next = start(rebuilt);
    await next.settled();
    expect(hosts(rebuilt)).toBe(3);
    expect(next.lines.join("\n")).toContain(
      "revision 2 of the source main can't be applied again: its text is damaged",
    );
    expect(next.sources.status()).toMatchObject([{ name: "main", revision: 2, objects: 3 }]);
    expect(next.sources.findings).toContainEqual(
      expect.objectContaining({ reason: "SetAside", severity: "error" }),
    );
    await next.put(proxies(4));
    expect(JSON.stringify(next.sources.findings)).not.toContain("SetAside");
  });

  it("that can't be read gives nothing, and is left as it is; but where a cluster is followed, it begins anew", () => {
    const { driver, rowsOf } = countingDriver();
    const store = createSqlStore(driver);
    store.setCursor("sequence", "42");
    store.setCursor("kubernetes:Service", "7");
    driver.exec("DROP TABLE revision");
    expect(salvage(driver)).toBeUndefined();
    expect(() => rebuildInPlace(driver, false)).toThrow(expect.objectContaining({ code: "store-damaged" }));
    expect(rowsOf("SELECT name FROM cursor")).toHaveLength(2);
    const { store: next } = rebuildInPlace(driver, true);
    expect([next.cursor("sequence"), next.cursor("kubernetes:Service")]).toEqual(["42", undefined]);
  });
});

/** A store whose `n`th put of objects fails, as on a full disk. */
function failing(n: number): { readonly store: Store; mend(): void } {
  const store = createMemoryStore();
  const { putObjects } = store;
  let left = n;
  store.putObjects = function (...args) {
    if (--left === 0) throw new Error("the disk is full");
    putObjects.apply(this, args);
  };
  return {
    store,
    mend() {
      left = Number.POSITIVE_INFINITY;
    },
  };
}

describe("a push that is applied in slices", () => {
  const count = 1200;

  it("lets others work meanwhile, and is published whole", async () => {
    const store = createMemoryStore();
    const { put, engine } = start(store, sliced);
    await put(proxies(1));
    const before = engine.sequence;
    const pushed = put(proxies(count));
    const seen = new Set<number>();
    let turns = 0;
    const watch = setInterval(() => {
      turns++;
      engine.offer();
      seen.add(engine.sequence);
    }, 0);
    await pushed;
    clearInterval(watch);
    expect(turns).toBeGreaterThan(3);
    expect([...seen].filter((sequence) => sequence !== engine.sequence)).toEqual([before]);
    const whole = createMemoryStore();
    await start(whole).put(proxies(count));
    expect(dump(store)).toBe(dump(whole));
  });

  it("is finished by the next process where one ended within it", async () => {
    const { store, mend } = failing(8);
    const first = start(store, sliced);
    await expect(first.put(proxies(count))).rejects.toThrow("the disk is full");
    expect([hosts(store) > 0, hosts(store) < count, workLeft(store) > 0]).toEqual([true, true, true]);
    expect(first.engine.offer()).toBe(false);
    mend();
    const next = start(store, sliced);
    expect(next.engine.snapshot).toBeUndefined();
    await next.settled();
    expect([hosts(store), workLeft(store), next.engine.snapshot !== undefined]).toEqual([count, 0, true]);
    expect(next.sources.describe("main")).toMatchObject({ revision: 1, objects: count });
  });

  it("leaves nothing behind where another push comes instead", async () => {
    const { store, mend } = failing(8);
    const { put } = start(store, sliced);
    await expect(put(proxies(count))).rejects.toThrow("the disk is full");
    mend();
    expect(await put([hostProxy("only.test", "a")])).toMatchObject({ revision: 1, changed: true });
    const alone = createMemoryStore();
    await start(alone).put([hostProxy("only.test", "a")]);
    expect(dump(store)).toBe(dump(alone));
    expect([hosts(store), workLeft(store)]).toEqual([1, 0]);
  });

  it("gives way to the content before it where it ends the process again and again", async () => {
    const store = createMemoryStore();
    await start(store, sliced).put(proxies(3));
    const { putObjects } = store;
    let deaths = 0;
    store.putObjects = function (objects, likeness) {
      if (objects.length > 50) {
        deaths++;
        throw new Error("killed");
      }
      putObjects.call(this, objects, likeness);
    };
    await expect(start(store, sliced).put(proxies(count))).rejects.toThrow("killed");
    const lines: string[] = [];
    for (let i = 0; i < 3; i++) {
      const next = start(store, sliced);
      await next.settled().catch(() => false);
      lines.push(...next.lines);
      if (workLeft(store) === 0) break;
    }
    expect([deaths, hosts(store), workLeft(store)]).toEqual([3, 3, 0]);
    expect(lines.join("\n")).toContain("revision 2 of the source main could not be applied");
    expect(store.revisions("main").map(({ revision }) => revision)).toEqual([2, 1]);
  });
});

describe("after an upgrade", () => {
  it("sources are read again from their texts, and serve what they served meanwhile", async () => {
    const store = createMemoryStore();
    await start(store).put([broken, ...proxies(2)]);
    await start(store).put([broken, ...proxies(3).slice(1)]);
    const good = dump(store);
    // An earlier Isoline that read one object less of the same text.
    const head = JSON.parse(store.cursor("source:main") ?? "") as object;
    store.setCursor("source:main", JSON.stringify({ ...head, compiler: compilerVersion - 1 }));
    store.setCursor("compiler", String(compilerVersion - 1));
    store.deleteObject("HTTPProxy/default/h1-test");
    refresh(store, { checkKeyPair });
    const next = start(store);
    expect(next.engine.snapshot).toBeDefined();
    await eventually(() => Promise.resolve(dump(store) === good), "the text is read again");
    await next.settled();
    expect(store.revisions("main").map(({ revision }) => revision)).toEqual([2, 1]);
  });

  it("sources without a kept text stay as they are", async () => {
    const store = createMemoryStore();
    await start(store).put(proxies(2));
    for (const { revision } of store.revisions("main")) store.dropRevision("main", revision);
    const next = start(store);
    await next.settled();
    expect(hosts(store)).toBe(2);
    expect(await next.put(proxies(2))).toMatchObject({ revision: 2, changed: false });
    expect(store.revisions("main")).toHaveLength(1);
  });
});
