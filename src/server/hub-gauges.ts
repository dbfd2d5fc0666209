import { type EnvoyRegistry, maxNodes, refuses } from "../link/envoy-registry.js";
import type { Publication } from "../link/publish.js";
import { type XdsType, xdsTypes } from "../link/snapshot.js";
import type { PollsView } from "./hub-options.js";
import type { Gauge } from "./metrics.js";

/** Why unused clusters are served until their time is over. */
export const tooManyNodes = `Envoys of a token are more than ${maxNodes}, or have too many subscriptions, and not all are remembered: unused clusters are served until their time is over; give groups of Envoys separate tokens`;

interface HubState {
  readonly fleet: EnvoyRegistry;
  readonly publication: Publication;
  readonly problems: ReadonlyMap<XdsType, string>;
  readonly polls: PollsView;
  readonly missingSources: number;
}

/** The answer of `/status`: see `Hub.status`; `now` in milliseconds. */
export function hubStatus(
  { fleet, publication, problems, polls, missingSources }: HubState,
  now: number,
): object {
  const versions = xdsTypes.map((type) => {
    const served = publication.served(type);
    return [type, { version: served?.version ?? "", resources: served?.set.size ?? 0 }] as const;
  });
  return {
    phase: publication.phase,
    types: Object.fromEntries(versions),
    problems: Object.fromEntries(problems),
    waiting: polls.held,
    polls,
    missingSources,
    ...(fleet.isIncomplete(now) ? { incomplete: tooManyNodes } : {}),
    fleet: fleet.views(now),
  };
}

/** The state of a hub as metrics; `now` in milliseconds. */
export function hubGauges(
  { fleet, publication, problems, polls, missingSources }: HubState,
  now: number,
): Gauge[] {
  const nodes = fleet.views(now).filter(({ active }) => active);
  return [
    ["polls_held", polls.held],
    ["answers_queued", polls.queued],
    ["holds_shortened", polls.shortened.length],
    ["sources_missing", missingSources],
    ["nodes", nodes.length],
    ["nodes_incomplete", fleet.isIncomplete(now) ? 1 : 0],
    ...xdsTypes.flatMap((type): Gauge[] => [
      ["resources", publication.served(type)?.set.size ?? 0, { type }],
      ["unsendable", problems.has(type) ? 1 : 0, { type }],
      ["nodes_refusing", nodes.filter((node) => refuses(node, type)).length, { type }],
    ]),
  ];
}
