import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { isAtLeast, newestEnvoy, oldestEnvoy, parseEnvoyVersion } from "../../src/xds/envoy-version.js";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const releases = JSON.parse(
  /RELEASES = (\[[^\]]*\])/.exec(read("scripts/envoy-matrix.mjs"))?.[1] ?? "[]",
) as string[];

it("is of one release of each minor version that is supported", () => {
  const minors = releases.map((release) => parseEnvoyVersion(release)?.minor);
  const supported = Array.from(
    { length: newestEnvoy.minor - oldestEnvoy.minor + 1 },
    (_, i) => oldestEnvoy.minor + i,
  );
  expect(minors).toEqual(supported);
  expect(isAtLeast(newestEnvoy, oldestEnvoy)).toBe(true);
});

it("has a table in the documentation, in which nothing failed", () => {
  const rows = [
    ...read("docs/rest-xds.md").matchAll(
      /^\| (\d+\.\d+\.\d+) \| (\d+) passed \| (\d+) passed \| \d+ \| 0 \|$/gm,
    ),
  ];
  expect(rows.map(([, release]) => release)).toEqual(releases);
});
