import type { CookieRewrite } from "./cookie.js";
import type { CorsPolicy } from "./cors.js";
import type { HashPolicy } from "./hash.js";
import type { HeadersPolicy } from "./headers.js";
import type { InternalRedirect } from "./internal-redirect.js";
import type { IpFilter } from "./ip-filter.js";
import type { PathRewrite } from "./path-rewrite.js";
import type { LocalRateLimit, RateLimitDescriptor } from "./rate-limit.js";
import type { RetryPolicy } from "./retry.js";
import type { TimeoutPolicy } from "./timeout.js";

/**
 * What a route may carry beside its match and action. Each name has a reader in this folder and a writer of the same
 * name in xds/policies; a policy without a writer is a type error there.
 */
export interface RoutePolicies extends Protections {
  readonly timeout?: TimeoutPolicy;
  readonly retry?: RetryPolicy;
  readonly pathRewrite?: PathRewrite;
  readonly requestHeaders?: HeadersPolicy;
  readonly responseHeaders?: HeadersPolicy;
  readonly hash?: HashPolicy;
  readonly websocket?: true;
  readonly internalRedirect?: InternalRedirect;
  readonly rateLimits?: readonly RateLimitDescriptor[];
}

/** The policies that keep requests out, whatever the route would do with them: forward, redirect or answer. */
export interface Protections {
  readonly localRateLimit?: LocalRateLimit;
  /** Without the global rate limits of the virtual host. */
  readonly ignoreHostRateLimits?: true;
  readonly ipFilter?: IpFilter;
  readonly authorization?: RouteAuthorization;
  /** Name of the JWT provider whose token a request needs. */
  readonly jwtProvider?: string;
}

export type RouteAuthorization =
  | { readonly disabled: true }
  /** What the authorization service is told of the route. */
  | { readonly context: Readonly<Record<string, string>> };

/** Policies of one service of a route. */
export interface BackendPolicies {
  readonly requestHeaders?: HeadersPolicy;
  readonly responseHeaders?: HeadersPolicy;
  readonly cookieRewrites?: readonly CookieRewrite[];
}

/** Policies of a virtual host. */
export interface HostPolicies {
  readonly cors?: CorsPolicy;
  readonly localRateLimit?: LocalRateLimit;
  readonly rateLimits?: readonly RateLimitDescriptor[];
  readonly ipFilter?: IpFilter;
}
