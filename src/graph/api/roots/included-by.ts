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

/** The objects that an annotation lists; `not valid` permits none. */
type Listed = "all" | "not valid" | readonly string[];

function readListed(child: Child, text: string, report: Report): Listed {
  const entries = text.split(",").map((entry) => entry.trim());
  if (entries.length === 1 && entries[0] === "*") return "all";
  if (entries.every(isEntry)) return entries;
  const message = `${JSON.stringify(text)} is neither a comma-separated list of NAMESPACE and NAMESPACE/NAME nor *; no other namespace may include this object`;
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
 * Why an object may not be included or delegated to; undefined if it may. Its annotation `isoline.dev/included-by` is
 * a comma-separated list of `NAMESPACE` and `NAMESPACE/NAME` of permitted objects in other namespaces, or `*`. It
 * applies to all objects on the way (`path`, the root first, the including object last), so that none of them includes
 * it through another one. An invalid annotation permits none.
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
    return `${namespace}/${name} is in another namespace and has no annotation ${annotation} (setting requireIncludedBy)`;
  }
  // Once per unit, so that there is one finding.
  const listed = reader.unitCache.once(readListed, child.ref, child, text, report);
  if (listed === "not valid") return `the annotation ${annotation} of ${namespace}/${name} is not valid`;
  const unlisted = others.find(
    (ref) => listed !== "all" && !listed.includes(namespaceOf(ref)) && !listed.includes(nameIn(ref)),
  );
  return unlisted && `the annotation ${annotation} of ${namespace}/${name} does not list ${nameIn(unlisted)}`;
}
