import type { Route, RouteAction } from "../../gen/envoy.js";

/** What a policy adds to a Route and, where the route forwards, to its RouteAction. */
export interface Written {
  readonly route?: Partial<Route>;
  readonly action?: Partial<RouteAction>;
}
