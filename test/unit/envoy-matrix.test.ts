import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { isAtLeast, newestEnvoy, oldestEnvoy, parseEnvoyVersion } from "../../src/xds/envoy-version.js";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const releases = JSON.parse(
  /RELEASES = (\[[^\]]*\])/.exec(read("scripts/envoy-matrix.mjs"))?.[1] ?? "[]",
) as string[];

it("has one release of each supported minor version", () => {
  const minors = releases.map((release) => parseEnvoyVersion(release)?.minor);
  const supported = Array.from(
    { length: newestEnvoy.minor - oldestEnvoy.minor + 1 },
    (_, i) => oldestEnvoy.minor + i,
  );
  expect(minors).toEqual(supported);
  expect(isAtLeast(newestEnvoy, oldestEnvoy)).toBe(true);
});

it("has a table in the documentation with these releases in order, and without failures", () => {
  const table = /<!-- written by npm run envoy-matrix -- --write -->\n([\s\S]*?)<!-- end -->/.exec(
    read("docs/rest-xds.md"),
  )?.[1];
  const rows = (table ?? "").split("\n").filter((line) => /^\| \d/.test(line));
  for (const row of rows)
    expect(row).toMatch(/^\| \d+\.\d+\.\d+ \| \d+ passed \| \d+ passed \| \d+ \| 0 \|$/);
  const shown = rows.map((row) => row.split(" ")[1] ?? "");
  expect(table).toBeDefined();
  expect(shown).toEqual(releases.filter((release) => shown.includes(release)));
});
