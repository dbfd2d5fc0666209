import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { compilerVersion } from "../../src/compile.js";
import { compileAll, parseCase } from "../support/compile.js";

const root = import.meta.dirname;
const record = join(root, "compiler.json");

interface Outputs {
  readonly version: number;
  /**
   * Hashes of the output of each golden case (its golden file, with aliases for cluster names), and of the real names.
   */
  readonly cases: Readonly<Record<string, string>>;
}

const read = (path: string): string => readFileSync(join(root, path), "utf8");

function clusterNames(folder: string): string[] {
  const settings = join(folder, "settings.yaml");
  const { objects } = parseCase(
    read(join(folder, "objects.yaml")),
    existsSync(join(root, settings)) ? read(settings) : undefined,
  );
  return [...compileAll(objects).resources("cluster", "")].map(({ name }) => name);
}

function outputs(): Outputs {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith("expected.yaml"),
  );
  const cases = files.sort().map((path) => {
    const folder = dirname(path);
    const hash = createHash("sha256")
      .update(read(path))
      .update(JSON.stringify(clusterNames(folder)));
    return [folder, hash.digest("hex").slice(0, 8)] as const;
  });
  return { version: compilerVersion, cases: Object.fromEntries(cases) };
}

it("has a new version whenever its output changes, so that existing stores are compiled again", () => {
  const known = JSON.parse(readFileSync(record, "utf8")) as Outputs;
  const now = outputs();
  const changed = Object.keys(now.cases).filter(
    (name) => (known.cases[name] ?? now.cases[name]) !== now.cases[name],
  );
  if (changed.length > 0 && now.version <= known.version)
    expect(changed, "raise compilerVersion in src/compile.ts, then run with UPDATE=1").toEqual([]);
  if (process.env.UPDATE === "1") writeFileSync(record, `${JSON.stringify(now, null, 2)}\n`);
  else expect(known, "run with UPDATE=1").toEqual(now);
});
