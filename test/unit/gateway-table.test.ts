import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const quoted = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);

const rows = [...read("docs/gateway-api.md").matchAll(/^\| (.+?) \| (`[A-Z].*?) \| (`test\/.*) \|$/gm)].map(
  ([, feature = "", suite = "", own = ""]) => ({ feature, suite: quoted(suite), own: quoted(own) }),
);
const named = rows.flatMap(({ suite }) => suite);
/**
 * The tests of the official suite in the version of `test/conformance/go.mod`, without those of meshes: each `ShortName` in `tests/*.go` of its module.
 */
const suiteTests = read("test/conformance/tests.txt").trimEnd().split("\n");

describe("the table of features of the Gateway API", () => {
  it("names each test of the official suite once, and no other", () => {
    expect([...named].sort()).toEqual([...suiteTests].sort());
  });

  it("is about the suite of the kept report, where all tests passed", () => {
    const report = read("docs/conformance-report.yaml");
    const [, version] = /gateway-api\/conformance (v\S+)/.exec(read("test/conformance/go.mod")) ?? [];
    expect(/gatewayAPIVersion: (\S+)/.exec(report)?.[1]).toBe(version);
    const failed = [...report.matchAll(/(?:Failed|Skipped): (\d+)/g)].map(([, count]) => count);
    expect(new Set(failed)).toEqual(new Set(["0"]));
  });

  it.each(rows)("$feature: its own tests exist", ({ own }) => {
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
