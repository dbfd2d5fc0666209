import type { Cluster } from "../../gen/envoy.js";
import type { LoadBalancing } from "../../graph/policies/load-balancing.js";
import type { SlowStart } from "../../graph/policies/slow-start.js";
import { duration } from "../duration.js";
import type { WrittenPolicy } from "./policy.js";

function write(slow: SlowStart, balancing: LoadBalancing): Partial<Cluster> {
  const config = {
    slow_start_config: {
      slow_start_window: duration(slow.windowMs),
      aggression: { default_value: slow.aggression, runtime_key: "contour.slowstart.aggression" },
      min_weight_percent: { value: slow.minWeightPercent },
    },
  };
  return balancing === "least-request"
    ? { least_request_lb_config: config }
    : { round_robin_lb_config: config };
}

export const slowStart: WrittenPolicy<"slowStart"> = {
  write: { cluster: (slow, { loadBalancing }) => ({ cluster: write(slow, loadBalancing) }) },
};
