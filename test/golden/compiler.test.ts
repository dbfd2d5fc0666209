import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { compilerVersion } from "../../src/compile.js";

const root = import.meta.dirname;
const record = join(root, "compiler.json");

interface Outputs {
  readonly version: number;
  /** A hash of what each golden case compiles to. */
  readonly cases: Readonly<Record<string, string>>;
}

function outputs(): Outputs {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith("expected.yaml"),
  );
  const cases = files.sort().map((path) => {
    const hash = createHash("sha256").update(readFileSync(join(root, path)));
    return [path.replace("/expected.yaml", ""), hash.digest("hex").slice(0, 8)] as const;
  });
  return { version: compilerVersion, cases: Object.fromEntries(cases) };
}

it("has another version whenever its output is another: stores that outlive it are compiled anew by that", () => {
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
