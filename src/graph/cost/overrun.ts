import type { FindingType } from "../../schema/finding-types.js";
import type { Ref } from "../../schema/meta.js";
import type { Reader, Report } from "../core/reader.js";
import type { Overrun, Size } from "./size.js";

const words = {
  routes: ["routes", "includes, delegations, hosts and matches"],
  bytes: ["bytes of configuration", "includes, hosts, matches and Secrets that are used repeatedly"],
  keySets: ["servers of key sets", "remoteJWKS of many hosts"],
  programSize: ["instructions", "repetitions in regular expressions and copies of these"],
} as const satisfies Record<keyof Size, readonly [what: string, by: string]>;

/** What an object over budget is told. */
export function overrunMessage(namespace: string, { dimension, cost, budget }: Overrun): string {
  const [what, by] = words[dimension];
  return `makes ${cost} ${what} more than are written, by ${by}; the objects of namespace ${namespace} may make ${budget} such in all, the oldest first (setting budgets.${dimension}): let it share less, or raise the setting`;
}

/** Whether an object is over the budget of its namespace, of which a finding tells. */
export function isOverBudget(
  { ref, meta }: { readonly ref: Ref; readonly meta: { readonly namespace: string } },
  type: FindingType,
  path: string,
  reader: Reader,
  report: Report,
): boolean {
  const overrun = reader.overrun(ref);
  if (overrun) report.error(ref, type, "OverBudget", overrunMessage(meta.namespace, overrun), path);
  return overrun !== undefined;
}
