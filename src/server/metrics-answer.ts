import type { Context } from "hono";
import type { Engine } from "../engine/engine.js";
import { isHostUnit, readUnit } from "../graph/core/keys.js";
import type { Ref } from "../schema/meta.js";
import type { SourceHealth } from "../sources/source.js";
import type { Store } from "../store/store.js";
import { exposition, expositionTypes, formatFor, type MetricFamily } from "./exposition.js";
import type { Inspected } from "./inspect.js";
import type { Gauge, Metrics } from "./metrics.js";
import { uncached } from "./problem.js";

interface MetricsParts {
  /** The values of the server. */
  readonly own: readonly Gauge[];
  /** The values of the process. */
  readonly families: readonly MetricFamily[];
  readonly ends: CertificateEnds;
}

/** The maximum number of series with a name that others choose. */
const maxNamed = 100;

/** `GET /metrics`, in Prometheus's text format, or as OpenMetrics if the client prefers that. */
export function answerMetrics(
  c: Context,
  metrics: Metrics,
  { own, families, ends }: MetricsParts,
  { engine, source, clusters }: Inspected,
): Response {
  const followed = clusters?.() ?? [];
  const format = formatFor(c.req.header("accept") ?? "");
  const gauges = [
    ...own,
    ...engine.gauges(),
    ...sourceGauges(source?.health() ?? []),
    ...ends.gauges,
    ...followed.flatMap(clusterGauges),
  ];
  const text = exposition([...metrics.families(gauges), ...families], format);
  return c.body(text, 200, { ...uncached, "content-type": expositionTypes[format], vary: "accept" });
}

type Followed = ReturnType<NonNullable<Inspected["clusters"]>>[number];

function clusterGauges({ cluster, stale, kinds, statuses, lookedAt }: Followed): Gauge[] {
  const named: Record<string, string> = cluster ? { cluster } : {};
  return [
    ...Object.entries(kinds).flatMap(([kind, { state, held }]): Gauge[] => [
      ["kind_synced", state === "synced" || held?.objects ? 1 : 0, { ...named, kind }],
      ...(held ? [["deletions_held", held.objects, { ...named, kind }] as const] : []),
    ]),
    ["cluster_stale", stale ? 1 : 0, named],
    ...(lookedAt === undefined ? [] : [["cluster_last_look_seconds", lookedAt / 1000, named] as const]),
    ...(statuses
      ? ([
          ["statuses_failing", statuses.failing, named],
          ["statuses_pending", statuses.pending, named],
        ] as const)
      : []),
  ];
}

/** Of failing sources first, and then of those whose last success is the longest ago. */
const sourceGauges = (sources: readonly SourceHealth[]): Gauge[] =>
  [...sources]
    .sort((a, b) => Number(b.failing) - Number(a.failing) || (a.lastSuccess ?? 0) - (b.lastSuccess ?? 0))
    .slice(0, maxNamed)
    .flatMap(({ source, lastSuccess, failing }): Gauge[] => [
      ["source_failing", failing ? 1 : 0, { source }],
      ...(lastSuccess === undefined
        ? []
        : [["source_last_success_timestamp_seconds", lastSuccess / 1000, { source }] as const]),
    ]);

interface CertificateEnd {
  /** Empty for the certificate of a Gateway's listener. */
  readonly host: string;
  readonly object: Ref;
  /** Milliseconds since the epoch. */
  readonly end: number;
}

/** Each certificate in use has a finding that applies outside its validity. The earliest end of each host and object. */
function endsIn(store: Pick<Store, "unitFindings">): Iterable<CertificateEnd> {
  const ends = new Map<string, CertificateEnd>();
  for (const { unit, findings } of store.unitFindings())
    for (const { reason, about, unlessBetween } of findings) {
      if (reason !== "CertificateOutOfDate" || !unlessBetween) continue;
      const read = isHostUnit(unit) ? readUnit(unit) : undefined;
      const host = read?.kind === "vhost" ? read.host : "";
      const key = `${host} ${about}`;
      const [, end] = unlessBetween;
      if (end < (ends.get(key)?.end ?? Number.POSITIVE_INFINITY)) ends.set(key, { host, object: about, end });
    }
  return ends.values();
}

/** When the certificates of hosts end; found again after a publication. */
export class CertificateEnds {
  #known: { readonly sequence: number; readonly gauges: readonly Gauge[] } | undefined;

  constructor(private readonly engine: Pick<Engine, "sequence" | "store">) {}

  /** Of the hosts whose certificates end first. */
  get gauges(): readonly Gauge[] {
    const { sequence, store } = this.engine;
    if (this.#known?.sequence === sequence) return this.#known.gauges;
    const gauges = [...endsIn(store)]
      .sort((a, b) => a.end - b.end || (a.host < b.host ? -1 : 1))
      .slice(0, maxNamed)
      .map(({ host, object, end }): Gauge => {
        const name = "certificate_not_after_timestamp_seconds";
        return [name, end / 1000, { host, object }];
      });
    this.#known = { sequence, gauges };
    return gauges;
  }
}
