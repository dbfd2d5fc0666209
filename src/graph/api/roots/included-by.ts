import { kindOf, namespaceOf, type ObjectMeta, type Ref } from "../../../schema/meta.js";
import { isLabel, isSubdomain } from "../../../schema/names.js";
import type { Reader, Report } from "../../core/reader.js";
import { claimFinding } from "../../core/sharing.js";

const annotation = "isoline.dev/included-by";

/** `NAMESPACE/NAME`. */
export const nameIn = (ref: Ref): string => ref.slice(ref.indexOf("/") + 1);

interface Child {
  readonly ref: Ref;
  readonly meta: ObjectMeta;
}

const isEntry = (entry: string): boolean => {
  const [namespace = "", name, ...more] = entry.split("/");
  return isLabel(namespace) && (name === undefined || isSubdomain(name)) && more.length === 0;
};

/** Whom an annotation lists; `not valid` lets none in. */
type Listed = "all" | "not valid" | readonly string[];

function readListed(child: Child, text: string, report: Report): Listed {
  const entries = text.split(",").map((entry) => entry.trim());
  if (entries.length === 1 && entries[0] === "*") return "all";
  if (entries.every(isEntry)) return entries;
  const message = `${JSON.stringify(text)} is no list of NAMESPACE or NAMESPACE/NAME with commas between them, nor *; nothing includes this object`;
  const path = `metadata.annotations["${annotation}"]`;
  const isProxy = kindOf(child.ref) === "HTTPProxy";
  report.error(
    child.ref,
    isProxy ? "IncludeError" : claimFinding(child.ref),
    "AnnotationNotValid",
    message,
    path,
  );
  return "not valid";
}

/**
 * Why an object may not be included or delegated to; undefined when it may. Its annotation `isoline.dev/included-by` lists
 * `NAMESPACE` and `NAMESPACE/NAME` of objects in other namespaces that may, with commas between them, or is `*`. It holds for all
 * objects on the way (`path`, the root first, the including object last), so that none gets there through another one. An
 * annotation that can't be read lets none in.
 */
export function includeProblem(
  child: Child,
  path: readonly Ref[],
  reader: Reader,
  report: Report,
): string | undefined {
  const { name, namespace, annotations } = child.meta;
  const text = annotations[annotation];
  const others = path.filter((ref) => namespaceOf(ref) !== namespace);
  if (text === undefined) {
    const by = path.at(-1);
    if (!reader.settings.requireIncludedBy || by === undefined || !others.includes(by)) return undefined;
    return `${namespace}/${name} is in another namespace and has no annotation ${annotation} (the setting requireIncludedBy)`;
  }
  // Once for a unit, for one finding.
  const listed = reader.unitCache.once(readListed, child.ref, child, text, report);
  if (listed === "not valid") return `the annotation ${annotation} of ${namespace}/${name} is not valid`;
  const stranger = others.find(
    (ref) => listed !== "all" && !listed.includes(namespaceOf(ref)) && !listed.includes(nameIn(ref)),
  );
  return stranger && `the annotation ${annotation} of ${namespace}/${name} does not list ${nameIn(stranger)}`;
}
