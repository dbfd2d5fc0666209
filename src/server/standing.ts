import type { Context } from "hono";
import type { Hub } from "./hub.js";
import type { Gauge } from "./metrics.js";
import { nothingPublished, problem } from "./problem.js";

/** The state of a server that follows a Kubernetes cluster, in relation to its API server. */
export interface Standing {
  /** Time since the last answer of the API server. */
  readonly silentMs: number;
  /** Whether that is within the limit. */
  readonly fresh: boolean;
  /** Whether Envoys are sent to other replicas. */
  readonly aside: boolean;
}

/**
 * `GET /readyz`: whether Envoys should be sent here. `?fresh` also checks whether the served state is up to date, even
 * if no other replica could serve.
 */
export function answerReady(c: Context, hub: Hub, standing: Standing | undefined): Response {
  const { silentMs = 0, fresh = true, aside = false } = standing ?? {};
  if (!hub.ready) return nothingPublished(c);
  const silent = `no answer from the API server for ${Math.round(silentMs / 1000)} s`;
  if (aside)
    return problem(c, 503, "stepping-aside", `${silent}, and another replica is up to date; see the log`);
  if (!fresh && c.req.query("fresh") !== undefined)
    return problem(c, 503, "stale", `${silent}; the state before is served`);
  return c.text("ok\n");
}

export const standingGauges = ({ silentMs, aside }: Standing): Gauge[] => [
  ["api_server_silent_seconds", Math.round(silentMs / 1000)],
  ["stepping_aside", aside ? 1 : 0],
];
