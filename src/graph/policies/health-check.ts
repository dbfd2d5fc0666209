import type { HTTPProxy } from "../core/reader.js";
import type { Policy, RouteFields } from "./policy.js";

export interface HealthCheck {
  readonly kind: "http" | "tcp";
  readonly path: string;
  readonly host: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
  /** Half-open ranges of healthy statuses; undefined is 200 alone. */
  readonly expectedStatuses?: readonly { readonly start: number; readonly end: number }[];
}

type HttpFields = NonNullable<RouteFields["healthCheckPolicy"]>;
type TcpFields = NonNullable<NonNullable<HTTPProxy["spec"]["tcpproxy"]>["healthCheckPolicy"]>;

/** Applies Contour's defaults; 0 also selects them. */
const timesOf = (
  fields: TcpFields,
): Pick<HealthCheck, "intervalSeconds" | "timeoutSeconds" | "unhealthyThreshold" | "healthyThreshold"> => ({
  intervalSeconds: fields.intervalSeconds || 10,
  timeoutSeconds: fields.timeoutSeconds || 2,
  unhealthyThreshold: fields.unhealthyThresholdCount || 3,
  healthyThreshold: fields.healthyThresholdCount || 2,
});

export const httpHealthCheck = (fields: HttpFields): HealthCheck => ({
  kind: "http",
  path: fields.path,
  host: fields.host || "contour-envoy-healthcheck",
  ...timesOf(fields),
  ...(fields.expectedStatuses?.length ? { expectedStatuses: fields.expectedStatuses } : {}),
});

export const tcpHealthCheck = (fields: TcpFields): HealthCheck => ({
  kind: "tcp",
  path: "",
  host: "",
  ...timesOf(fields),
});

/** `healthCheckPolicy` of a route. */
export const healthCheck: Policy<{ cluster: HealthCheck }> = {
  protects: false,
  fields: { route: ["healthCheckPolicy"] },
  read: {
    clusterFields: ({ healthCheckPolicy }) => healthCheckPolicy,
    clusters({ route: { healthCheckPolicy: fields }, fail }) {
      if (!fields?.expectedStatuses?.some(({ start, end }) => start >= end))
        return fields && httpHealthCheck(fields);
      const message = "invalid expected status range: start must be less than end";
      return fail("RouteError", "HealthCheckPolicyInvalid", message, ".healthCheckPolicy.expectedStatuses");
    },
  },
};
