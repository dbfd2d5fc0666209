import type { Route, RouteAction } from "../../gen/envoy.js";

export type FilterConfigs = NonNullable<Route["typed_per_filter_config"]>;

/** What a policy adds to a Route, to the configuration of HTTP filters there and, where it forwards, to its RouteAction. */
export interface Written {
  readonly route?: Partial<Route>;
  readonly filters?: FilterConfigs;
  readonly action?: Partial<RouteAction>;
}
