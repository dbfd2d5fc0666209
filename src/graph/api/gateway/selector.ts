import type { LabelSelector } from "../../../schema/gateway.js";
import type { SettingsSpec } from "../../../schema/settings.js";
import type { ObjectByKind } from "../../core/reader.js";

/** Whether labels match a selector. A selector without requirements matches nothing: the Gateway API requires one. */
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

/** Whether the setting `gateway.selector` selects a Gateway. Gateways of another fleet are not served. */
export const isOfFleet = (
  { labels = {} }: Pick<ObjectByKind<"Gateway">["spec"], "labels">,
  { gateway: { selector } }: SettingsSpec,
): boolean => selector === undefined || matchesSelector(labels, selector);

/** The label is undefined if the object does not have it. */
const operators = {
  In: (label: string | undefined, values: readonly string[]) => label !== undefined && values.includes(label),
  NotIn: (label: string | undefined, values: readonly string[]) =>
    label === undefined || !values.includes(label),
  Exists: (label: string | undefined) => label !== undefined,
  DoesNotExist: (label: string | undefined) => label === undefined,
};
