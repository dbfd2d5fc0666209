import { beforeEach, describe, expect, it } from "vitest";
import { statusReport } from "../../src/engine/status-report.js";
import { createApp } from "../../src/server/app.js";
import { everyone } from "../../src/server/auth.js";
import { Hub } from "../../src/server/hub.js";
import { PushedSources } from "../../src/sources/push/push-source.js";
import { createSqlStore } from "../../src/store/sql-store.js";
import { refresh } from "../../src/update.js";
import { applications } from "../bench/apps.js";
import { hostProxy } from "../support/backend.js";
import { platform } from "../support/compile.js";
import { countingDriver, writesOf } from "../support/counting-driver.js";
import { engineOf } from "../support/engine.js";
import { hasSqlite } from "../support/sqlite.js";

/** A server over a store of so many applications, one of which has no Service. */
async function rig(count: number) {
  const database = countingDriver();
  const { driver } = database;
  const open = () => {
    const store = createSqlStore(driver);
    refresh(store, platform);
    const hub = new Hub({ now: Date.now, log: () => undefined });
    const engine = engineOf(store, { outlet: hub, platform, now: Date.now });
    const sources = new PushedSources(engine);
    sources.start();
    const app = createApp({
      hub,
      sources,
      inspected: { engine },
      status: () => statusReport(engine, sources),
      authenticate: everyone,
    });
    return { store, app };
  };
  const { app, store } = open();
  const put = async (body: string, query = ""): Promise<object> =>
    (await app.request(`/sources/main${query}`, { method: "PUT", body })).json() as Promise<object>;
  const namespaces = [1, 2].map((n) =>
    JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: `n${n}` } }),
  );
  const text = [applications(count), JSON.stringify(hostProxy("broken.test", "missing")), ...namespaces].join(
    "\n",
  );
  await put(text);
  return { ...database, open, app, put, text, store };
}

describe.skipIf(!hasSqlite())("what is shown costs what is shown, whatever the store holds", () => {
  let few: Awaited<ReturnType<typeof rig>>;
  let many: Awaited<ReturnType<typeof rig>>;
  beforeEach(async () => {
    [few, many] = [await rig(10), await rig(200)];
  });

  it.each(["/status", "/metrics", "/sources/main"])(
    "GET %s, also the first time after a restart",
    async (path) => {
      const work = await Promise.all(
        [few, many].map(async ({ open, counted, reset, scans }) => {
          const { app } = open();
          reset();
          const text = await (await app.request(path)).text();
          expect(path === "/metrics" ? text : JSON.parse(text)).toBeTruthy();
          const first = [counted.rows, scans()];
          reset();
          await (await app.request(path)).text();
          return { first, again: [counted.rows, scans()] };
        }),
      );
      expect(work[0]).toEqual(work[1]);
      expect(work[1]?.first[0]).toBeLessThan(15);
      expect(work[1]?.first[1]).toSatisfy((plans: string[]) =>
        plans.every((plan) => /INDEX unit_finding/.test(plan)),
      );
    },
  );

  it("knows of the findings as they are, also after edits", async () => {
    const { app, put, text } = many;
    const errors = async (): Promise<unknown[]> =>
      ((await (await app.request("/status")).json()) as { findings: unknown[] }).findings;
    expect(await errors()).toHaveLength(1);
    await put(`${text}\n${JSON.stringify(hostProxy("worse.test", "missing"))}`);
    expect(await errors()).toHaveLength(2);
    await put(text);
    expect(await errors()).toHaveLength(1);
    await put(`${text}\n${JSON.stringify(hostProxy("worse.test", "missing"))}`, "?dry-run");
    expect(await errors()).toHaveLength(1);
  });
});

describe.skipIf(!hasSqlite())("a push of the content that is there", () => {
  it("writes nothing where its revision is there, and else that revision alone", async () => {
    const { put, counted, reset, text } = await rig(20);
    reset();
    expect(await put(text, "?revision=1")).toMatchObject({ revision: 1, changed: false });
    expect(writesOf(counted)).toEqual({});
    expect(await put(text, "?revision=9")).toMatchObject({ revision: 9, changed: false });
    const writes = Object.entries(writesOf(counted)).map(([statement, times]) => [
      statement.slice(0, 18),
      times,
    ]);
    expect(writes).toEqual([
      ["UPDATE revision SE", 1],
      ["INSERT INTO cursor", 1],
    ]);
    expect(counted.rows).toBeLessThan(25);
  });

  it("in another order, or with one object more, writes what differs alone: also Namespaces without labels", async () => {
    const { put, counted, reset, text } = await rig(20);
    const lines = text.split("\n");
    reset();
    expect(await put([...lines].reverse().join("\n"))).toMatchObject({ changed: false });
    const tables = (): string[] =>
      [
        ...new Set(
          Object.keys(writesOf(counted)).map((one) => /(?:INTO|UPDATE|FROM) (\w+)/.exec(one)?.[1] ?? ""),
        ),
      ].sort();
    expect(tables()).toEqual(["cursor", "part", "revision"].filter((name) => tables().includes(name)));
    expect(counted.statements).toBeLessThan(60);
    reset();
    await put(
      [...lines, JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "more" } })].join(
        "\n",
      ),
    );
    expect(Object.entries(writesOf(counted)).filter(([one]) => one.startsWith("INSERT INTO object"))).toEqual(
      [[expect.any(String), 1]],
    );
    expect(tables()).not.toContain("unit");
  });

  it("that an Isoline without digests has put is compared once, and then known by its digest", async () => {
    const { driver, counted, reset, put, text } = await rig(20);
    driver.exec("UPDATE object SET digest = ''");
    const set = (): number | undefined => counted.texts.get("UPDATE object SET digest = ? WHERE ref = ?");
    for (const [times, end] of [
      [64, "\n"],
      [undefined, "\n\n"],
    ] as const) {
      reset();
      expect(await put(`${text}${end}`)).toMatchObject({ changed: false });
      expect(set()).toBe(times);
      expect(Object.keys(writesOf(counted)).filter((one) => one.startsWith("INSERT INTO object"))).toEqual(
        [],
      );
    }
  });
});

describe.skipIf(!hasSqlite())("a first push", () => {
  it("looks up nothing of objects that are not there, and takes few statements for each", async () => {
    const { counted } = await rig(200);
    const objects = 200 * 3 + 3;
    const times = (start: string): number =>
      [...counted.texts].reduce((sum, [text, n]) => (text.startsWith(start) ? sum + n : sum), 0);
    expect(times("SELECT claims FROM object")).toBe(0);
    expect(times("DELETE FROM part")).toBe(0);
    expect(times("INSERT INTO object")).toBeLessThan(objects / 20);
    expect(counted.statements / objects).toBeLessThan(9);
  });
});
