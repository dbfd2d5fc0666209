import type { Finding } from "../schema/meta.js";
import type { Compiled } from "./store.js";

/**
 * The findings of all units, sorted by object, then by unit, so that the order does not depend on the compilation
 * order.
 */
export function findingsOf(units: Iterable<Pick<Compiled, "unit" | "findings">>): Finding[] {
  const withFindings = [...units];
  withFindings.sort((a, b) => (a.unit < b.unit ? -1 : 1));
  const all = withFindings.flatMap(({ findings }) => findings);
  return all.sort((a, b) => (a.about < b.about ? -1 : a.about > b.about ? 1 : 0));
}
