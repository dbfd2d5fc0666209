import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMain, root } from "./run.mjs";

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** What the bundle leaves out: clusters and stores are for servers and for the package. */
const left = {
  name: "left-out",
  setup(build) {
    build.onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({
      path: "left-out",
      namespace: "left-out",
    }));
    build.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({
      contents:
        'export class KubeConfig { constructor() { throw new Error("the bundle for CI does not read clusters; run isoline from its package"); } }',
    }));
  },
};

/**
 * Bundles what `action.yml` and `templates/` run: the command line and the action around it, with all packages in them.
 *
 * @param {string} folder where to write
 */
export async function buildAction(folder) {
  const { build } = await import("esbuild");
  await build({
    absWorkingDir: root,
    entryPoints: { isoline: "src/cli/main.ts", main: "src/action/main.ts" },
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
    define: { ISOLINE_VERSION: JSON.stringify(version) },
    banner: {
      js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
    },
    plugins: [left],
  });
}

if (isMain(import.meta)) {
  await buildAction(process.argv[2] ?? join(root, "action")).catch(() => {
    process.exitCode = 1;
  });
}
