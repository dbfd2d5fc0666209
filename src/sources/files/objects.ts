import { ownedBy } from "../../assume/owners.js";
import type { Suppression } from "../../lint/suppress.js";
import { shownFinding } from "../../schema/finding-subject.js";
import type { Finding, Ref } from "../../schema/meta.js";
import { type KubeObject, parseObject } from "../../schema/object.js";
import { type LoadFinding, loadDocuments, type ManifestPlace, positionOf, type Visit } from "./load.js";

/** A finding with its place in a file. */
export interface Located {
  readonly finding: Finding;
  readonly file: string;
  readonly line: number;
  /** From 1, in UTF-16 code units; absent where it is not known. */
  readonly column?: number;
  /** Why the finding is hidden; absent where it is shown. */
  readonly suppression?: Pick<Suppression, "kind" | "reason">;
}

export interface Manifests {
  readonly objects: readonly KubeObject[];
  readonly located: readonly Located[];
  /** The place where each object, valid or not, was read. */
  readonly documents: ReadonlyMap<Ref, ManifestPlace>;
  /** Refs of documents that failed their schema. */
  readonly invalid: ReadonlySet<Ref>;
  /** Files that could not be read or parsed. */
  readonly broken: ReadonlySet<string>;
  /** Files with an object without a valid kind or name. It may be any of the objects that the file had before. */
  readonly unnamed: ReadonlySet<string>;
  /** How many objects have no valid kind or name. */
  readonly nameless: number;
  /** Kinds that are not read, with the number of documents of each. */
  readonly ignored: ReadonlyMap<string, number>;
  /** Secrets and ConfigMaps that controllers create for other manifests. */
  readonly owned: ReadonlySet<Ref>;
}

/** The document of one object; `object` is its last valid state in the file. */
interface Document extends ManifestPlace {
  readonly object: KubeObject | undefined;
}

/** Assigns each field: a spread would give each of the many documents a hidden class of its own. */
const withObject = ({ file, line, within, part }: ManifestPlace, object: KubeObject | undefined): Document =>
  part === undefined ? { file, line, within, object } : { file, line, within, part, object };

/**
 * Reads and parses manifests, limited to `namespaces` if there are any. A fault in one document or file never loses
 * another.
 */
export const readManifests = (paths: readonly string[], namespaces: readonly string[]): Manifests =>
  collect(namespaces, (visit) => loadDocuments(paths, visit));

/** Parses the documents that a loader finds. A fault in one document or file never loses another. */
export function collect(
  namespaces: readonly string[],
  load: (visit: Visit) => readonly LoadFinding[],
): Manifests {
  const documents = new Map<Ref, Document>();
  const invalid = new Set<Ref>();
  const ignored = new Map<string, number>();
  const located: Located[] = [];
  const unnamed = new Set<string>();
  let nameless = 0;
  const owned = new Set<Ref>();
  const unread = load((value, place) => {
    const parsed = parseObject(value, namespaces);
    for (const ref of ownedBy(value)) owned.add(ref);
    for (const finding of parsed.findings) located.push(locate(finding, place));
    if ("ignored" in parsed) ignored.set(parsed.ignored, (ignored.get(parsed.ignored) ?? 0) + 1);
    else if ("object" in parsed) {
      const { object } = parsed;
      const earlier = documents.get(object.ref);
      if (earlier) located.push(locate(duplicate(object.ref, earlier), place));
      documents.set(object.ref, withObject(place, object));
    } else if (parsed.ref) {
      invalid.add(parsed.ref);
      documents.set(parsed.ref, withObject(place, documents.get(parsed.ref)?.object));
    } else {
      unnamed.add(place.file);
      if (!parsed.noObject) nameless++;
    }
  });
  return {
    objects: [...documents.values()].flatMap(({ object }) => object ?? []),
    located: [...unread, ...located],
    documents,
    invalid,
    broken: new Set(unread.flatMap(({ finding, file }) => (finding.severity === "error" ? [file] : []))),
    unnamed,
    nameless,
    ignored,
    owned,
  };
}

const duplicate = (about: Ref, earlier: ManifestPlace): Finding => ({
  about,
  severity: "warning",
  type: "SchemaError",
  reason: "Duplicate",
  message: `${about} is also in ${earlier.file}:${earlier.line}; the later one is used`,
});

const locate = (finding: Finding, place: ManifestPlace): Located => ({
  finding,
  file: place.file,
  ...(finding.path ? positionOf(place, finding.path) : { line: place.line }),
});

/** Adds places to findings of the compiler. */
export const locateAll = (findings: Iterable<Finding>, documents: Manifests["documents"]): Located[] =>
  [...findings].map((finding) => {
    const place = documents.get(finding.about);
    return place ? locate(finding, place) : { finding, file: "", line: 0 };
  });

/** The same text for a finding with its place. */
export const formatLocated = ({ finding, file, line }: Located): string =>
  shownFinding({ ...finding, file, line });

/** A finding with its file and line as fields. */
export const placed = ({
  finding,
  file,
  line,
}: Located): Finding & { readonly file: string; readonly line: number } => ({ ...finding, file, line });

/** Whether a finding is shown. Hidden ones do not count. */
export const isShown = ({ suppression }: Located): boolean => suppression === undefined;
