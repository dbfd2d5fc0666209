import type { Ref } from "../../../schema/meta.js";
import type { RouteContext as PolicyContext } from "../../policies/policy.js";
import type { MatchCondition } from "./conditions.js";
import type { Host } from "./host.js";

/** The place of an HTTPProxy in a tree of includes. */
export interface IncludePlace {
  /** Conditions of all includes from the root. */
  readonly conditions: readonly MatchCondition[];
  /** Refs of the including objects, the root first. */
  readonly path: readonly Ref[];
  readonly host: Host;
}

/** The inputs for reading one route. */
export interface ProxyRouteContext extends PolicyContext {
  readonly place: IncludePlace;
}
