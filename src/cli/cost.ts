import { shardCount } from "../xds/route-shards.js";
import { UsageError } from "./usage.js";

/** The options of `isoline cost`, as commander passes them. */
export interface CostCommandOptions {
  readonly envoys: string;
  readonly services: string;
  readonly certificates: string;
  readonly changes: string;
  readonly refreshDelay: string;
  readonly hold: string;
  readonly format: "text" | "json";
}

/** A fleet of Envoys, with the parameters of its polls. */
export interface FleetSize {
  readonly envoys: number;
  readonly services: number;
  /** Certificates with a subscription each (`secrets: sds`); 0 when they are inline. */
  readonly certificates: number;
  /** Publications per day. */
  readonly changes: number;
  /** Seconds. */
  readonly refreshDelay: number;
  /** Seconds that a poll is held; 0: it is answered at once. */
  readonly hold: number;
}

export interface ModeCost {
  readonly endpoints: "eds" | "inline" | "service";
  readonly routeShards: number;
  /** Open polls of one Envoy. */
  readonly subscriptions: number;
  readonly requestsPerMonth: number;
}

const secondsPerMonth = 30 * 86_400;

/** Requests per month by endpoint mode and number of route shards, with HTTP and HTTPS in use. */
export function costs({
  envoys,
  services,
  certificates,
  changes,
  refreshDelay,
  hold,
}: FleetSize): ModeCost[] {
  // Envoy polls again one to two delays after an answer.
  const between = hold + 1.5 * refreshDelay;
  return (["inline", "service", "eds"] as const).flatMap((endpoints) =>
    [1, shardCount].map((routeShards) => {
      const tables = 2 * routeShards + (routeShards > 1 ? 1 : 0);
      const subscriptions = 2 + tables + certificates + (endpoints === "eds" ? services : 0);
      const idle = (subscriptions * secondsPerMonth) / between;
      // A change is one more answer for each affected subscription: clusters, endpoints and a table.
      const woken = hold > 0 ? changes * 30 * 3 : 0;
      return { endpoints, routeShards, subscriptions, requestsPerMonth: Math.round(envoys * (idle + woken)) };
    }),
  );
}

/**
 * `isoline cost`: the number of requests of a fleet.
 *
 * @throws UsageError when a number is not valid.
 */
export function costCommand(options: CostCommandOptions): void {
  const found = costs({
    envoys: numberOf("--envoys", options.envoys, 1),
    services: numberOf("--services", options.services, 0),
    certificates: numberOf("--certificates", options.certificates, 0),
    changes: numberOf("--changes", options.changes, 0),
    refreshDelay: numberOf("--refresh-delay", options.refreshDelay.replace(/s$/, ""), 0.001),
    hold: numberOf("--hold", options.hold.replace(/s$/, ""), 0),
  });
  if (options.format === "json") console.log(JSON.stringify(found));
  else {
    console.log("endpoints  routeShards  open polls per Envoy  requests a month");
    for (const { endpoints, routeShards, subscriptions, requestsPerMonth } of found)
      console.log(
        `${endpoints.padEnd(9)}  ${String(routeShards).padStart(11)}  ${String(subscriptions).padStart(20)}  ${requestsPerMonth.toLocaleString("en").padStart(16)}`,
      );
  }
}

function numberOf(option: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= least && value <= 1e9) return value;
  throw new UsageError(`${option} ${text}: expected a number of at least ${least}`);
}
