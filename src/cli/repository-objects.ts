import { resolve } from "node:path";
import { type ForeignRoute, foreignRouteOf } from "../lint/foreign-routes.js";
import { isRecord } from "../schema/issues.js";
import type { Finding } from "../schema/meta.js";
import { printable } from "../schema/printable.js";
import { loadDocuments, loadText, type Visit } from "../sources/files/load.js";
import { collect, type Located, type Manifests } from "../sources/files/objects.js";
import { type FoundSettings, settingsObjectOf } from "../sources/files/settings-content.js";
import { progress } from "./progress.js";
import { findManifests } from "./repository.js";

/** The manifests of a repository, and what was left out. */
export interface RepositoryManifests extends Manifests {
  /** Number of files and documents that were left out, by description. */
  readonly leftOut: ReadonlyMap<string, number>;
  /** Objects that hold settings, in the order of reading. */
  readonly configurations: readonly FoundSettings[];
  /** Routes of other controllers. */
  readonly foreign: readonly ForeignRoute[];
}

interface ReadOptions {
  /** Builds kustomizations. */
  readonly build?: boolean | undefined;
  /** The settings file of the command. */
  readonly settings?: string | undefined;
  /** Receives each manifest as it was written, including settings of kind `IsolineSettings`. */
  readonly take?: (value: unknown) => void;
  /** Called for each list without members. */
  readonly emptyList?: () => void;
}

/**
 * Reads folders of repositories (`findManifests`): documents that are not manifests are left out and counted. The
 * settings file of the command is not one of the manifests of its folder.
 */
export function readRepository(
  paths: readonly string[],
  namespaces: readonly string[],
  options: ReadOptions,
): RepositoryManifests {
  const found = findManifests(paths, { build: options.build ?? false });
  const { built, findings, leftOut } = found;
  const isSettings = (file: string): boolean =>
    options.settings !== undefined && resolve(file) === resolve(options.settings) && !paths.includes(file);
  const files = found.files.filter((file) => !isSettings(file));
  const counts = new Map(leftOut);
  const named = new Set(paths);
  const configurations: FoundSettings[] = [];
  const foreign: ForeignRoute[] = [];
  let current = "";
  let filesRead = 0;
  const manifests = collect(namespaces, (visit) => {
    const visitManifest: Visit = (value, place) => {
      if (place.file !== current) {
        current = place.file;
        filesRead++;
        progress.show(() => `reading ${filesRead} of ${files.length} files: ${printable(place.file)}`);
      }
      const route = foreignRouteOf(value);
      if (route) foreign.push(route);
      const holder = settingsObjectOf(value);
      if (holder) configurations.push({ ...holder, value, place });
      if (holder?.form === "IsolineSettings") {
        options.take?.(value);
        return;
      }
      if (named.has(place.file) || isManifest(value)) {
        options.take?.(value);
        visit(value, place);
      } else counts.set(noManifest, (counts.get(noManifest) ?? 0) + 1);
    };
    return [
      ...loadDocuments(files, visitManifest, options.emptyList),
      // Lines of the built text are not lines of the kustomization's file.
      ...built.flatMap(({ file, text }) =>
        loadText(file, text, (value, { within }) => visitManifest(value, { file, line: 1, within })),
      ),
    ];
  });
  progress.end();
  const located = findings.map(({ file, severity, reason, message }): Located => {
    const finding: Finding = { about: "File//", type: "FileError", severity, reason, message };
    return { finding, file, line: 0 };
  });
  const broken = findings.flatMap(({ file, severity }) => (severity === "error" ? [file] : []));
  return {
    ...manifests,
    owned: new Set([...manifests.owned, ...found.generated]),
    located: [...located, ...manifests.located],
    broken: new Set([...manifests.broken, ...broken]),
    leftOut: counts,
    configurations,
    foreign,
  };
}

const noManifest = "document without a manifest";

/** Values of charts, patches and files of CI have neither a kind nor an apiVersion. */
const isManifest = (value: unknown): boolean =>
  !Array.isArray(value) && (!isRecord(value) || value.kind !== undefined || value.apiVersion !== undefined);
