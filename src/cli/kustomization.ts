import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { generatedBy } from "../assume/owners.js";
import { readNow } from "../documents/documents.js";
import { isRecord } from "../schema/issues.js";
import type { Ref } from "../schema/meta.js";
import { messageOf } from "../schema/words.js";

/** A finding about a folder that can't be read as it is. */
export interface FolderFinding {
  readonly file: string;
  readonly severity: "error" | "warning";
  readonly reason: "NotRendered" | "NotBuilt" | "NotReadable";
  readonly message: string;
}

interface Kustomization {
  readonly file: string;
  readonly folder: string;
  /** Local paths of the files and folders that it lists. */
  readonly resources: readonly string[];
  readonly patches: readonly string[];
  /** Secrets and ConfigMaps that its generators create. */
  readonly generated: readonly Ref[];
  /** Why it can't be built here. */
  readonly problem?: string;
}

/** The effect of kustomizations on the files of a folder. */
export interface Kustomizations {
  readonly built: readonly { readonly file: string; readonly text: string }[];
  readonly findings: readonly FolderFinding[];
  /** Patches, which are not complete manifests. */
  readonly patches: ReadonlySet<string>;
  /** Files and folders whose content is part of a build. */
  readonly covered: readonly string[];
  /** Secrets and ConfigMaps that generators of kustomizations without a build create. */
  readonly generated: readonly Ref[];
}

/** Reads kustomizations by the paths of their files. With `build`, builds those that no other one refers to. */
export function readKustomizations(files: readonly string[], build: boolean): Kustomizations {
  const all = files.map(readKustomization);
  const named = new Set(all.flatMap(({ resources }) => resources));
  const tops = all.filter(({ folder }) => !named.has(folder));
  const patches = new Set(all.flatMap((one) => one.patches));
  if (!build) {
    const generated = all.flatMap((one) => one.generated);
    return { built: [], patches, covered: [], generated, findings: tops.map(notBuilt) };
  }
  const built: { file: string; text: string }[] = [];
  const findings: FolderFinding[] = [];
  const covered = all.map(({ folder }) => folder);
  for (const one of tops) {
    const problem = problemWithin(one, new Set());
    const made = problem === undefined ? runBuild(one.folder) : { problem };
    if ("text" in made) built.push({ file: one.file, text: made.text });
    else findings.push({ file: one.file, severity: "error", reason: "NotBuilt", message: made.problem });
  }
  const resources = all.flatMap((one) => one.resources);
  return { built, findings, patches, covered: [...covered, ...resources], generated: [] };
}

/** Why a kustomization, or one that it refers to, can't be built here. */
function problemWithin(one: Kustomization, seen: Set<string>): string | undefined {
  if (seen.has(one.file)) return undefined;
  seen.add(one.file);
  if (one.problem !== undefined) return one.problem;
  for (const folder of one.resources)
    for (const name of kustomizationNames) {
      const file = join(folder, name);
      const problem = existsSync(file) ? problemWithin(readKustomization(file), seen) : undefined;
      if (problem !== undefined) return `${file} ${problem}`;
    }
  return undefined;
}

const notBuilt = ({ file, folder }: Kustomization): FolderFinding => ({
  file,
  severity: "warning",
  reason: "NotBuilt",
  message: `is a kustomization whose files are read as they are, without its patches and names; build it with --build, or first: kustomize build ${folder} | isoline check -f -`,
});

export const kustomizationNames: readonly string[] = [
  "kustomization.yaml",
  "kustomization.yml",
  "Kustomization",
];
const remote = /^(?:[a-z+]+:\/\/|git@|github\.com\/|[^/]+\.[a-z]{2,}\/[^.])|\?ref=/i;

function readKustomization(file: string): Kustomization {
  const folder = dirname(file);
  const none = { file, folder: normalize(folder), resources: [], patches: [], generated: [] };
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return { ...none, problem: messageOf(error) };
  }
  const [first] = [...readNow(text)];
  if (!first || "fault" in first || !isRecord(first.value)) return { ...none, problem: "is not a YAML map" };
  const { value } = first;
  const resources = ["resources", "bases", "components", "crds"].flatMap((key) => textsOf(value[key]));
  const patches = [
    ...textsOf(value.patchesStrategicMerge),
    ...["patches", "patchesJson6902", "replacements"].flatMap((key) => pathsOf(value[key])),
  ];
  const problem = problemOf(value, folder, [...resources, ...patches, ...otherPaths(value)]);
  const local = (paths: readonly string[]): string[] => paths.map((path) => normalize(join(folder, path)));
  return {
    ...none,
    resources: local(resources.filter((one) => !remote.test(one))),
    patches: local(patches),
    generated: generatedBy(value),
    ...(problem ? { problem } : {}),
  };
}

/** Why a build would fetch or run something. */
function problemOf(
  value: Readonly<Record<string, unknown>>,
  folder: string,
  paths: readonly string[],
): string | undefined {
  const isUrl = (path: string): boolean => /^[a-z][a-z\d+.-]*:\/\//i.test(path);
  // kustomize fetches every path that does not exist locally, in more notations than a pattern can recognize.
  const far = paths.find((one) => isUrl(one) || !existsSync(join(folder, one)));
  if (far !== undefined)
    return remote.test(far)
      ? `refers to the remote base ${JSON.stringify(far)}, which is not fetched; build it first`
      : `refers to ${JSON.stringify(far)}, which does not exist here; nothing is fetched`;
  const runs = ["helmCharts", "helmChartInflationGenerator", "generators", "transformers", "validators"].find(
    (key) => value[key] !== undefined,
  );
  return runs && `has ${runs}, which would run other programs; build it first`;
}

/** Paths of files that are neither manifests nor patches. */
function otherPaths(value: Readonly<Record<string, unknown>>): string[] {
  const generators = ["configMapGenerator", "secretGenerator"].flatMap((key) => {
    const all = value[key];
    return Array.isArray(all) ? all.filter(isRecord) : [];
  });
  const named = generators.flatMap(({ files, envs, env }) => [
    ...textsOf(files).map((one) => one.replace(/^[^=]*=/, "")),
    ...textsOf(envs),
    ...textsOf([env]),
  ]);
  const { openapi, configurations } = value;
  return [...textsOf(configurations), ...(isRecord(openapi) ? textsOf([openapi.path]) : []), ...named];
}

const textsOf = (value: unknown): string[] =>
  Array.isArray(value)
    ? value.filter((one): one is string => typeof one === "string" && !one.includes("\n"))
    : [];
const pathsOf = (value: unknown): string[] =>
  Array.isArray(value)
    ? value.flatMap((one) => (isRecord(one) && typeof one.path === "string" ? [one.path] : []))
    : [];

const maxBuilt = 64 * 1024 * 1024;
const output = { encoding: "utf8", maxBuffer: maxBuilt, timeout: 60_000 } as const;

/** Plugins, Helm and files outside of the folder are disabled, which is the default. */
function runBuild(folder: string): { readonly text: string } | { readonly problem: string } {
  const commands = [
    ["kustomize", ["build", folder]],
    ["kubectl", ["kustomize", folder]],
  ] as const;
  for (const [command, args] of commands) {
    try {
      return { text: execFileSync(command, [...args], { ...output, stdio: ["ignore", "pipe", "pipe"] }) };
    } catch (error) {
      if (isMissing(error)) continue;
      const said =
        isRecord(error) && typeof error.stderr === "string"
          ? error.stderr.trim().split("\n").at(-1)
          : String(error);
      return { problem: `${command} can't build it: ${said}` };
    }
  }
  return { problem: "can't be built: neither kustomize nor kubectl is installed" };
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";
