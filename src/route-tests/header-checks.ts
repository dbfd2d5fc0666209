import type { HeaderChange } from "../explain/explanation.js";
import { notShown } from "../explain/served-config.js";
import type { HeaderExpectation } from "../schema/route-tests.js";
import type { Check } from "./check.js";
import type { Observed } from "./observed.js";

/** Checks header changes: each must apply to every backend with a weight above 0; negated, to none of them. */
export function headerChecks(
  side: "requestHeaders" | "responseHeaders",
  { set, setAny, removed }: HeaderExpectation,
  observed: Observed,
  isNegated: boolean,
): Check[] {
  const changes = observed[side];
  const services =
    observed.backends.length > 0 ? observed.backends.map(({ service }) => service) : [undefined];
  const check = (
    field: string,
    name: string,
    expected: string,
    isIt: (change: HeaderChange) => boolean,
  ): Check => {
    const about = changes.filter((change) => change.name === name);
    const having = services.filter((service) =>
      about.some((change) => isIt(change) && (change.service === undefined || change.service === service)),
    );
    const holds = isNegated ? having.length === 0 : having.length === services.length;
    return { field: `${side}.${field}`, expected, found: describe(name, about, observed), holds };
  };
  const isSet = ({ action }: HeaderChange): boolean => action !== "remove";
  return [
    ...Object.entries(set).map(([name, value]) =>
      check(
        `set.${name}`,
        name,
        `${name} set to ${JSON.stringify(value)}`,
        (change) => isSet(change) && change.value === value,
      ),
    ),
    ...setAny.map((name, i) => check(`setAny[${i}]`, name, `${name} set`, isSet)),
    ...removed.map((name, i) => check(`removed[${i}]`, name, `${name} removed`, (change) => !isSet(change))),
  ];
}

const verbs = { set: "set to", add: "added with", remove: "removed" } as const;

function describe(
  name: string,
  about: readonly HeaderChange[],
  { summary, requestHeaders }: Observed,
): string {
  if (about.length === 0)
    return requestHeaders.length === 0 ? `${name} is not changed: ${summary}` : `${name} is not changed`;
  const texts = about.map(({ action, value, service }) => {
    const shown =
      value === notShown
        ? "a value that the server does not show (expect it with setAny)"
        : JSON.stringify(value);
    return `${verbs[action]}${action === "remove" ? "" : ` ${shown}`}${service === undefined ? "" : ` for ${service}`}`;
  });
  return `${name} ${texts.join(", ")}`;
}
