/**
 * Prints, as SQL, the store that an earlier commit of this repository creates from two pushed sources:
 *
 *     node scripts/old-store.mjs COMMIT > test/support/stores/NAME.sql
 *
 * Tests of migrations open these stores. A commit that changes the schema adds the store of its parent.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

/** Pushes with the code of the commit, in the same way as its Worker. */
const entry = `
import { createSqliteStore } from "./src/store/sqlite.js";
const first = await import("./src/server/source.js").catch(() => undefined);
const second = await import("./src/server/pushed.js").catch(() => undefined);
const third = await import("./src/sources/push/push-source.js").catch(() => undefined);
const { Publisher } = await import("./src/server/publisher.js").catch(() => ({}));
const { Engine } = await import("./src/engine/engine.js").catch(() => ({}));
const { Hub } = await import("./src/server/hub.js").catch(() => ({}));
const update = await import("./src/update.js");
const platform = { checkKeyPair: () => undefined };

export async function fill(file, texts) {
  const store = createSqliteStore(file);
  update.refresh?.(store, platform);
  const now = () => 1_700_000_000_000;
  const outlet = Hub && new Hub({ now, log() {} });
  const pushed = third
    ? new third.PushedSources(new Engine({ store, platform, outlet, now }))
    : second && new second.PushedSources(store, new Publisher(store, outlet, now), platform);
  pushed?.start();
  for (const [name, text] of texts) {
    if (pushed) await pushed.put({ name, text, strict: false, dryRun: false, acceptShrink: true });
    else {
      first.applySource(store, name, first.parseSource(text), platform);
      store.setCursor("sequence", "1700000000000");
    }
  }
  store.close();
}
`;

const meta = (name, more = {}) => ({ name, namespace: "shop", ...more });
const service = (name) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: meta(name),
  spec: { ports: [{ name: "http", port: 80, targetPort: 8080 }] },
});
const slice = (name) => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: meta(`${name}-1`, { labels: { "kubernetes.io/service-name": name } }),
  addressType: "IPv4",
  endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: true } }],
  ports: [{ name: "http", port: 8080 }],
});
const proxy = (name, to, spec = {}) => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: meta(name),
  spec: { virtualhost: { fqdn: `${name}.test` }, routes: [{ services: [{ name: to, port: 80 }] }], ...spec },
});
const broken = proxy("broken", "missing");
const texts = [
  [
    "web",
    [
      service("web"),
      slice("web"),
      proxy("web", "web"),
      broken,
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    ],
  ],
  ["api", [service("api"), slice("api"), proxy("api", "api", { includes: [] })]],
].map(([name, objects]) => [name, objects.map((object) => JSON.stringify(object)).join("\n")]);

const literal = (value) =>
  value === null ? "NULL" : typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;

/** The tables and rows of a database, one statement per line. */
function dump(file) {
  const { Database } = createRequire(import.meta.url)("node-sqlite3-wasm");
  const database = new Database(file);
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  const lines = [];
  for (const { name, sql } of database.all(
    "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL",
  )) {
    lines.push(`${sql.replace(/\s+/g, " ")};`);
    for (const row of database.all(`SELECT * FROM ${name}`))
      lines.push(`INSERT INTO ${name} VALUES (${Object.values(row).map(literal).join(", ")});`);
  }
  database.close();
  return `${lines.join("\n")}\n`;
}

const [commit] = process.argv.slice(2);
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "isoline-old-"));
try {
  const tar = execFileSync("git", ["archive", commit, "src"], { cwd: root, maxBuffer: 1 << 28 });
  execFileSync("tar", ["x", "-C", folder], { input: tar });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "entry.ts"), entry);
  const outfile = join(folder, "entry.mjs");
  await build({
    entryPoints: [join(folder, "entry.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logOverride: { "unresolved-import": "silent" },
    plugins: [
      {
        name: "absent",
        setup: ({ onResolve, onLoad }) => {
          // Modules that the commit does not have throw an error.
          onResolve({ filter: /^\.\/src\/server\/(?:pushed|publisher)\.js$/ }, ({ path }) => {
            try {
              createRequire(import.meta.url)("node:fs").statSync(join(folder, path.replace(/\.js$/, ".ts")));
              return undefined;
            } catch {
              return { path, namespace: "absent" };
            }
          });
          onLoad({ filter: /.*/, namespace: "absent" }, () => ({ contents: "throw new Error('absent')" }));
        },
      },
    ],
  });
  const { fill } = await import(pathToFileURL(outfile).href);
  const file = join(folder, "store.db");
  await fill(file, texts);
  process.stdout.write(dump(file));
} finally {
  rmSync(folder, { recursive: true });
}
