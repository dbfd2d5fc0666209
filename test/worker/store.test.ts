import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { Miniflare } from "miniflare";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { hostProxy, type Manifest, service } from "../support/backend.js";
import { inDatabase } from "../support/database.js";
import { eventually } from "../support/envoy.js";
import { freePort } from "../support/http.js";

const line = (role: string): string =>
  `${role} sha256:${createHash("sha256").update(role).digest("hex")} name=${role}`;

let folder: string;
let port: number;
let lines: string[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "isoline-worker-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  port = await freePort();
  lines = [];
});

/** The built Worker over the folder, while `work` runs. */
async function running<T>(work: () => Promise<T>): Promise<T> {
  const worker = new Miniflare({
    host: "127.0.0.1",
    port,
    modules: [
      {
        type: "ESModule",
        path: "worker.js",
        contents: readFileSync(new URL("../../dist/worker.js", import.meta.url), "utf8"),
      },
    ],
    compatibilityDate: "2026-04-01",
    compatibilityFlags: ["nodejs_compat"],
    durableObjects: { FLEET: { className: "Fleet", useSQLite: true } },
    durableObjectsPersist: folder,
    bindings: {
      ISOLINE_INSECURE: "1",
      ISOLINE_TOKENS: ["node", "publish", "read", "admin"].map(line).join("\n"),
    },
    handleRuntimeStdio: (_: Readable, stderr: Readable) =>
      void stderr.on("data", (data: Buffer) => lines.push(data.toString())),
  });
  try {
    await worker.ready;
    return await work();
  } finally {
    await worker.dispose();
  }
}

/** The object's database, of which nothing has it open. */
function databaseFile(): string {
  const all = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const name = all.find((file) => /[0-9a-f]{64}\.sqlite$/.test(file));
  if (!name) throw new Error(`no database among ${all.join(", ")}`);
  return join(folder, name);
}

async function ask(
  path: string,
  role = "admin",
  init: RequestInit = {},
): Promise<{ status: number; body: Body }> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${role}` },
  });
  return { status: answer.status, body: (await answer.json()) as Body };
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

/** The tables as Isoline had them before, with the rows of a store of now. */
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
  it("of an earlier Isoline is served as it was, and takes pushes", async () => {
    await running(() => push(manifests(3)));
    toVersion2(databaseFile());
    await running(async () => {
      expect(await table()).toBe(3);
      expect(await ask("/sources/main")).toMatchObject({ body: { revision: 1, objects: 5, findings: [] } });
      expect(await push(manifests(4))).toMatchObject({ status: 200, body: { revision: 2 } });
      expect(await table()).toBe(4);
    });
  });

  it("of a newer Isoline is refused with a code and a line, and left as it is", async () => {
    await running(() => push(manifests(3)));
    inDatabase(databaseFile(), (database) => database.exec("UPDATE isoline_schema SET version = 99"));
    await running(async () => {
      for (const path of ["/status", "/sources/main", "/metrics"])
        expect(await ask(path)).toMatchObject({ status: 503, body: { code: "store-too-new" } });
      expect(await push(manifests(1))).toMatchObject({ status: 503, body: { code: "store-too-new" } });
    });
    expect(lines.join("")).toContain("store-too-new: the store has tables of version 99");
    inDatabase(databaseFile(), (database) => database.exec("UPDATE isoline_schema SET version = 3"));
    await running(async () => expect(await table()).toBe(3));
  });

  it("that is damaged is made anew of what was pushed", async () => {
    await running(() => push(manifests(3)));
    inDatabase(databaseFile(), (database) => {
      database.exec("UPDATE object SET json = substr(json, 1, 9)");
      database.exec("UPDATE cursor SET value = substr(value, 1, 9) WHERE name GLOB 'source:*'");
    });
    await running(async () => {
      await eventually(async () => (await table()) === 3, "the text is applied");
      expect(await ask("/sources/main")).toMatchObject({ body: { revision: 1, objects: 5 } });
    });
    expect(lines.join("")).toContain(
      "store-damaged: the store was made anew of 1 contents of sources; 0 could not be read",
    );
  });

  it("that is damaged beyond that says what to do, and is left as it is", async () => {
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

  it("whose Worker ends within a large push has it applied by the next", async () => {
    await running(async () => {
      await push(manifests(1));
      // The answer is not waited for: the Worker ends while it works.
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
