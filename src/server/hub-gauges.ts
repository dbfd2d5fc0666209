import { type EnvoyRegistry, maxNodes, refuses } from "../link/envoy-registry.js";
import type { Publication } from "../link/publish.js";
import { type XdsType, xdsTypes } from "../link/snapshot.js";
import type { Gauge } from "./metrics.js";

/** Why unused clusters are served until their time is over. */
export const tooManyNodes = `Envoys of a token are more than ${maxNodes}, or have too many subscriptions, and not all are remembered: unused clusters are served until their time is over; give groups of Envoys separate tokens`;

const activeMs = 60_000;

/** The state of a hub as metrics; `now` in milliseconds. */
export function hubGauges(
  fleet: EnvoyRegistry,
  publication: Publication,
  problems: ReadonlyMap<XdsType, string>,
  now: number,
): Gauge[] {
  const nodes = fleet.views().filter(({ seen }) => now - seen <= activeMs);
  return [
    ["nodes", nodes.length],
    ["nodes_incomplete", fleet.isIncomplete(now) ? 1 : 0],
    ...xdsTypes.flatMap((type): Gauge[] => [
      ["resources", publication.served(type)?.set.size ?? 0, { type }],
      ["unsendable", problems.has(type) ? 1 : 0, { type }],
      ["nodes_refusing", nodes.filter((node) => refuses(node, type)).length, { type }],
    ]),
  ];
}
