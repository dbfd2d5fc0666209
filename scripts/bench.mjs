import { build, bundle, checkoutBundle } from "./build.mjs";
import { run } from "./run.mjs";
import { setup } from "./setup.mjs";

/** Benchmarks by name; `core` is the default. */
const BENCHES = {
  applied: "test/bench/applied.ts",
  attacks: "test/bench/attacks.ts",
  core: "test/bench/bench.ts",
  kube: "test/bench/kube.ts",
  peers: "test/bench/peers.ts",
  status: "test/bench/status.ts",
  stores: "test/bench/stores.ts",
  sync: "test/bench/sync.ts",
  traffic: "test/bench/traffic.ts",
  waits: "test/bench/waits.ts",
  worker: "test/bench/worker.ts",
};

/** The rows in the output of a benchmark: one object, its `results`, or one object per line. */
function rowsOf(text) {
  const values = [];
  for (const part of [text, ...text.split("\n")]) {
    try {
      const value = JSON.parse(part);
      values.push(...(Array.isArray(value.results) ? value.results : [value]));
    } catch {
      continue;
    }
    if (part === text) break;
  }
  return values.filter((value) => typeof value === "object" && value !== null);
}

/** Prints each figure as a row: benchmarks have more figures than sizes. */
function printTable(rows) {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = (key) =>
    rows.map((row) => (typeof row[key] === "object" ? JSON.stringify(row[key]) : row[key]));
  const table = Object.fromEntries(keys.map((key) => [key, { ...cells(key) }]));
  if (rows.length > 0) console.table(table);
}

const given = process.argv.slice(2);
const json = given.includes("--json");
const [name = "core", ...rest] = given.filter((arg) => arg !== "--json");
const known = Object.hasOwn(BENCHES, name);
const chosen = known ? name : "core";
const args = chosen === "core" ? given.filter((arg) => arg !== "core") : rest;

if (await setup()) {
  await build();
  const out = `dist/bench/${chosen}.js`;
  await bundle(BENCHES[chosen], out, await checkoutBundle());
  let text = "";
  process.exitCode = await run(process.execPath, ["--expose-gc", "--enable-source-maps", out, ...args], {
    onOutput: (chunk) => {
      text += chunk;
    },
  });
  if (!json) printTable(rowsOf(text));
} else process.exitCode = 1;
