import type { Context } from "hono";
import type { Hub } from "./hub.js";
import type { Gauge } from "./metrics.js";
import { nothingPublished, problem } from "./problem.js";

/** How a server stands that follows a cluster. */
export interface Standing {
  /** For how long the API server was silent. */
  readonly silentMs: number;
  /** Whether that is within bounds. */
  readonly fresh: boolean;
  /** Whether Envoys are sent to other replicas. */
  readonly aside: boolean;
}

/** `GET /readyz`: whether to send Envoys here. `?fresh` also asks whether what is served is up to date, whoever else could serve. */
export function answerReady(c: Context, hub: Hub, standing: Standing | undefined): Response {
  const { silentMs = 0, fresh = true, aside = false } = standing ?? {};
  if (!hub.ready) return nothingPublished(c);
  const silent = `nothing has come from the API server for ${Math.round(silentMs / 1000)} s`;
  if (aside)
    return problem(
      c,
      503,
      "stepping-aside",
      `${silent}, and another replica is up to date; the log says more`,
    );
  if (!fresh && c.req.query("fresh") !== undefined)
    return problem(c, 503, "stale", `${silent}; what was read before is served`);
  return c.text("ok\n");
}

export const standingGauges = ({ silentMs, aside }: Standing): Gauge[] => [
  ["api_server_silent_seconds", Math.round(silentMs / 1000)],
  ["stepping_aside", aside ? 1 : 0],
];
