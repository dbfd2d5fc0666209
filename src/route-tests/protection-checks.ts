import type { AddressFilter, Protections } from "../explain/guards.js";
import type { ProtectionsExpectation } from "../schema/route-tests.js";
import type { Check } from "./check.js";

export function protectionChecks(
  wanted: ProtectionsExpectation,
  actual: Protections,
  isNegated: boolean,
): Check[] {
  const checks: Check[] = [];
  const add = (field: string, expected: string, found: string, isSame: boolean): void => {
    checks.push({ field: `protections.${field}`, expected, found, holds: isSame !== isNegated });
  };
  for (const [field, noun] of [
    ["authorization", "authorization by"],
    ["jwt", "a token of"],
  ] as const) {
    const { [field]: expected } = wanted;
    const { [field]: found } = actual;
    if (expected === undefined) continue;
    const isSame = typeof expected === "boolean" ? expected === (found !== undefined) : expected === found;
    add(
      field,
      describeFlag(noun, expected),
      found === undefined ? describeFlag(noun, false) : `${noun} ${found}`,
      isSame,
    );
  }
  if (wanted.rateLimit !== undefined)
    add(
      "rateLimit",
      describeFlag("a rate limit of", wanted.rateLimit),
      describeRates(actual),
      hasRate(wanted.rateLimit, actual),
    );
  if (wanted.addresses !== undefined) addressChecks(wanted.addresses, actual.addresses, add);
  return checks;
}

/** The text of an expectation. `true` and `false` have only the noun, without `by` or `of`. */
function describeFlag(noun: string, expected: string | boolean): string {
  const [plain] = noun.split(/ (?:by|of)$/);
  if (typeof expected === "string") return `${noun} ${expected}`;
  return expected ? `${plain}` : `no ${plain?.replace(/^an? /, "")}`;
}

const seconds: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3600 };

function hasRate(
  expected: string | boolean,
  { localRateLimit: local, globalRateLimit: global }: Protections,
): boolean {
  if (typeof expected === "boolean") return expected === (local !== undefined || global !== undefined);
  if (expected === "local") return local !== undefined;
  if (expected === "global") return global !== undefined;
  const [requests, unit = ""] = expected.split("/");
  return local?.requests === Number(requests) && local.seconds === seconds[unit];
}

function describeRates({ localRateLimit: local, globalRateLimit: global }: Protections): string {
  const parts = [
    local && `a local rate limit of ${local.requests} in ${local.seconds} s`,
    global && `a global rate limit by ${global}`,
  ].filter(Boolean);
  return parts.join(", ") || "no rate limit";
}

function addressChecks(
  expected: NonNullable<ProtectionsExpectation["addresses"]>,
  filter: AddressFilter | undefined,
  add: (field: string, expected: string, found: string, isSame: boolean) => void,
): void {
  const found = filter ? `addresses: ${describeAddresses(filter)}` : "no address filter";
  if (typeof expected === "boolean") {
    add(
      "addresses",
      expected ? "an address filter" : "no address filter",
      found,
      expected === (filter !== undefined),
    );
    return;
  }
  for (const action of ["allow", "deny"] as const) {
    const { [action]: ranges } = expected;
    if (!ranges) continue;
    const isSame = filter?.action === action && sorted(ranges) === sorted(filter.ranges);
    add(`addresses.${action}`, `addresses: ${describeAddresses({ action, ranges })}`, found, isSame);
  }
}

const sorted = (ranges: readonly string[]): string => [...ranges].map(withLength).sort().join(" ");

/** Adds the prefix length to an address without one. */
const withLength = (range: string): string =>
  range.includes("/") ? range : `${range}/${range.includes(":") ? 128 : 32}`;

const describeAddresses = ({ action, ranges }: AddressFilter): string =>
  `${action === "allow" ? "only" : "all but"} ${ranges.join(", ")}`;
