import type { HashPolicy } from "./hash.js";
import type { HeadersPolicy } from "./headers.js";
import type { PathRewrite } from "./path-rewrite.js";
import type { RetryPolicy } from "./retry.js";
import type { TimeoutPolicy } from "./timeout.js";

/**
 * What a route may carry beside its match and action. Each name has a reader in this folder and a writer of the same
 * name in xds/policy; a policy without a writer is a type error there.
 */
export interface RoutePolicies {
  readonly timeout?: TimeoutPolicy;
  readonly retry?: RetryPolicy;
  readonly pathRewrite?: PathRewrite;
  readonly requestHeaders?: HeadersPolicy;
  readonly responseHeaders?: HeadersPolicy;
  readonly hash?: HashPolicy;
  readonly websocket?: true;
}
