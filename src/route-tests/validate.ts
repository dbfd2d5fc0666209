import type { Expectation, RouteTest } from "../schema/route-tests.js";
import type { Check } from "./check.js";
import { headerChecks } from "./header-checks.js";
import type { Observed } from "./observed.js";
import { protectionChecks } from "./protection-checks.js";
import { tlsChecks } from "./tls-checks.js";

/** An expectation that did not hold. */
export interface Failure {
  /** Its path in the test, such as `expect.not.backend`. */
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

/** The expectations of a test that do not hold. */
export function validate({ expect, not }: Pick<RouteTest, "expect" | "not">, observed: Observed): Failure[] {
  const failed = (wanted: Expectation, isNegated: boolean): Failure[] =>
    checksOf(wanted, observed, isNegated)
      .filter(({ holds }) => !holds)
      .map(({ field, expected, found }) => ({
        field: `expect.${isNegated ? "not." : ""}${field}`,
        expected: `${isNegated ? "not " : ""}${expected}`,
        found,
      }));
  return [...failed(expect, false), ...(not ? failed(not, true) : [])];
}

function checksOf(wanted: Expectation, observed: Observed, isNegated: boolean): Check[] {
  const { backend, weights, requestHeaders, responseHeaders, tls, protections } = wanted;
  return [
    ...(backend ? [backendCheck(backend, observed, isNegated)] : []),
    ...(weights ? [weightsCheck(weights, observed, isNegated)] : []),
    ...plainChecks(wanted, observed, isNegated),
    ...(requestHeaders ? headerChecks("requestHeaders", requestHeaders, observed, isNegated) : []),
    ...(responseHeaders ? headerChecks("responseHeaders", responseHeaders, observed, isNegated) : []),
    ...(tls ? tlsChecks(tls, observed, isNegated) : []),
    ...(protections ? protectionChecks(protections, observed.protections, isNegated) : []),
  ];
}

const isNamed = (service: string, pattern: string): boolean =>
  service === pattern || service.startsWith(`${pattern}/`);

/** Checks that all requests go to the named backends; negated, that none does. */
function backendCheck(named: readonly string[], { backends, summary }: Observed, isNegated: boolean): Check {
  const matching = backends.filter(({ service }) => named.some((pattern) => isNamed(service, pattern)));
  const holds = isNegated
    ? matching.length === 0
    : backends.length > 0 && matching.length === backends.length;
  return { field: "backend", expected: named.join(" or "), found: summary, holds };
}

function weightsCheck(
  weights: Readonly<Record<string, number>>,
  { backends, summary }: Observed,
  isNegated: boolean,
): Check {
  const wanted = Object.entries(weights);
  const total = sumOf(wanted.map(([, weight]) => weight));
  const sum = sumOf(backends.map(({ weight }) => weight));
  const isAsWanted = ([pattern, weight]: readonly [string, number]): boolean => {
    const found = backends.filter(({ service }) => isNamed(service, pattern));
    return sumOf(found.map((one) => one.weight)) * total === weight * sum;
  };
  const areAllNamed = backends.every(({ service }) => wanted.some(([pattern]) => isNamed(service, pattern)));
  const isSame = total > 0 && sum > 0 && areAllNamed && wanted.every(isAsWanted);
  const expected = wanted.map(([pattern, weight]) => `${pattern} with ${weight} of ${total}`).join(", ");
  return { field: "weights", expected, found: summary, holds: isSame !== isNegated };
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);

function plainChecks(wanted: Expectation, observed: Observed, isNegated: boolean): Check[] {
  const checks: Check[] = [];
  const add = (field: string, expected: unknown, found: string, isSame: boolean): void => {
    if (expected !== undefined)
      checks.push({ field, expected: String(expected), found, holds: isSame !== isNegated });
  };
  const { outcome, summary, status, location, path, query, hosts } = observed;
  const isClosed = outcome === "closed";
  add(
    "status",
    wanted.status,
    status === undefined ? statusUnknown(observed) : summary,
    status === wanted.status,
  );
  add(
    "closed",
    wanted.closed,
    isClosed ? summary : `the connection is accepted: ${summary}`,
    isClosed === wanted.closed,
  );
  add("location", wanted.location, location ?? `no redirect: ${summary}`, location === wanted.location);
  const seenPath =
    path !== undefined && wanted.path?.includes("?") && query !== undefined ? `${path}?${query}` : path;
  add("path", wanted.path, seenPath ?? `no backend gets the request: ${summary}`, seenPath === wanted.path);
  const isHost = (host: string): boolean => host.toLowerCase() === wanted.host?.toLowerCase();
  const areHosts = isNegated ? hosts.some(isHost) : hosts.length > 0 && hosts.every(isHost);
  add("host", wanted.host, hosts.join(" or ") || `no backend gets the request: ${summary}`, areHosts);
  return checks;
}

const statusUnknown = ({ outcome, summary }: Observed): string =>
  outcome === "forward" ? `the backend sets the status: the request ${summary}` : summary;
