import { join } from "node:path";
import { nodeBundle } from "./build.mjs";
import { isMain, root } from "./run.mjs";

/** Leaves the Kubernetes client out of the bundle, because the commands for CI do not read clusters. */
const withoutClient = {
  name: "left-out",
  setup(build) {
    build.onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({
      path: "left-out",
      namespace: "left-out",
    }));
    build.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({
      contents:
        'export class KubeConfig { constructor() { throw new Error("the bundle for CI does not read Kubernetes clusters; run isoline from its package"); } }',
    }));
  },
};

/**
 * Bundles the programs of `action.yml` and `templates/`: the command line and the action, with all their packages.
 *
 * @param {string} folder the output folder
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
    minify: true,
    legalComments: "none",
    logLevel: "warning",
    ...nodeBundle,
    plugins: [withoutClient],
  });
}

if (isMain(import.meta)) {
  await buildAction(process.argv[2] ?? join(root, "action")).catch(() => {
    process.exitCode = 1;
  });
}
