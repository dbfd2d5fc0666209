import type { Finding, Ref } from "../schema/meta.js";
import { type KubeObject, parseObject } from "../schema/object.js";
import { type LoadedDocument, lineOf, loadDocuments } from "./load.js";

/** A finding with the place in a file that it speaks of. */
export interface Located {
  readonly finding: Finding;
  readonly file: string;
  readonly line: number;
}

export interface Manifests {
  readonly objects: readonly KubeObject[];
  readonly located: readonly Located[];
  /** Where each object, valid or not, was read. */
  readonly documents: ReadonlyMap<Ref, LoadedDocument>;
  /** Refs of documents that failed their schema. */
  readonly invalid: ReadonlySet<Ref>;
  /** Files that could not be read or parsed. */
  readonly broken: ReadonlySet<string>;
  /** Kinds left out, with how many documents of each. */
  readonly ignored: ReadonlyMap<string, number>;
}

/**
 * Reads and parses manifests, of some namespaces alone if any are given. What is wrong with one document or file never
 * loses another.
 */
export function readManifests(paths: readonly string[], namespaces: readonly string[]): Manifests {
  const loaded = loadDocuments([...paths]);
  const objects = new Map<Ref, KubeObject>();
  const documents = new Map<Ref, LoadedDocument>();
  const invalid = new Set<Ref>();
  const ignored = new Map<string, number>();
  const located: Located[] = loaded.findings.map((f) => ({ finding: f.finding, file: f.file, line: f.line }));
  for (const document of loaded.documents) {
    const parsed = parseObject(document.value, namespaces);
    if ("ignored" in parsed) ignored.set(parsed.ignored, (ignored.get(parsed.ignored) ?? 0) + 1);
    else if ("findings" in parsed) {
      for (const finding of parsed.findings) located.push(locate(finding, document));
      if (parsed.ref) {
        invalid.add(parsed.ref);
        documents.set(parsed.ref, document);
      }
    } else {
      const { object } = parsed;
      const earlier = documents.get(object.ref);
      if (earlier) located.push(locate(duplicate(object.ref, earlier), document));
      objects.set(object.ref, object);
      documents.set(object.ref, document);
    }
  }
  const broken = new Set(loaded.findings.map(({ file }) => file));
  return { objects: [...objects.values()], located, documents, invalid, broken, ignored };
}

const duplicate = (about: Ref, earlier: LoadedDocument): Finding => ({
  about,
  severity: "warning",
  type: "SchemaError",
  reason: "Duplicate",
  message: `${about} is also in ${earlier.file}:${earlier.line}; the later one is used`,
});

const locate = (finding: Finding, document: LoadedDocument): Located => ({
  finding,
  file: document.file,
  line: finding.path ? lineOf(document, finding.path) : document.line,
});

/** Gives findings of the compiler their places. */
export const locateAll = (findings: Iterable<Finding>, documents: Manifests["documents"]): Located[] =>
  [...findings].map((finding) => {
    const document = documents.get(finding.about);
    return document ? locate(finding, document) : { finding, file: "", line: 0 };
  });

/** `file:line: error HTTPProxy/ns/name spec.path: message (Type/Reason)`. */
export function formatLocated({ finding, file, line }: Located): string {
  const place = file ? `${file}:${line}: ` : "";
  const path = finding.path ? ` ${finding.path}` : "";
  return `${place}${finding.severity} ${finding.about}${path}: ${finding.message} (${finding.type}/${finding.reason})`;
}
