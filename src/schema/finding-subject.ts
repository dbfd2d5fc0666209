import type { Finding, Ref } from "./meta.js";
import { printable } from "./printable.js";

/**
 * The subject of a finding for output: the ref of an object, the kind of an object without a valid name, `settings`, or
 * an empty text for files and for documents that are not objects.
 */
export function findingSubject(about: Ref): string {
  if (/^(?:File|Source|Unknown)\/\/$/.test(about)) return "";
  if (about === "Settings//isoline") return "settings";
  return about.endsWith("/") ? about.slice(0, about.indexOf("/")) : about;
}

/** A finding with the file and line of its object, where these are known. */
type PlacedFinding = Finding & { readonly file?: string; readonly line?: number };

/** `file:line: error HTTPProxy/ns/name spec.path: message (Type/Reason)`, on one line. */
export function shownFinding(finding: PlacedFinding): string {
  const { file = "", line = 0, severity, about, path = "", message, type, reason } = finding;
  const place = file ? `${file}${line > 0 ? `:${line}` : ""}: ` : "";
  const what = [severity, findingSubject(about), path].filter((word) => word !== "").join(" ");
  return printable(`${place}${what}: ${message} (${type}/${reason})`);
}

/** The fields of a line of the log about a finding. */
export const findingFields = ({ about, severity, type, reason, path }: Finding) => ({
  object: about,
  severity,
  type,
  reason,
  path,
});
