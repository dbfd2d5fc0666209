import type { LabelSelector } from "../../../schema/gateway.js";

/** Whether labels match a selector; one without requirements matches nothing here (Gateway API asks for one). */
export function matchesSelector(
  labels: Readonly<Record<string, string>>,
  { matchLabels, matchExpressions }: LabelSelector,
): boolean {
  const wanted = Object.entries(matchLabels);
  if (wanted.length + matchExpressions.length === 0) return false;
  const labelOf = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    wanted.every(([key, value]) => labelOf(key) === value) &&
    matchExpressions.every(({ key, operator, values }) => operators[operator](labelOf(key), values))
  );
}

/** Of labels that are not there, too. */
const operators = {
  In: (label: string | undefined, values: readonly string[]) => label !== undefined && values.includes(label),
  NotIn: (label: string | undefined, values: readonly string[]) =>
    label === undefined || !values.includes(label),
  Exists: (label: string | undefined) => label !== undefined,
  DoesNotExist: (label: string | undefined) => label === undefined,
};
