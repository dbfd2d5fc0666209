import type { Ref } from "../../schema/meta.js";
import type { Reader, Report } from "../reader.js";
import type { Overrun, Size } from "./size.js";

const words = {
  routes: "routes by includes, delegations, hosts and matches",
  bytes: "bytes of configuration by includes, hosts, matches and Secrets that are used repeatedly",
  programSize: "instructions by repetitions in regular expressions and by their copies",
} as const satisfies Record<keyof Size, string>;

/** What an object over budget is told. */
export const overrunMessage = (namespace: string, { dimension, cost, budget }: Overrun): string =>
  `it makes ${cost} more ${words[dimension]} than are written, and with its older objects the namespace ${namespace} may make ${budget} (setting budgets.${dimension}): share less of it, or raise the setting`;

/** Whether an object is over the budget of its namespace, of which a finding tells. */
export function isOverBudget(
  { ref, meta }: { readonly ref: Ref; readonly meta: { readonly namespace: string } },
  type: string,
  path: string,
  reader: Reader,
  report: Report,
): boolean {
  const overrun = reader.overrun(ref);
  if (overrun) report.error(ref, type, "OverBudget", overrunMessage(meta.namespace, overrun), path);
  return overrun !== undefined;
}
