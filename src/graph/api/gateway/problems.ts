import { indexIn } from "../../../schema/field-path.js";
import type { ErrorCode, WarningCode } from "../../../schema/finding-codes.js";
import type { Finding } from "../../../schema/meta.js";
import type { Reader, Report } from "../../core/reader.js";
import type { RouteObject } from "./gateway-listener.js";

/** The condition of a route's status that a finding makes False; its type is the finding's. */
export type RouteCondition = "Accepted" | "ResolvedRefs";

/** Reads one route object, and tells what is wrong with it where somebody wants to know. */
export interface GatewayRouteContext {
  readonly route: RouteObject;
  readonly reader: Reader;
  /** The certificate that the Gateway shows to backends over TLS, `<namespace>/<name>` of its Secret. */
  readonly backendCertificate?: string;
  fail(condition: RouteCondition, reason: ErrorCode, message: string, path: string): undefined;
  warn(reason: WarningCode, message: string, path: string): void;
}

export const routeContext = (
  route: RouteObject,
  reader: Reader,
  report?: Report,
  backendCertificate?: string,
): GatewayRouteContext => ({
  route,
  reader,
  ...(backendCertificate === undefined ? {} : { backendCertificate }),
  warn: (reason, message, path) => report?.warn(route.ref, `${route.kind}Warning`, reason, message, path),
  fail: (condition, reason, message, path) =>
    report?.error(route.ref, condition, reason, message, path) as undefined,
});

/** Whether a finding is about a parent reference (`spec.parentRefs[0]`), and which. */
export const parentOf = ({ path = "" }: Finding): number | undefined => indexIn(path, "spec.parentRefs");
