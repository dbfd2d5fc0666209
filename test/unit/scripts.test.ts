import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const STATIC_IMPORT = /^(?:import|export)\s(?:[^"'()]*?\sfrom\s)?["']([^"']+)["']/gm;

/** All names that a script and its own modules import when they load, and the files of these modules. */
function loadedBy(script: string, files = new Set<string>(), names = new Set<string>()) {
  files.add(relative(ROOT, script));
  for (const [, name = ""] of readFileSync(script, "utf8").matchAll(STATIC_IMPORT)) {
    const file = resolve(dirname(script), name);
    if (!name.startsWith(".")) names.add(name);
    else if (!files.has(relative(ROOT, file))) loadedBy(file, files, names);
  }
  return { files, names };
}

const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const programs = Object.entries<string>(scripts).flatMap(([command, line]) =>
  [...line.matchAll(/node (scripts\/\S+)/g)].map(([, file = ""]) => [command, file] as const),
);
const installing = programs.filter(([, file]) => loadedBy(join(ROOT, file)).files.has("scripts/setup.mjs"));

describe("commands of a checkout without packages", () => {
  it("include start and test", () => {
    expect(installing.map(([command]) => command)).toEqual(
      expect.arrayContaining(["start", "test", "test:long"]),
    );
  });

  it.each(installing)("npm run %s loads no package before it installs them", (_command, file) => {
    const { names } = loadedBy(join(ROOT, file));
    expect([...names].filter((name) => !name.startsWith("node:"))).toEqual([]);
  });
});
