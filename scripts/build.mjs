import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isMain, root } from "./run.mjs";

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** What is built: the command line for Node, and the Worker as one module for Miniflare and workerd. */
const BUNDLES = [
  {
    entry: "src/cli/main.ts",
    out: "dist/isoline.js",
    options: {
      platform: "node",
      target: "node20.19",
      packages: "external",
      define: { ISOLINE_VERSION: JSON.stringify(version) },
      banner: { js: "#!/usr/bin/env node" },
    },
  },
  {
    entry: "src/runtime/worker.ts",
    out: "dist/worker.js",
    options: {
      platform: "neutral",
      target: "es2023",
      conditions: ["workerd", "worker", "browser"],
      mainFields: ["browser", "module", "main"],
      external: ["cloudflare:*", "node:*"],
    },
  },
];

/** Builds what has an entry point and says what has none. Rejects with esbuild's errors, which it has printed. */
export async function build() {
  for (const { entry, out, options } of BUNDLES) {
    if (!existsSync(join(root, entry))) {
      console.log(`isoline: ${out} is not built: there is no ${entry}`);
      continue;
    }
    await bundle(entry, out, options);
    if (options.banner) chmodSync(join(root, out), 0o755);
  }
}

/**
 * Bundles one TypeScript entry point as an ES module with a source map.
 *
 * @param {string} entry from the root of the checkout
 * @param {string} out from the root of the checkout
 * @param {import("esbuild").BuildOptions} options
 */
export async function bundle(entry, out, options) {
  // Not a static import: setup.mjs may only just have installed it.
  const esbuild = await import("esbuild");
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: out,
    bundle: true,
    format: "esm",
    sourcemap: true,
    logLevel: "warning",
    ...options,
  });
}

if (isMain(import.meta)) {
  await build().catch(() => {
    process.exitCode = 1;
  });
}
