import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { FindingType } from "../../../schema/finding-types.js";
import type { Ref } from "../../../schema/meta.js";
import type { HTTPProxy, Reader, Report } from "../../core/reader.js";
import type { Condition } from "./conditions.js";
import type { Host } from "./host.js";

export type RouteFields = NonNullable<HTTPProxy["spec"]["routes"]>[number];
export type ServiceFields = NonNullable<RouteFields["services"]>[number];

/** Where in a tree of includes an HTTPProxy is read. */
export interface Place {
  /** Conditions of all includes on the way. */
  readonly conditions: readonly Condition[];
  /** Refs of the including objects, the root first. */
  readonly path: readonly Ref[];
  readonly host: Host;
}

/** What the reading of one route shares. */
export interface RouteContext {
  readonly proxy: HTTPProxy;
  readonly route: RouteFields;
  /** Field path of the route. */
  readonly path: string;
  readonly place: Place;
  readonly reader: Reader;
  readonly report: Report;
  fail(type: FindingType, reason: ErrorCode, message: string, field?: string): undefined;
}
