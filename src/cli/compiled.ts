import { type EnvoyConfig, readConfig } from "../explain/config.js";
import { link } from "../link/snapshot.js";
import { withWholeTables } from "../link/split.js";
import { checkKeyPair } from "../platform/key-pair.js";
import type { Settings } from "../schema/settings.js";
import { createMemoryStore } from "../store/memory.js";
import type { Store } from "../store/store.js";
import { update } from "../update.js";
import { type Input, type InputOptions, readInput } from "./kube-manifests.js";
import { formatLocated, type Manifests, readManifests } from "./objects.js";
import { readSettings, type SettingsFile } from "./settings-file.js";

/** Manifests with the configuration that they compile to. */
export interface CompiledPaths {
  readonly manifests: Manifests;
  readonly settings: Settings;
  readonly store: Store;
  readonly config: EnvoyConfig;
  /** A file could not be read, or not all of it. */
  readonly broken: boolean;
}

/** Compiles what is there; what is wrong with documents and settings is told on standard error, with a count of the rest. */
export function compilePaths(paths: readonly string[], settingsFile: string | undefined): CompiledPaths {
  const read = readSettings(settingsFile);
  const { settings } = read;
  const manifests = readManifests(paths, settings.spec.watchNamespaces);
  return compileWith({ ...manifests, settings }, read, paths.join(", "));
}

/** The same of files or of a cluster. */
export async function compileInput(
  options: InputOptions,
  settingsFile: string | undefined,
): Promise<CompiledPaths> {
  const read = readSettings(settingsFile);
  const input = await readInput(options, read.settings);
  return compileWith(input, read, options.kube ? "the cluster" : options.file.join(", "));
}

function compileWith(
  { settings, ...manifests }: Input,
  { findings, locate }: SettingsFile,
  where: string,
): CompiledPaths {
  for (const finding of findings) console.error(formatLocated(locate(finding)));
  for (const one of manifests.located) console.error(formatLocated(one));
  const store = createMemoryStore();
  update(store, [settings, ...manifests.objects], { checkKeyPair });
  const errors = [...store.findings()].filter(({ severity }) => severity === "error").length;
  const count = errors === 1 ? "1 error" : `${errors} errors`;
  if (errors > 0) console.error(`${count} in ${where}; isoline check tells which`);
  const config = readConfig(link(store, withWholeTables(settings.spec)));
  return { manifests, settings, store, config, broken: manifests.broken.size > 0 };
}
