import { indexIn } from "../../../schema/field-path.js";
import type { ErrorCode, WarningCode } from "../../../schema/finding-codes.js";
import { type Finding, kindOf } from "../../../schema/meta.js";
import { routeKinds } from "../../../schema/routing-kinds.js";
import type { Cluster } from "../../backends/cluster.js";
import type { Reader, Report } from "../../core/reader.js";
import type { RouteObject } from "./gateway-listener.js";

/** The condition of a route's status that a finding sets to False. It is the type of the finding. */
export type RouteCondition = "Accepted" | "ResolvedRefs";

/** The inputs for reading one route object. Findings go to its report, if there is one. */
export interface GatewayRouteContext {
  readonly route: RouteObject;
  readonly reader: Reader;
  /** The client certificate of the Gateway for backends, as `<namespace>/<name>` of its Secret. */
  readonly backendCertificate?: string;
  /** The clusters of references that were read without a finding, by Service and port: most rules have the same. */
  readonly clusters: Map<string, Cluster>;
  fail(condition: RouteCondition, reason: ErrorCode, message: string, path: string): undefined;
  warn(reason: WarningCode, message: string, path: string): void;
  /** For a field without effect: the rule is served without it, and the route is PartiallyInvalid. */
  leaveOut(reason: WarningCode, message: string, path: string): void;
}

export const routeContext = (
  route: RouteObject,
  reader: Reader,
  report?: Report,
  backendCertificate?: string,
): GatewayRouteContext => ({
  route,
  reader,
  clusters: new Map(),
  ...(backendCertificate === undefined ? {} : { backendCertificate }),
  warn: (reason, message, path) => report?.warn(route.ref, `${route.kind}Warning`, reason, message, path),
  leaveOut: (reason, message, path) => report?.warn(route.ref, "PartiallyInvalid", reason, message, path),
  fail: (condition, reason, message, path) =>
    report?.error(route.ref, condition, reason, message, path) as undefined,
});

/**
 * Whether a finding is of the validation of a route, which is the same for all its hosts. The unit of a host contains
 * also findings that are about the route on this host.
 */
export function isOfValidation({ about, type, reason }: Finding): boolean {
  const kind = routeKinds.find((one) => one === kindOf(about));
  if (!kind || reason === "KindConflict") return false;
  return type === "Accepted" || type === "ResolvedRefs" || type === `${kind}Warning`;
}

/** The fields of a route that lead to Gateways. */
const parentFields = ["spec.parentRefs", "spec.useDefaultGateways"];

/** The field of the parent (`Parent.field`) that a finding is about; undefined for other findings. */
export function parentOf({ path = "" }: Finding): string | undefined {
  const list = parentFields.find((one) => indexIn(path, one) !== undefined);
  return list && `${list}[${indexIn(path, list)}]`;
}
