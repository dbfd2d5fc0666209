import type { Route, RouteAction } from "../../gen/envoy.js";
import type { RoutePolicies } from "../../graph/policies/index.js";
import { writeAuthorization } from "./authorization.js";
import { writeHash } from "./hash.js";
import { writeRequestHeaders, writeResponseHeaders } from "./headers.js";
import { writeInternalRedirect } from "./internal-redirect.js";
import { writeIpFilter } from "./ip-filter.js";
import { writeJwtProvider } from "./jwt.js";
import { writePathRewrite } from "./path-rewrite.js";
import { writeIgnoreHostRateLimits, writeLocalRateLimit, writeRateLimits } from "./rate-limit.js";
import { writeRetry } from "./retry.js";
import { writeTimeout } from "./timeout.js";
import { writeWebsocket } from "./websocket.js";
import type { FilterConfigs, Written } from "./written.js";

type Writers = {
  readonly [K in keyof Required<RoutePolicies>]: (
    policy: NonNullable<RoutePolicies[K]>,
    host: string,
  ) => Written;
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
  internalRedirect: writeInternalRedirect,
  rateLimits: writeRateLimits,
  localRateLimit: writeLocalRateLimit,
  ignoreHostRateLimits: writeIgnoreHostRateLimits,
  ipFilter: writeIpFilter,
  authorization: writeAuthorization,
  jwtProvider: writeJwtProvider,
};

const names = Object.keys(writers) as (keyof RoutePolicies)[];

/** Writes all policies of a route of a host, in the order above. */
export function writePolicies(
  policies: RoutePolicies,
  host: string,
): { route: Partial<Route>; action: Partial<RouteAction> } {
  const route: Partial<Route> = {};
  const action: Partial<RouteAction> = {};
  let filters: FilterConfigs | undefined;
  for (const name of names) {
    const policy = policies[name];
    if (policy === undefined) continue;
    const written = (writers[name] as (policy: unknown, host: string) => Written)(policy, host);
    Object.assign(route, written.route);
    Object.assign(action, written.action);
    if (written.filters) filters = { ...filters, ...written.filters };
  }
  return { route: filters ? { ...route, typed_per_filter_config: filters } : route, action };
}
