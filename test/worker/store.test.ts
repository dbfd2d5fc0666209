import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { hostProxy, type Manifest, service } from "../support/backend.js";
import { inDatabase } from "../support/database.js";
import { eventually } from "../support/envoy.js";
import { type KeptWorker, keptWorker } from "../support/kept-worker.js";

let worker: KeptWorker<Body>;
beforeEach(async () => {
  worker = await keptWorker(["node", "publish", "read", "admin"].map((role) => ({ role, token: role })));
});
const running = <T>(work: () => Promise<T>): Promise<T> => worker.running(work);
const ask: KeptWorker<Body>["ask"] = (path, role = "admin", init = {}) => worker.ask(path, role, init);

/** The object's database, while no process has it open. */
function databaseFile(): string {
  const all = readdirSync(worker.folder, { recursive: true, encoding: "utf8" });
  const name = all.find((file) => /[0-9a-f]{64}\.sqlite$/.test(file));
  if (!name) throw new Error(`no database among ${all.join(", ")}`);
  return join(worker.folder, name);
}

interface Body {
  readonly code?: string;
  readonly left?: number;
  readonly resources?: readonly { readonly virtual_hosts?: readonly object[] }[];
  readonly findings?: readonly { readonly reason: string }[];
}

const push = (objects: readonly Manifest[], name = "main") =>
  ask(`/sources/${name}`, "publish", { method: "PUT", body: JSON.stringify(objects) });
const table = async (): Promise<number> => {
  const body = JSON.stringify({ node: { id: "n" }, resource_names: ["ingress_http"] });
  const { body: answer } = await ask("/v3/discovery:routes", "node", { method: "POST", body });
  return answer.resources?.[0]?.virtual_hosts?.length ?? 0;
};
const manifests = (count: number): Manifest[] => [
  { kind: "IsolineSettings", spec: { routeShards: 1 } },
  service("default", "a"),
  ...Array.from({ length: count }, (_, i) => hostProxy(`h${i}.test`, "a")),
];

/** The tables of an earlier version of Isoline, with the rows of a current store. */
function toVersion2(file: string): void {
  inDatabase(file, (database) => {
    database.exec("BEGIN");
    for (const index of ["unit_finding", "part_owner"]) database.exec(`DROP INDEX ${index}`);
    for (const table of ["isoline_schema", "revision", "pending"]) database.exec(`DROP TABLE ${table}`);
    database.exec("ALTER TABLE object DROP COLUMN digest");
    database.exec("CREATE TABLE isoline (version INTEGER NOT NULL)");
    database.exec("INSERT INTO isoline VALUES (2)");
    for (const [name, columns] of [
      ["cursor", "name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL"],
      ["part", "owner TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (owner, part)"],
    ]) {
      database.exec(`CREATE TABLE old (${columns}) WITHOUT ROWID`);
      database.exec(`INSERT INTO old SELECT * FROM ${name}`);
      database.exec(`DROP TABLE ${name}`);
      database.exec(`ALTER TABLE old RENAME TO ${name}`);
    }
    const cursors = new Map(
      database
        .all("SELECT name, value FROM cursor")
        .map(({ name, value }) => [name, JSON.parse(String(value))]),
    );
    const state = {
      ...JSON.parse(cursors.get("source:main")),
      refs: JSON.parse(cursors.get("source:main/refs")),
      findings: JSON.parse(cursors.get("source:main/findings")),
    };
    database.exec("DELETE FROM cursor WHERE name GLOB 'source:*'");
    const cell = (value: string): string => JSON.stringify(value).replaceAll("'", "''");
    database.exec(
      `INSERT INTO cursor VALUES ('source:main', '"1"'), ('source:main:0', '${cell(JSON.stringify(state))}')`,
    );
    database.exec("COMMIT");
  });
}

describe("the store of a Worker", () => {
  it("of an earlier version is served unchanged, and accepts pushes", async () => {
    await running(() => push(manifests(3)));
    toVersion2(databaseFile());
    await running(async () => {
      expect(await table()).toBe(3);
      expect(await ask("/sources/main")).toMatchObject({ body: { revision: 1, objects: 5, findings: [] } });
      expect(await push(manifests(4))).toMatchObject({ status: 200, body: { revision: 2 } });
      expect(await table()).toBe(4);
    });
  });

  it("of a newer version is refused with a code and a log line, and stays unchanged", async () => {
    await running(() => push(manifests(3)));
    inDatabase(databaseFile(), (database) => database.exec("UPDATE isoline_schema SET version = 99"));
    await running(async () => {
      for (const path of ["/status", "/sources/main", "/metrics"])
        expect(await ask(path)).toMatchObject({ status: 503, body: { code: "store-too-new" } });
      expect(await push(manifests(1))).toMatchObject({ status: 503, body: { code: "store-too-new" } });
    });
    expect(worker.lines.join("")).toContain("store-too-new: the store has version 99");
    inDatabase(databaseFile(), (database) => database.exec("UPDATE isoline_schema SET version = 3"));
    await running(async () => expect(await table()).toBe(3));
  });

  it("that is damaged is rebuilt from the pushed contents", async () => {
    await running(() => push(manifests(3)));
    inDatabase(databaseFile(), (database) => {
      database.exec("UPDATE object SET json = substr(json, 1, 9)");
      database.exec("UPDATE cursor SET value = substr(value, 1, 9) WHERE name GLOB 'source:*'");
    });
    await running(async () => {
      await eventually(async () => (await table()) === 3, "the text is applied");
      expect(await ask("/sources/main")).toMatchObject({ body: { revision: 1, objects: 5 } });
    });
    expect(worker.lines.join("")).toContain(
      "store-damaged: the store was rebuilt from 1 contents of sources; 0 could not be read",
    );
  });

  it("that can't be rebuilt reports the remedy, and stays unchanged", async () => {
    await running(() => push(manifests(3)));
    inDatabase(databaseFile(), (database) => {
      database.exec("UPDATE cursor SET value = substr(value, 1, 9) WHERE name GLOB 'source:*'");
      database.exec("DELETE FROM revision");
    });
    await running(async () => {
      expect(await ask("/status")).toMatchObject({ status: 503, body: { code: "store-damaged" } });
    });
    expect(inDatabase(databaseFile(), (database) => database.all("SELECT ref FROM object"))).toHaveLength(5);
  });

  it("whose Worker ends during a large push has it applied by the next one", async () => {
    await running(async () => {
      await push(manifests(1));
      // The answer is not awaited: the Worker ends while it works.
      push(manifests(6000)).catch(() => undefined);
      await eventually(
        async () => ((await ask("/sources/main")).body.left ?? 0) > 0,
        "the push is being applied",
      );
      expect(await table()).toBe(1);
    });
    await running(async () => {
      await eventually(async () => (await table()) === 6000, "all of it is served");
      expect(await ask("/sources/main")).toMatchObject({ body: { revision: 2, objects: 6002 } });
    });
  });
});
