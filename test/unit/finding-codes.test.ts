import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { codeAreas, findingCodes, isFindingCode } from "../../src/schema/finding-codes.js";

const root = join(import.meta.dirname, "../..");

const filesOf = (folder: string, name: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => name.test(file))
    .map((file) => join(root, folder, file));

describe("the table of finding codes", () => {
  it("matches docs/findings.md", () => {
    const script =
      'import { generate } from "./scripts/gen-findings.mjs"; process.stdout.write(await generate());';
    const made = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: root,
      encoding: "utf8",
    });
    expect(readFileSync(join(root, "docs/findings.md"), "utf8"), "run npm run gen:findings").toBe(made);
  });

  it("has each code in one area", () => {
    const names = Object.values(codeAreas).flatMap((codes) => Object.keys(codes));
    expect([...names].sort()).toEqual(Object.keys(findingCodes).sort());
  });

  it("has no code that is never used", () => {
    const source = filesOf("src", /\.ts$/)
      .filter((file) => !file.includes("finding-codes"))
      .map((file) => readFileSync(file, "utf8"))
      .join("\n");
    // These codes have a prefix and a variable part (src/kubernetes/guard.ts).
    const written = (code: string): boolean => source.includes(`"${code.replace(/^Held/, "")}"`);
    expect(Object.keys(findingCodes).filter((code) => !written(code))).toEqual([]);
  });

  it.each(Object.entries(findingCodes))("describes %s and its fix", (_, { meaning, fix, example }) => {
    for (const text of [meaning, fix, example]) expect(text).toMatch(/^[A-Z`0-9].*\.$/s);
  });

  it("has the severities of the goldens", () => {
    const wrong = filesOf("test/golden", /expected\.yaml$/).flatMap((file) => {
      const { findings = [] } = parse(readFileSync(file, "utf8")) as {
        findings?: readonly { reason: string; severity: string }[];
      };
      return findings
        .filter(({ reason, severity }) => {
          const known = isFindingCode(reason) ? findingCodes[reason].severity : undefined;
          return known !== "either" && known !== severity;
        })
        .map(({ reason, severity }) => `${file}: ${severity} ${reason}`);
    });
    expect(wrong).toEqual([]);
  });
});
