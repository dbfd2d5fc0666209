import type { Labels, MetricFamily, Sample } from "./exposition.js";

const counters = {
  polls_total: "Polls answered, by type and status code.",
  polls_cut_total: "Held polls whose client went away, or polled again, before the answer.",
  poll_bytes_total: "Bytes of configuration sent, by type.",
  publications_total: "Publications with a change.",
  requests_refused_total: "Refused requests, by status code.",
  versions_rejected_total: "Versions that an Envoy rejected, by type.",
  stores_put_aside_total: "Damaged store files that were kept as FILE.corrupt and replaced by a new file.",
  errors_at_once_total: "Errors to Envoys that were sent at once, because too many others were held.",
  status_writes_total: "Statuses that were written to a Kubernetes cluster, or removed, by kind.",
  versions_raised_total: "How often versions were raised above those of Envoys that were ahead.",
  status_write_failures_total:
    "Statuses that could not be written to a Kubernetes cluster, by kind and status code; 0 is no answer.",
  cluster_failures_total:
    "Failures to follow a kind of a Kubernetes cluster, by kind and code; kube-stalled is a watch that went silent.",
} as const;

const gauges = {
  build_info: "1, with the version and the commit of the server.",
  polls_held: "Polls that wait for a change.",
  answers_queued: "Answers that wait until others are sent, so that not all are in memory at once.",
  holds_shortened:
    "Tokens whose polls are held for a shorter time because something cuts them; the status has the times.",
  nodes_incomplete:
    "1 while more Envoys poll than are remembered: unused clusters are then served until their time is over.",
  sources_missing: "Sources that Envoys have and that were not pushed again since the store was lost.",
  source_failing:
    "1 for a source that can't be read at the moment, so that its last good state is served; at most 100 sources.",
  source_last_success_timestamp_seconds:
    "When a source was read or pushed last without an error, in seconds since the epoch; at most 100 sources.",
  certificate_not_after_timestamp_seconds:
    "When the certificate of a host ends, in seconds since the epoch, by host and object; the 100 that end first. The host is empty for a listener of a Gateway.",
  server_certificate_not_after_timestamp_seconds:
    "When the certificate of the server itself ends, in seconds since the epoch.",
  errors_held: "Errors to Envoys that are held at the moment.",
  sequence: "The sequence of the last publication: the first part of versions.",
  resources: "Resources served, by type.",
  unsendable: "1 for a type whose last answer could not be sent; the status has the reason.",
  objects_kept: "Pushed objects whose new text is not valid and whose text before is served.",
  findings: "Findings about objects, by severity.",
  nodes: "Envoys that polled within a minute, or have a held poll.",
  nodes_refusing: "Envoys that rejected the last version, by type.",
  kind_synced: "1 for a followed kind of a Kubernetes cluster, 0 for one that is not followed.",
  cluster_stale:
    "1 while the served objects of a Kubernetes cluster come from the store, because the cluster has not answered for every kind since the start.",
  api_server_silent_seconds:
    "Seconds since the last answer of the API server; with several, of the one with the longest silence.",
  stepping_aside:
    "1 while Envoys are sent to other replicas because this one is cut off from its API server.",
  cluster_last_look_seconds:
    "The oldest time at which a kind of a Kubernetes cluster was read last, in seconds since the epoch.",
  deletions_held: "Objects of a kind of a Kubernetes cluster whose deletion waits for confirmation.",
  statuses_failing: "Objects of a Kubernetes cluster whose status can't be written.",
  statuses_pending: "Objects of a Kubernetes cluster whose status is still to be compared or written.",
} as const;

/** Upper bounds of the buckets in seconds; a last one without a bound follows. */
const work = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const histograms = {
  compile_seconds: { help: "Time to compile changes of a source, for each group of changes.", bounds: work },
  publish_seconds: {
    help: "Time to link and publish a complete state, also without a change.",
    bounds: work,
  },
  poll_seconds: {
    help: "Time to answer a poll, without the time for which it is held, by type.",
    bounds: work,
  },
  accept_seconds: {
    help: "Time from the first change of a publication until an Envoy reports that it has accepted it, by type, for each Envoy that had a version before.",
    bounds: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900],
  },
} as const;

export type CounterName = keyof typeof counters;
export type GaugeName = keyof typeof gauges;
export type HistogramName = keyof typeof histograms;

/** A current value. */
export type Gauge = readonly [name: GaugeName, value: number, labels?: Labels];

/** Every metric with its type and help text. */
export const metricDefinitions = [
  ...Object.entries(counters).map(([name, help]) => ({
    name: `isoline_${name}`,
    type: "counter" as const,
    help,
  })),
  ...Object.entries(histograms).map(([name, { help }]) => ({
    name: `isoline_${name}`,
    type: "histogram" as const,
    help,
  })),
  ...Object.entries(gauges).map(([name, help]) => ({
    name: `isoline_${name}`,
    type: "gauge" as const,
    help,
  })),
];

interface Histogram {
  readonly name: HistogramName;
  readonly labels: Labels;
  readonly bounds: readonly number[];
  /** One for each bound, and one for higher values. */
  readonly counts: number[];
  sum: number;
}

/** The series of a metric, by the values of its labels: the labels of a metric are always the same. */
const seriesKey = (name: string, labels: Labels | undefined): string => {
  let key = name;
  for (const label in labels) key += `\n${labels[label]}`;
  return key;
};

/** Counters and histograms since the start. */
export class Metrics {
  readonly #counts = new Map<string, { name: CounterName; labels: Labels | undefined; value: number }>();
  readonly #histograms = new Map<string, Histogram>();

  count(name: CounterName, labels?: Labels, by = 1): void {
    const key = seriesKey(name, labels);
    const known = this.#counts.get(key);
    if (known) known.value += by;
    else this.#counts.set(key, { name, labels, value: by });
  }

  observe(name: HistogramName, seconds: number, labels: Labels = {}): void {
    const key = seriesKey(name, labels);
    let known = this.#histograms.get(key);
    if (!known) {
      const { bounds } = histograms[name];
      known = { name, labels, bounds, counts: new Array<number>(bounds.length + 1).fill(0), sum: 0 };
      this.#histograms.set(key, known);
    }
    const { bounds, counts } = known;
    let i = 0;
    while (i < bounds.length && seconds > (bounds[i] ?? 0)) i++;
    counts[i] = (counts[i] ?? 0) + 1;
    known.sum += seconds;
  }

  /** All counters and histograms, and `values`. A metric without a value is left out. */
  families(values: readonly Gauge[]): readonly MetricFamily[] {
    const byName = new Map<string, Sample[]>();
    const add = (name: string, ...samples: readonly Sample[]): void => {
      const known = byName.get(name);
      if (known) known.push(...samples);
      else byName.set(name, [...samples]);
    };
    for (const { name, value, labels = {} } of this.#counts.values())
      add(`isoline_${name}`, { name: `isoline_${name}`, value, labels });
    for (const histogram of this.#histograms.values())
      add(`isoline_${histogram.name}`, ...samplesOf(histogram));
    for (const [name, value, labels = {}] of values)
      add(`isoline_${name}`, { name: `isoline_${name}`, value, labels });
    return metricDefinitions.flatMap((definition) => {
      const samples = byName.get(definition.name);
      return samples ? [{ ...definition, samples }] : [];
    });
  }
}

function samplesOf({ name, labels, bounds, counts, sum }: Histogram): Sample[] {
  const full = `isoline_${name}`;
  let total = 0;
  const buckets = counts.map((count, i): Sample => {
    total += count;
    const le = bounds[i] === undefined ? "+Inf" : String(bounds[i]);
    return { name: `${full}_bucket`, value: total, labels: { ...labels, le } };
  });
  return [
    ...buckets,
    { name: `${full}_sum`, value: sum, labels },
    { name: `${full}_count`, value: total, labels },
  ];
}
