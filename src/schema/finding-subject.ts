import type { Ref } from "./meta.js";

/**
 * The subject of a finding for output: the ref of an object, the kind of an object without a valid name, `settings`, or
 * an empty text for files and for documents that are not objects.
 */
export function findingSubject(about: Ref): string {
  if (/^(?:File|Source|Unknown)\/\/$/.test(about)) return "";
  if (about === "Settings//isoline") return "settings";
  return about.endsWith("/") ? about.slice(0, about.indexOf("/")) : about;
}
