import { durationMs } from "../../schema/duration.js";
import { balancingOf } from "./load-balancing.js";
import type { Policy } from "./policy.js";

/** The share of a new endpoint grows from `minWeightPercent` to 100 percent within the window. */
export interface SlowStart {
  readonly windowMs: number;
  readonly aggression: number;
  readonly minWeightPercent: number;
}

/** `slowStartPolicy` of a service. Envoy supports slow start for two load balancers only. */
export const slowStart: Policy<{ cluster: SlowStart }> = {
  protects: false,
  fields: { service: ["slowStartPolicy"] },
  read: {
    clusterFields: () => undefined,
    cluster({ service: { slowStartPolicy: policy }, of: { route, fail }, at }) {
      if (!policy) return undefined;
      const wrong = (message: string): undefined =>
        fail("ServiceError", "SlowStartInvalid", message, `${at}.slowStartPolicy`);
      const balancing = balancingOf(route.loadBalancerPolicy);
      if (balancing === "random" || balancing === "ring-hash")
        return wrong(
          "slow start is only supported with RoundRobin or WeightedLeastRequest load balancer strategy",
        );
      const windowMs = durationMs(policy.window);
      if (windowMs === 0)
        return wrong(`error parsing window: ${JSON.stringify(policy.window)} is not a duration above zero`);
      const aggression = Number(policy.aggression);
      if (!(aggression > 0)) return wrong("aggression must be greater than 0");
      return { windowMs, aggression, minWeightPercent: policy.minWeightPercent };
    },
  },
};
