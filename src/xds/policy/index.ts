import type { Route, RouteAction } from "../../gen/envoy.js";
import type { RoutePolicies } from "../../graph/policy/index.js";
import { writeHash } from "./hash.js";
import { writeRequestHeaders, writeResponseHeaders } from "./headers.js";
import { writePathRewrite } from "./path-rewrite.js";
import { writeRetry } from "./retry.js";
import { writeTimeout } from "./timeout.js";
import { writeWebsocket } from "./websocket.js";
import type { Written } from "./written.js";

type Writers = {
  readonly [K in keyof Required<RoutePolicies>]: (policy: NonNullable<RoutePolicies[K]>) => Written;
};

/** One writer for each policy of the graph: a missing one does not compile. */
const writers: Writers = {
  timeout: writeTimeout,
  retry: writeRetry,
  pathRewrite: writePathRewrite,
  requestHeaders: writeRequestHeaders,
  responseHeaders: writeResponseHeaders,
  hash: writeHash,
  websocket: writeWebsocket,
};

const names = Object.keys(writers) as (keyof RoutePolicies)[];

/** Writes all policies of a route, in the order above. */
export function writePolicies(policies: RoutePolicies): {
  route: Partial<Route>;
  action: Partial<RouteAction>;
} {
  const route: Partial<Route> = {};
  const action: Partial<RouteAction> = {};
  for (const name of names) {
    const policy = policies[name];
    if (policy === undefined) continue;
    const written = (writers[name] as (policy: unknown) => Written)(policy);
    Object.assign(route, written.route);
    Object.assign(action, written.action);
  }
  return { route, action };
}
