import type { Finding } from "../schema/meta.js";
import type { Compiled } from "./store.js";

/** The findings of all units by what they are about, then by unit: in the same order, whatever was compiled first. */
export function findingsOf(units: Iterable<Pick<Compiled, "unit" | "findings">>): Finding[] {
  const telling = [...units].filter(({ findings }) => findings.length > 0);
  telling.sort((a, b) => (a.unit < b.unit ? -1 : 1));
  const all = telling.flatMap(({ findings }) => findings);
  return all.sort((a, b) => (a.about < b.about ? -1 : a.about > b.about ? 1 : 0));
}
