import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { build } from "./build.mjs";
import { isMain, root, run } from "./run.mjs";

/**
 * Writes the types of the library to `dist/types`: the declarations that `index.d.ts` reaches. Throws when they need a
 * package, which users of the library would have to install.
 */
export async function buildTypes() {
  const all = mkdtempSync(join(tmpdir(), "isoline-types-"));
  try {
    const args = ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json", "--outDir", all];
    if ((await run(process.execPath, args)) !== 0) throw new Error("the types of the library have errors");
    const types = join(root, "dist/types");
    rmSync(types, { recursive: true, force: true });
    for (const file of reachable(join(all, "index.d.ts"))) {
      const to = join(types, relative(all, file));
      mkdirSync(dirname(to), { recursive: true });
      copyFileSync(file, to);
    }
  } finally {
    rmSync(all, { recursive: true });
  }
}

/** The declaration files that a file imports, directly or indirectly, and the file itself. */
function reachable(file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, specifier] of readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"([^"]+)"/g)) {
    if (!specifier.startsWith("."))
      throw new Error(`${file} needs ${specifier}: types of the library must not need packages`);
    reachable(join(dirname(file), specifier.replace(/\.js$/, ".d.ts")), found);
  }
  return found;
}

if (isMain(import.meta)) {
  await build();
  await buildTypes();
}
