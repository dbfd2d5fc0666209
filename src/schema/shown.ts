import type { Ref } from "./meta.js";

/**
 * What a finding is about, for people: the ref of an object, the kind of one without a valid name, `settings`, or nothing for files and
 * documents that are no objects.
 */
export function shownAbout(about: Ref): string {
  if (/^(?:File|Source|Unknown)\/\/$/.test(about)) return "";
  if (about === "Settings//isoline") return "settings";
  return about.endsWith("/") ? about.slice(0, about.indexOf("/")) : about;
}
