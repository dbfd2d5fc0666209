import type { HeaderModifier } from "../../schema/gateway-routes.js";
import {
  canonicalHeader,
  headerNameProblem,
  headerValueProblem,
  hostValueProblem,
} from "../../schema/header-names.js";
import { type HeadersPolicy, headerFormat } from "../policy/headers.js";
import type { RouteContext } from "./problems.js";

type Values = HeadersPolicy["set"];

/**
 * A RequestHeaderModifier or ResponseHeaderModifier. As in Contour, an entry that is no good is left out (and told of), `%` is
 * escaped as in header policies of an HTTPProxy, and `Host` in a request is the host that the backend sees.
 */
export function readHeaderModifier(
  { fail }: RouteContext,
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
