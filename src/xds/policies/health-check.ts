import type { Cluster, HealthCheck as EnvoyHealthCheck } from "../../gen/envoy.js";
import type { Cluster as ClusterNode } from "../../graph/backends/cluster.js";
import type { HealthCheck } from "../../graph/policies/health-check.js";
import { duration } from "../duration.js";
import type { WrittenPolicy } from "./policy.js";

// 64-bit integers are text in proto3 JSON.
const writeRange = ({
  start,
  end,
}: {
  start: number;
  end: number;
}): { start: `${number}`; end: `${number}` } => ({
  start: `${start}`,
  end: `${end}`,
});

function write(check: HealthCheck, protocol: ClusterNode["protocol"]): Partial<Cluster> {
  const h2 = protocol === "h2" || protocol === "h2c";
  const kind: EnvoyHealthCheck =
    check.kind === "tcp"
      ? { tcp_health_check: {} }
      : {
          http_health_check: {
            path: check.path,
            host: check.host,
            ...(check.expectedStatuses ? { expected_statuses: check.expectedStatuses.map(writeRange) } : {}),
            ...(h2 ? { codec_client_type: "HTTP2" } : {}),
          },
        };
  const common: EnvoyHealthCheck = {
    timeout: duration(check.timeoutSeconds * 1000),
    interval: duration(check.intervalSeconds * 1000),
    unhealthy_threshold: check.unhealthyThreshold,
    healthy_threshold: check.healthyThreshold,
  };
  return { health_checks: [{ ...common, ...kind }], ignore_health_on_host_removal: true };
}

export const healthCheck: WrittenPolicy<"healthCheck"> = {
  write: { cluster: (check, { protocol }) => ({ cluster: write(check, protocol) }) },
};
