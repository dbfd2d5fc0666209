import type { Context } from "hono";
import type { Engine } from "../engine/engine.js";
import { plural } from "../schema/words.js";
import type { Notice, Overview } from "../verdict/overview.js";
import { seconds } from "./cut-polls.js";
import type { EnvoyList } from "./envoys.js";
import type { FindingsCache } from "./findings.js";
import type { HostIndex } from "./host-index.js";
import type { Hub } from "./hub.js";
import type { Inspected } from "./inspect.js";
import { pageOf } from "./paging.js";
import { uncached } from "./problem.js";
import type { Standing } from "./standing.js";
import type { Identity } from "./tokens.js";

interface OverviewParts {
  readonly hub: Hub;
  readonly inspected: Inspected;
  readonly findings: FindingsCache;
  readonly envoys: EnvoyList;
  readonly hosts: HostIndex;
  standing?(): Standing;
}

/** The state of a server: the input of the verdict. */
export function overviewOf(parts: OverviewParts, { role }: Pick<Identity, "role">): Overview {
  const { hub, inspected, findings, envoys, hosts } = parts;
  const { engine } = inspected;
  const { all } = findings.current;
  const errors = all.filter(({ severity }) => severity === "error");
  const last = lastChange(engine);
  return {
    now: engine.now(),
    role: role === "admin" ? "admin" : "read",
    ready: hub.ready,
    pending: engine.pending,
    hosts: hosts.size,
    gateways: hosts.gateways.slice(0, maxGateways),
    gatewayCount: hosts.gateways.length,
    findings: {
      errors: errors.length,
      warnings: all.length - errors.length,
      objects: new Set(errors.map(({ about }) => about)).size,
    },
    envoys: envoys.counts,
    notices: noticesOf(parts),
    ...(last ? { last } : {}),
  };
}

function lastChange({ changes }: Engine): Overview["last"] {
  const [newest] = changes.list(1);
  if (!newest) return undefined;
  const { source, revision, by } = newest.causes.at(-1) ?? {};
  return {
    number: newest.number,
    at: newest.until,
    ...(source === undefined ? {} : { source }),
    ...(revision === undefined ? {} : { revision }),
    ...(by === undefined ? {} : { by }),
  };
}

function noticesOf({ hub, inspected, standing }: OverviewParts): Notice[] {
  const notices: Notice[] = [...hub.problems].map(([type, why]) => ({
    level: "bad",
    text: `${type} can't be sent: ${why}`,
  }));
  for (const { token, cutMs, holdMs } of hub.polls.shortened)
    notices.push({
      level: "warning",
      text: `polls${token ? ` of ${token}` : ""} are cut after ${seconds(cutMs)} s, and held for ${seconds(holdMs)} s`,
    });
  const missing = hub.missingSources;
  if (missing > 0)
    notices.push({
      level: "warning",
      text: `${plural(missing, "source")} to be pushed again after the store was lost`,
    });
  for (const { cluster, stale, kinds, statuses } of inspected.clusters?.() ?? []) {
    const name = cluster ? `the cluster ${cluster}` : "the cluster";
    if (stale)
      notices.push({
        level: "warning",
        text: `${name} has not answered since the start; what was read before is served`,
      });
    for (const [kind, { held }] of Object.entries(kinds))
      if (held?.objects)
        notices.push({
          level: "warning",
          text: `${plural(held.objects, "deletion")} of ${kind} in ${name} to be confirmed`,
        });
    if (statuses?.failing)
      notices.push({
        level: "warning",
        text: `${plural(statuses.failing, "status")} of ${name} can't be written`,
      });
  }
  const { fresh = true, silentMs = 0 } = standing?.() ?? {};
  if (!fresh)
    notices.push({
      level: "warning",
      text: `the API server has been silent for ${Math.round(silentMs / 1000)} s`,
    });
  return notices.slice(0, maxNotices);
}

const maxNotices = 20;
const maxGateways = 50;

/** `GET /changes?after=N&limit=N`: the history of publications, newest first. */
export function answerChanges(c: Context, { engine }: Inspected): Response {
  const page = pageOf(c, engine.changes.list(Number.POSITIVE_INFINITY));
  if (page instanceof Response) return page;
  const { items, ...rest } = page;
  return c.json({ ...rest, changes: items }, 200, uncached);
}
