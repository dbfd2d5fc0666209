import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../../src", import.meta.url));
const LONGEST_FILE = 400;

/**
 * The parts of src (folders, their subfolders, and top-level files), and the other parts that each may import;
 * `type:store` allows only its types. All other imports are forbidden.
 */
const CORE: Record<string, readonly string[]> = {
  gen: [],
  schema: ["gen"],
  documents: ["schema"],
  platform: [],
  store: ["schema", "platform", "type graph"],
  graph: ["schema", "type store"],
  xds: ["gen", "schema", "graph", "type store"],
  compile: ["gen", "schema", "graph", "xds", "type store"],
  update: ["schema", "graph", "xds", "compile", "type store"],
  link: ["gen", "schema", "graph", "xds", "type store"],
  status: ["schema", "graph", "type store"],
  assume: ["schema", "graph", "update", "type store"],
  lint: ["schema", "graph", "type store"],
  explain: ["gen", "schema", "graph", "xds", "link", "type store"],
  "route-tests": ["schema", "type graph", "explain"],
  migrate: ["schema", "documents", "graph"],
};

const listed = (text: string): readonly string[] => text.split(/\s+/).map((part) => part.replace(":", " "));

/** The parts around the core, from the inside out: the engine, sources, servers, and the wiring of these. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  ...CORE,
  index: Object.keys(CORE),
  log: ["schema"],
  engine: listed("log schema graph update link lint explain type:store"),
  kubernetes: listed("schema graph"),
  "kubernetes/node": listed("log schema documents kubernetes"),
  "status/write": listed("log schema graph xds status kubernetes type:store"),
  sources: listed("schema engine"),
  "sources/files": listed("log schema documents assume type:lint engine sources type:store"),
  "sources/kubernetes": listed("log schema update engine kubernetes sources status/write type:store"),
  "sources/push": listed(
    "type:gen log schema documents graph xds compile update link explain engine sources type:store",
  ),
  verdict: listed("schema"),
  picture: listed("schema explain"),
  page: listed("schema verdict picture type:explain type:server type:engine"),
  server: listed(
    "log schema documents graph xds link lint explain engine kubernetes sources sources/push verdict picture type:store",
  ),
  deploy: listed("xds kubernetes status/write"),
  "runtime/node": listed(
    `log schema platform store update engine kubernetes/node sources sources/files sources/kubernetes sources/push
    status/write server`,
  ),
  "runtime/worker": listed(
    "log schema platform store type:update link engine kubernetes sources sources/kubernetes sources/push server",
  ),
  dev: listed("type:gen schema documents platform xds runtime/node"),
  cli: [
    ...Object.keys(CORE),
    ...listed("log engine kubernetes kubernetes/node sources/files sources/kubernetes sources/push"),
    ...listed("type:status/write server deploy dev verdict picture"),
  ],
  action: listed("schema cli"),
};

/** Additional imports of single files: only `isoline serve` starts a server. */
const FILES_MAY_IMPORT: Record<string, readonly string[]> = { "cli/serve-command.ts": ["runtime/node"] };

const mayImport = (file: string, to: string, isType: boolean): boolean => {
  const from = partOf(file);
  const allowed = [...(MAY_IMPORT[from] ?? []), ...(FILES_MAY_IMPORT[file] ?? [])];
  return from === to || allowed.includes(to) || (isType && allowed.includes(`type ${to}`));
};

/** Packages that only these folders may import. */
const PACKAGE_HOMES: Record<string, readonly string[]> = {
  zod: ["schema"],
  "js-yaml": ["documents"],
  hono: ["server", "runtime/node"],
  "@hono/node-server": ["runtime/node"],
  "@kubernetes/client-node": ["kubernetes/node"],
  chokidar: ["sources/files"],
  commander: ["cli"],
  "@dagrejs/dagre": ["picture"],
  preact: ["page"],
  "@preact/signals": ["page"],
  "node-sqlite3-wasm": ["store"],
  pino: ["runtime/node"],
  "@opentelemetry/api": ["runtime/node"],
  "@opentelemetry/exporter-trace-otlp-http": ["runtime/node"],
  "@opentelemetry/resources": ["runtime/node"],
  "@opentelemetry/sdk-trace-base": ["runtime/node"],
  "prom-client": ["runtime/node"],
  "cloudflare:workers": ["runtime/worker"],
};
/** The parts that run only on Node. `store` has a file for each platform. */
const NODE_HOMES = [
  "platform",
  "store",
  "kubernetes/node",
  "sources/files",
  "runtime/node",
  "dev",
  "cli",
  "action",
];

interface Import {
  readonly specifier: string;
  readonly isType: boolean;
  readonly isDynamic: boolean;
}

const IMPORT = /^\s*(?:import|export)\s+(type\s)?(?:[^"'`;]*?\sfrom\s+)?"([^"]+)"|\bimport\("([^"]+)"\)/gm;

function importsOf(text: string): Import[] {
  return [...text.matchAll(IMPORT)].map(([, type, fixed, dynamic]) => ({
    specifier: fixed ?? dynamic ?? "",
    isType: type !== undefined,
    isDynamic: dynamic !== undefined,
  }));
}

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));
const texts = new Map(files.map((file) => [file, readFileSync(join(SRC, file), "utf8")]));

/** `graph` of `graph/policies/timeout.ts`, `update` of `update.ts`, `status/write` of `status/write/lease.ts`. */
function partOf(file: string): string {
  const [first = "", second = ""] = file.split("/");
  return `${first}/${second}` in MAY_IMPORT ? `${first}/${second}` : first.replace(/\.[jt]sx?$/, "");
}

const packageOf = (specifier: string): string =>
  specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");

function fileOf(importer: string, specifier: string): string {
  const path = relative(SRC, join(SRC, dirname(importer), specifier));
  return (
    [path.replace(/\.js$/, ".ts"), path.replace(/\.js$/, ".tsx")].find((file) => texts.has(file)) ?? path
  );
}

function wrongImport(importer: string, { specifier, isType }: Import): string | undefined {
  const from = partOf(importer);
  if (specifier.startsWith(".")) {
    const to = fileOf(importer, specifier);
    if (to.startsWith("..")) return to.endsWith("package.json") ? undefined : "is outside src";
    return mayImport(importer, partOf(to), isType) ? undefined : `${from} must not import ${partOf(to)}`;
  }
  if (specifier.startsWith("node:")) {
    return NODE_HOMES.includes(from) ? undefined : `only ${NODE_HOMES.join(", ")} may import node:*`;
  }
  const homes = PACKAGE_HOMES[packageOf(specifier)];
  return isType || !homes || homes.includes(from) ? undefined : `only ${homes.join(", ")} may import it`;
}

/** A cycle of imports of values or types, as a list of files; undefined without one. */
function findCycle(edges: ReadonlyMap<string, readonly string[]>): string | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file].join(" -> ");
    if (done.has(file)) return undefined;
    for (const next of edges.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of edges.keys()) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}

describe("the imports of src", () => {
  it("have one direction, and packages are imported only in their folders", () => {
    const wrong = [...texts].flatMap(([file, text]) =>
      importsOf(text).flatMap((found) => {
        const reason = wrongImport(file, found);
        return reason ? [`${file}: "${found.specifier}": ${reason}`] : [];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it("are listed for every part", () => {
    expect(Object.keys(MAY_IMPORT).sort()).toEqual([...new Set(files.map(partOf))].sort());
  });

  it("have no cycle", () => {
    const edges = new Map(
      [...texts].map(([file, text]) => [
        file,
        importsOf(text)
          .filter(({ specifier }) => specifier.startsWith("."))
          .map(({ specifier }) => fileOf(file, specifier)),
      ]),
    );
    expect(findCycle(edges)).toBeUndefined();
  });
});

describe("the command line", () => {
  it("loads one package and few files before a command runs", () => {
    const loaded = new Set<string>();
    const packages = new Set<string>();
    const load = (file: string): void => {
      if (loaded.has(file)) return;
      loaded.add(file);
      for (const { specifier, isType, isDynamic } of importsOf(texts.get(file) ?? "")) {
        if (isType || isDynamic || specifier.startsWith("node:")) continue;
        if (specifier.startsWith(".")) load(fileOf(file, specifier));
        else packages.add(packageOf(specifier));
      }
    };
    load("cli/main.ts");
    expect([...packages]).toEqual(["commander"]);
    const outside = [...loaded].filter((file) => !file.startsWith("cli/"));
    expect(outside.sort()).toEqual([
      "platform/cache-folder.ts",
      "schema/names.ts",
      "schema/words.ts",
      "server/tokens.ts",
      "xds/bootstrap-error.ts",
    ]);
  });
});

describe("the core", () => {
  const core = [...texts].filter(([file]) => partOf(file) in CORE && !/^(store|gen|platform)\b/.test(file));

  it("has no clock, randomness, environment or await", () => {
    const impure = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(|\bprocess\.|\bawait\s/;
    const code = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    expect(core.filter(([, text]) => impure.test(code(text))).map(([file]) => file)).toEqual([]);
  });

  it("has no state in its modules outside of memoized.ts", () => {
    const state =
      /^(?:export )?(?:let |const \w+(?:: (?:Map|Set|WeakMap|WeakSet)<[^=]*)? = new (?:(?:Map|Set)(?:<.*>)?\(\)|(?:WeakMap|WeakSet|LruCache|StoreCache|UnitCache)\b))/m;
    expect(core.filter(([, text]) => state.test(text)).map(([file]) => file)).toEqual([]);
    expect(state.test("const known = new Map<string, RE2JS>();")).toBe(true);
    expect(state.test("const pairs = new WeakMap<object, { pair?: KeyPair }>();")).toBe(true);
    expect(state.test("export let last: Ref | undefined;")).toBe(true);
  });
});

describe("the files of src", () => {
  it(`are at most ${LONGEST_FILE} lines long`, () => {
    const long = [...texts].filter(
      ([file, text]) => !file.startsWith("gen/") && text.split("\n").length > LONGEST_FILE + 1,
    );
    expect(long.map(([file]) => file)).toEqual([]);
  });
});
