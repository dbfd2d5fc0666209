import type { Ref } from "../../../schema/meta.js";
import type { RouteContext as PolicyContext } from "../../policies/policy.js";
import type { MatchCondition } from "./conditions.js";
import type { Host } from "./host.js";

/** Where in a tree of includes an HTTPProxy is read. */
export interface IncludePlace {
  /** Conditions of all includes on the way. */
  readonly conditions: readonly MatchCondition[];
  /** Refs of the including objects, the root first. */
  readonly path: readonly Ref[];
  readonly host: Host;
}

/** What the reading of one route shares. */
export interface ProxyRouteContext extends PolicyContext {
  readonly place: IncludePlace;
}
