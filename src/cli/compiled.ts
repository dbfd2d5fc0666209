import { type Assumed, type Assumption, compileAssuming } from "../assume/assume.js";
import { type EnvoyConfig, readConfig } from "../explain/config.js";
import { link, type Snapshot } from "../link/snapshot.js";
import { withWholeTables } from "../link/split.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { namespaceOf, type Ref } from "../schema/meta.js";
import { notWatched } from "../schema/object.js";
import { printable } from "../schema/printable.js";
import type { Settings } from "../schema/settings.js";
import { plural } from "../schema/words.js";
import { formatLocated } from "../sources/files/objects.js";
import { readSettings, type SettingsFile } from "../sources/files/settings-file.js";
import { createMemoryStore } from "../store/memory.js";
import type { Store } from "../store/store.js";
import { type AssumptionOptions, assumptionOf, formatAssumed, nothingAssumed } from "./assumptions.js";
import { type UsedSettings, usedSettings } from "./found-settings.js";
import { type Input, type InputOptions, readInput } from "./kube-manifests.js";
import { progress } from "./progress.js";
import type { RepositoryManifests } from "./repository-objects.js";

/** Compiled manifests, with the objects that were assumed. */
export interface CompiledManifests {
  readonly manifests: RepositoryManifests;
  readonly settings: Settings;
  readonly store: Store;
  readonly assumed: Assumed;
  /** The settings that were found among the manifests. */
  readonly used: UsedSettings;
}

/** Compiled manifests with their configuration. */
export interface CompiledPaths extends CompiledManifests {
  readonly config: EnvoyConfig;
  /** The same configuration as JSON text. */
  readonly snapshot: Snapshot;
  /** Whether a file, or a part of it, could not be read. */
  readonly broken: boolean;
}

/** Compiles an input; for files, some referenced objects may be assumed. @throws the errors of `assumptionOf`. */
export function compileManifests(
  { settings: asked, ...read }: Input,
  options: AssumptionOptions & Pick<InputOptions, "kube" | "settings">,
  known: ReadonlySet<Ref> = new Set(),
): CompiledManifests {
  const used = usedSettings(read.configurations, options.settings);
  const manifests = used.file ? watched(read, used.file.settings.spec.watchNamespaces, used.ref) : read;
  const base: Assumption = options.kube ? nothingAssumed : assumptionOf(options, manifests);
  const assumption = { ...base, isKnown: (ref: Ref) => known.has(ref) || base.isKnown(ref) };
  const store = createMemoryStore();
  const input = { settings: used.file?.settings ?? asked, objects: manifests.objects };
  const assumed = compileAssuming(store, input, watchedPlatform, assumption);
  progress.end();
  return { manifests, settings: assumed.settings, store, assumed, used };
}

const watchedPlatform = {
  checkKeyPair,
  maxUnits: 500,
  compiling: (left: number): void =>
    progress.show(() => `compiling: ${left} hosts, certificates and Services to go`),
};

/** Limits manifests to the namespaces of settings among them, which were not known while the files were read. */
function watched(
  manifests: RepositoryManifests,
  namespaces: readonly string[],
  settingsFrom: Ref | undefined,
): RepositoryManifests {
  if (namespaces.length === 0) return manifests;
  const isWatched = (ref: Ref): boolean => ["", ...namespaces].includes(namespaceOf(ref));
  const objects = manifests.objects.filter(({ ref }) => isWatched(ref));
  const ignored = new Map(manifests.ignored);
  for (const { ref, kind } of manifests.objects) {
    if (isWatched(ref) || ref === settingsFrom) continue;
    const what = notWatched(kind);
    ignored.set(what, (ignored.get(what) ?? 0) + 1);
  }
  return {
    ...manifests,
    objects,
    ignored,
    located: manifests.located.filter(({ finding }) => isWatched(finding.about)),
    invalid: new Set([...manifests.invalid].filter(isWatched)),
  };
}

/** One side of a comparison, to be compiled from objects. */
export interface CompiledSide {
  readonly input: Input;
  readonly label: string;
  /** Whether the side is complete, so that nothing is assumed. */
  readonly isLive: boolean;
  /** The settings that the command names for the side. */
  readonly named: SettingsFile;
}

/**
 * Compiles the sides of a comparison. Objects that are assumed for one side are assumed for the other too: otherwise a
 * manifest that one side adds would remove an assumed object from it only. Findings of documents and settings are
 * printed on standard error.
 */
export function compileSides(
  sides: readonly CompiledSide[],
  options: AssumptionOptions & Pick<InputOptions, "settings">,
): readonly CompiledPaths[] {
  const optionsFor = ({ isLive }: CompiledSide): typeof options & Pick<InputOptions, "kube"> =>
    isLive ? { ...options, kube: [""] } : options;
  const alone = sides.map((side) => compileManifests(side.input, optionsFor(side)));
  const known = new Set(alone.flatMap(({ assumed }) => assumed.refs));
  const compiled = sides.map((side, i) => {
    const first = alone[i];
    const isWhole =
      first !== undefined && (side.isLive || [...known].every((ref) => first.store.object(ref)));
    const made = isWhole ? first : compileManifests(side.input, optionsFor(side), known);
    return finish(made, side.named, side.label);
  });
  const last = compiled.findLast(({ assumed }) => assumed.refs.length > 0);
  for (const line of last ? formatAssumed(last.assumed) : []) console.error(printable(line));
  return compiled;
}

/**
 * Compiles files or a cluster's objects; `overrides` take precedence over the settings file. Findings of documents and
 * settings are printed on standard error, with a count of the others.
 */
export async function compileInput(
  options: InputOptions & AssumptionOptions,
  settingsFile: string | undefined,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<CompiledPaths> {
  const read = readSettings(settingsFile, overrides);
  const compiled = compileManifests(await readInput({ ...options, asRepository: true }, read.settings), {
    ...options,
    ...(settingsFile === undefined ? {} : { settings: settingsFile }),
  });
  for (const line of formatAssumed(compiled.assumed)) console.error(printable(line));
  return finish(compiled, read, options.kube ? "the cluster" : options.file.join(", "));
}

function finish(compiled: CompiledManifests, named: SettingsFile, where: string): CompiledPaths {
  const { manifests, settings, store, used } = compiled;
  const { findings, locate } = used.file ?? named;
  for (const line of used.lines) console.error(printable(line));
  for (const finding of findings) console.error(formatLocated(locate(finding)));
  for (const one of [...used.located, ...manifests.located]) console.error(formatLocated(one));
  const errors = [...compiled.store.findings()].filter(({ severity }) => severity === "error").length;
  if (errors > 0) console.error(`${plural(errors, "error")} in ${where}; isoline check lists them`);
  const snapshot = link(store, withWholeTables(settings.spec));
  return { ...compiled, snapshot, config: readConfig(snapshot), broken: manifests.broken.size > 0 };
}
