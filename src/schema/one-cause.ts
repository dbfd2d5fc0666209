import { type FieldPath, pathOf, pathText } from "./field-path.js";
import type { SchemaProblem } from "./issues.js";
import type { Finding } from "./meta.js";
import { nearestName } from "./spelling.js";
import { quote } from "./words.js";

const nameIn = (path: FieldPath): string => String(path.at(-1) ?? "");

/** Whether a field is beside a missing one and has a similar name. */
const isMisspelt = (path: FieldPath, missing: FieldPath): boolean =>
  pathText(path.slice(0, -1)) === pathText(missing.slice(0, -1)) &&
  nearestName(nameIn(path), [nameIn(missing)]) !== undefined;

/**
 * Merges findings with the same cause: a missing field and an unknown field beside it with a similar name are one
 * misspelt field.
 */
export function oneForEachCause(
  problems: readonly SchemaProblem[],
  unknown: readonly Finding[],
): readonly Finding[] {
  const misspelt = new Set<Finding>();
  const merged = problems.map(({ finding, missing }) => {
    if (!missing) return finding;
    const field = pathOf(finding.path ?? "");
    const other = unknown.find(
      (one) =>
        one.severity === "warning" &&
        one.path !== undefined &&
        !misspelt.has(one) &&
        isMisspelt(pathOf(one.path), field),
    );
    if (other?.path === undefined) return finding;
    misspelt.add(other);
    const { path: at } = other;
    return {
      ...finding,
      path: at,
      message: `${quote(nameIn(pathOf(at)))} is not a field; did you mean ${nameIn(field)}, which is missing?`,
    };
  });
  return [...merged, ...unknown.filter((one) => !misspelt.has(one))];
}
