import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { buildPage } from "./page.mjs";
import { isMain, root } from "./run.mjs";

const { version, engines, dependencies, devDependencies } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);

/** The oldest Node that works, such as `20.19`. */
export const oldestNode = engines.node.replace(/^>=/, "");

/** Options of bundles for Node that contain all packages. Some packages are CommonJS and call `require`. */
export const nodeBundle = {
  platform: "node",
  target: `node${oldestNode}`,
  define: { ISOLINE_VERSION: JSON.stringify(version), ISOLINE_COMMIT: '""' },
  banner: {
    js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
  },
};

/** Options of bundles that run in the checkout, with its packages. Node can't load the ES modules of jsonc-parser. */
export const checkoutBundle = async () => ({
  platform: "node",
  target: `node${oldestNode}`,
  define: {
    ...nodeBundle.define,
    ...(await pageConstant()),
  },
  external: Object.keys({ ...dependencies, ...devDependencies }).filter((name) => name !== "jsonc-parser"),
});

/** The Worker as one module for Miniflare and workerd. */
const worker = {
  platform: "neutral",
  target: "es2023",
  conditions: ["workerd", "worker", "browser"],
  mainFields: ["browser", "module", "main"],
  external: ["cloudflare:*", "node:*"],
};

const client = "@kubernetes/client-node";

/**
 * Marks modules of the Kubernetes client as free of side effects, so that unused ones are left out; its package.json
 * does not.
 */
const withoutUnusedClient = {
  name: "without-unused-client",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /./ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === client || !(path === client || from.importer.includes(client))) return undefined;
      const found = await resolve(path, { ...from, pluginData: client });
      return found.path.includes(client) ? { ...found, sideEffects: false } : found;
    });
  },
};

/**
 * The commit of the checkout, with `-dirty` after changes; outside a checkout the one in `$ISOLINE_COMMIT`, for builds of
 * images. Empty if there is neither.
 */
export function commit() {
  return commitOfCheckout() || (process.env.ISOLINE_COMMIT ?? "");
}

function commitOfCheckout() {
  const git = (...args) =>
    execFileSync("git", ["-C", root, ...args], { encoding: "utf8", stdio: "pipe" }).trim();
  try {
    if (realpathSync(git("rev-parse", "--show-toplevel")) !== realpathSync(root)) return "";
    return git("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*");
  } catch {
    return "";
  }
}

/** Builds the command line and the Worker. Rejects with the errors that esbuild printed. */
export async function build() {
  await buildCommands();
  await buildWorker();
}

const versionConstants = () => ({ ...nodeBundle.define, ISOLINE_COMMIT: JSON.stringify(commit()) });

const pageConstant = async () => ({ ISOLINE_PAGE: JSON.stringify(await buildPage()) });

/**
 * The Worker as `wrangler deploy` ships it: wrangler runs this build and does not bundle again, so that tests run the
 * same file.
 */
const buildWorker = async () =>
  bundle("src/runtime/worker/worker.ts", "dist/worker.js", {
    ...worker,
    define: { ...versionConstants(), ...(await pageConstant()) },
  });

/**
 * Builds the command line (an entry with the options of all commands, and chunks that a command loads when it runs) and
 * the library, which shares these chunks.
 */
async function buildCommands() {
  const { metafile } = await esbuild({
    ...nodeBundle,
    define: { ...versionConstants(), ...(await pageConstant()) },
    entryPoints: { main: "src/cli/main.ts", index: "src/index.ts" },
    outdir: "dist",
    chunkNames: "chunks/[name]-[hash]",
    splitting: true,
    metafile: true,
    legalComments: "none",
    external: ["node-sqlite3-wasm"],
    plugins: [withoutUnusedClient],
  });
  await bundle("src/cli/entry.ts", "dist/isoline.js", {
    platform: "node",
    target: "node10",
    supported: { "dynamic-import": true },
    define: { ISOLINE_NODE: JSON.stringify(oldestNode) },
    external: ["./main.js"],
    sourcemap: false,
  });
  chmodSync(join(root, "dist/isoline.js"), 0o755);
  const current = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
  for (const file of readdirSync(join(root, "dist/chunks")))
    if (!current.has(file)) rmSync(join(root, "dist/chunks", file));
}

/**
 * Bundles one TypeScript entry point as an ES module with a source map.
 *
 * @param {string} entry relative to the root of the checkout
 * @param {string} out relative to the root of the checkout
 * @param {import("esbuild").BuildOptions} options
 */
export async function bundle(entry, out, options) {
  await esbuild({ entryPoints: [entry], outfile: out, ...options });
}

async function esbuild(options) {
  // A dynamic import, because setup.mjs may install the package first.
  const { build } = await import("esbuild");
  const common = { absWorkingDir: root, bundle: true, format: "esm", sourcemap: true, logLevel: "warning" };
  return await build({ ...common, ...options });
}

if (isMain(import.meta)) {
  await (process.argv[2] === "worker" ? buildWorker() : build()).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
