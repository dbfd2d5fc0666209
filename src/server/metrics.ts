type Labels = Readonly<Record<string, string>>;

const counters = {
  polls_total: "Polls answered, by type and status code.",
  poll_bytes_total: "Bytes of configuration sent, by type.",
  publications_total: "Times that something new was published.",
  publish_seconds_total: "Time that linking for publications took.",
  requests_refused_total: "Requests that were not let in, by status code.",
  stores_put_aside_total: "Files of the store that were found damaged, kept as FILE.corrupt and begun anew.",
  errors_at_once_total: "Errors to Envoys that were sent at once, because too many others were waiting.",
  status_writes_total: "Statuses that were written to a cluster, or taken back, by kind.",
  versions_raised_total: "Times that versions were raised above those of Envoys that were ahead.",
  status_write_failures_total:
    "Statuses that could not be written to a cluster, by kind and status code; 0 is no answer.",
  cluster_failures_total:
    "Times that a kind of a cluster could not be followed, by kind and code; kube-stalled is a watch that went silent.",
} as const;

const gauges = {
  polls_held: "Polls that wait for a change.",
  sources_missing: "Sources that Envoys have and that were not pushed again since the store was lost.",
  errors_held: "Errors to Envoys that wait to be sent.",
  sequence: "The sequence of the last publication: the first part of versions.",
  resources: "Resources served, by type.",
  unsendable: "1 for a type whose last answer could not be sent; the status says why.",
  objects_kept: "Pushed objects whose new text is not valid, so that the text before is served.",
  findings: "Findings about objects, by severity.",
  nodes: "Envoys that polled within a minute.",
  nodes_refusing: "Envoys that refused what they were sent last, by type.",
  kind_synced: "Of a cluster: 1 for a kind that is followed, 0 for one that is not.",
  cluster_stale:
    "Of a cluster: 1 as long as what is served of it comes from the store, and the cluster has not answered for every kind since the start.",
  api_server_silent_seconds:
    "Seconds since an API server was heard of; of several the one that is silent longest.",
  stepping_aside: "1 while Envoys are sent to other replicas, as this one is cut off from its API server.",
  cluster_last_look_seconds:
    "Of a cluster: when the kind that was read least recently was read last, in seconds since the epoch.",
  deletions_held: "Of a cluster: objects of a kind whose deletion waits to be confirmed.",
  statuses_failing: "Objects of a cluster whose status can't be written.",
  statuses_pending: "Objects of a cluster whose status is still to be compared or written.",
} as const;

export type CounterName = keyof typeof counters;
export type GaugeName = keyof typeof gauges;

/** A value at the time of asking. */
export type Gauge = readonly [name: GaugeName, value: number, labels?: Labels];

/** Every metric with its type and what it says. */
export const metricDefinitions = [
  ...Object.entries(counters).map(([name, help]) => ({ name: `isoline_${name}`, type: "counter", help })),
  ...Object.entries(gauges).map(([name, help]) => ({ name: `isoline_${name}`, type: "gauge", help })),
];

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');

function sample(name: string, value: number, labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
  return `isoline_${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}`;
}

/** Counters since the start, in Prometheus's text format. */
export class Metrics {
  /** By the sample's line without its value. */
  readonly #counts = new Map<string, { name: CounterName; labels: Labels | undefined; value: number }>();

  count(name: CounterName, labels?: Labels, by = 1): void {
    const key = `${name} ${JSON.stringify(labels ?? {})}`;
    const known = this.#counts.get(key);
    if (known) known.value += by;
    else this.#counts.set(key, { name, labels, value: by });
  }

  /** All that was counted, and these. */
  text(values: readonly Gauge[]): string {
    const samples = [
      ...[...this.#counts.values()].map(({ name, value, labels }) => [name, value, labels] as const),
      ...values,
    ];
    const lines = metricDefinitions.flatMap(({ name, type, help }) => {
      const own = samples.filter(([short]) => `isoline_${short}` === name);
      if (own.length === 0) return [];
      const values = own.map(([short, value, labels]) => sample(short, value, labels));
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...values];
    });
    return `${lines.join("\n")}\n`;
  }
}
