import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../../src", import.meta.url));
const LONGEST_FILE = 400;

/** The folders (or top-level files) of src/ that one may import; `type store` stands for its types alone. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  gen: [],
  schema: ["gen"],
  documents: ["schema"],
  platform: [],
  store: ["schema", "platform", "type graph"],
  graph: ["schema", "type store"],
  xds: ["gen", "schema", "graph", "type store"],
  compile: ["gen", "schema", "graph", "xds", "type store"],
  missed: ["schema", "graph", "type store"],
  update: ["schema", "graph", "xds", "compile", "missed", "type store"],
  trial: ["update", "type store"],
  link: ["gen", "schema", "graph", "xds", "type store"],
  status: ["schema", "graph", "type store"],
  assume: ["schema", "graph", "update", "type store"],
  lint: ["schema", "graph", "type store"],
  explain: ["gen", "schema", "graph", "xds", "link", "type store"],
  "route-tests": ["schema", "explain"],
};

const CORE = [...Object.keys(MAY_IMPORT), "index"];
const OUTER = ["server", "kubernetes", "deploy", "cli", "action"];

/** Which folders an outer one may import: all but the runtime, which may import everything. */
const mayImport = (from: string, to: string, isType: boolean): boolean => {
  if (from === to || from === "runtime") return true;
  if (from === "index") return CORE.includes(to);
  const listed = MAY_IMPORT[from];
  if (!listed) return [...CORE, ...OUTER].includes(to);
  return listed.includes(to) || (isType && listed.includes(`type ${to}`));
};

/** Packages that only these folders may import. */
const PACKAGE_HOMES: Record<string, readonly string[]> = {
  zod: ["schema"],
  "js-yaml": ["documents"],
  hono: ["server", "runtime"],
  "@hono/node-server": ["runtime", "cli"],
  commander: ["cli"],
  "node-sqlite3-wasm": ["store", "runtime"],
  "cloudflare:workers": ["runtime"],
};
const NODE_HOMES = ["runtime", "cli", "action", "store", "platform"];

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

/** `graph` of `graph/policies/timeout.ts`, `update` of `update.ts`. */
const partOf = (file: string): string => file.split("/")[0]?.replace(/\.[jt]sx?$/, "") ?? "";

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
    return mayImport(from, partOf(to), isType) ? undefined : `${from} must not import ${partOf(to)}`;
  }
  if (specifier.startsWith("node:")) {
    return NODE_HOMES.includes(from) ? undefined : `only ${NODE_HOMES.join(", ")} may import node:*`;
  }
  const homes = PACKAGE_HOMES[packageOf(specifier)];
  return isType || !homes || homes.includes(from) ? undefined : `only ${homes.join(", ")} may import it`;
}

/** One circle of files that import each other's values or types, as a path, if there is one. */
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
  it("go in one direction only, and packages stay in their folders", () => {
    const wrong = [...texts].flatMap(([file, text]) =>
      importsOf(text).flatMap((found) => {
        const reason = wrongImport(file, found);
        return reason ? [`${file}: "${found.specifier}": ${reason}`] : [];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it("make no circle", () => {
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
  it("loads one package and few files of its own before a command runs", () => {
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
      "schema/names.ts",
      "schema/words.ts",
      "server/tokens.ts",
      "xds/bootstrap-error.ts",
    ]);
  });
});

describe("the core", () => {
  const core = [...texts].filter(([file]) => CORE.includes(partOf(file)) && !/^(store|gen)\b/.test(file));

  it("has no clock, randomness, environment or await", () => {
    const impure = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(|\bprocess\.|\bawait\s/;
    const code = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    expect(core.filter(([, text]) => impure.test(code(text))).map(([file]) => file)).toEqual([]);
  });

  it("has no state in its modules but what memoized.ts keeps", () => {
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
