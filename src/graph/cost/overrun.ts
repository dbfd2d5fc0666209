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

/** The message for an object over budget. */
export function overrunMessage(namespace: string, { dimension, cost, budget }: Overrun): string {
  const [what, by] = words[dimension];
  return `generates ${cost} ${what} beyond its own content, by ${by}; the budget of all objects of namespace ${namespace} is ${budget}, older objects first (setting budgets.${dimension}): reduce the sharing, or raise the setting`;
}

/** Whether an object is over the budget of its namespace; reports the finding. */
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
