import type { HeaderModifier, RouteFilter } from "../../../schema/gateway-routes.js";
import {
  canonicalHeader,
  headerNameProblem,
  headerValueProblem,
  hostValueProblem,
} from "../../../schema/header-names.js";
import { type HeadersPolicy, headerFormat } from "../../policies/header-values.js";
import type { GatewayRouteContext } from "./problems.js";

type Values = HeadersPolicy["set"];

/** Header policies of a rule or of a backend while its filters are read. */
export interface HeaderPolicies {
  requestHeaders?: HeadersPolicy;
  responseHeaders?: HeadersPolicy;
}

/** Adds a filter that changes headers to `found`, only the first of each type; false for a filter of another type. */
export function readHeaderFilter(
  context: GatewayRouteContext,
  { type, requestHeaderModifier: request, responseHeaderModifier: response }: RouteFilter,
  path: string,
  found: HeaderPolicies,
): boolean {
  if (type === "RequestHeaderModifier" && request)
    found.requestHeaders ??= readHeaderModifier(context, request, "request", path);
  else if (type === "ResponseHeaderModifier" && response)
    found.responseHeaders ??= readHeaderModifier(context, response, "response", path);
  else return false;
  return true;
}

/**
 * Reads a RequestHeaderModifier or ResponseHeaderModifier. As in Contour, an invalid entry is left out with a finding,
 * `%` is escaped as in header policies of an HTTPProxy, and `Host` in a request is the host that the backend gets.
 */
function readHeaderModifier(
  { fail }: GatewayRouteContext,
  { set, add, remove }: HeaderModifier,
  kind: "request" | "response",
  path: string,
): HeadersPolicy {
  let host: string | undefined;
  const values = (headers: HeaderModifier["set"], field: "set" | "add"): Values => {
    const found = new Map<string, string>();
    for (const [i, { name, value }] of headers.entries()) {
      const key = canonicalHeader(name);
      const isHost = key === "Host" && kind === "request";
      const problem = found.has(key)
        ? "is a duplicate"
        : isHost
          ? hostValueProblem(value)
          : (headerNameProblem(key) ?? headerValueProblem(value));
      if (problem)
        fail(
          "ResolvedRefs",
          "Degraded",
          `${field} header "${key}": ${problem}`,
          `${path}.${kind}HeaderModifier.${field}[${i}]`,
        );
      else if (isHost) host = value;
      else found.set(key, headerFormat(value, {}));
    }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => ({ name, value }));
  };
  const policy = { set: values(set, "set"), add: values(add, "add") };
  const removed = new Set<string>();
  for (const [i, name] of remove.entries()) {
    const key = canonicalHeader(name);
    const problem = removed.has(key) ? "is a duplicate" : headerNameProblem(key);
    if (problem)
      fail(
        "ResolvedRefs",
        "Degraded",
        `remove header "${key}": ${problem}`,
        `${path}.${kind}HeaderModifier.remove[${i}]`,
      );
    else removed.add(key);
  }
  return { ...policy, remove: [...removed].sort(), ...(host === undefined ? {} : { host }) };
}
