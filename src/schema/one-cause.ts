import { quote } from "./issues.js";
import type { Finding } from "./meta.js";
import { nearestName } from "./spelling.js";

const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf("."), 0));
const leafOf = (path: string): string => path.slice(path.lastIndexOf(".") + 1);

/**
 * Findings of a schema and of unknown fields as one for each cause: a field that is missing where a field of nearly its name stands is the
 * misspelt one.
 */
export function oneForEachCause(
  findings: readonly Finding[],
  unknown: readonly Finding[],
): readonly Finding[] {
  const misspelt = new Set<Finding>();
  const merged = findings.map((finding) => {
    const { path = "", message } = finding;
    if (!message.startsWith("is missing")) return finding;
    const other = unknown.find(
      (one) =>
        one.severity === "warning" &&
        one.path !== undefined &&
        !misspelt.has(one) &&
        parentOf(one.path) === parentOf(path) &&
        nearestName(leafOf(one.path), [leafOf(path)]) !== undefined,
    );
    if (other?.path === undefined) return finding;
    misspelt.add(other);
    const { path: at } = other;
    return {
      ...finding,
      path: at,
      message: `${quote(leafOf(at))} is not a field; did you mean ${leafOf(path)}, which is missing?`,
    };
  });
  return [...merged, ...unknown.filter((one) => !misspelt.has(one))];
}
