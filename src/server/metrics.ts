type Labels = Readonly<Record<string, string>>;

const counters = {
  polls_total: "Polls answered, by type and status code.",
  polls_cut_total: "Held polls whose client went away, or polled again, before the answer.",
  poll_bytes_total: "Bytes of configuration sent, by type.",
  publications_total: "Publications with a change.",
  publish_seconds_total: "Time spent on linking publications.",
  requests_refused_total: "Refused requests, by status code.",
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
  polls_held: "Polls that wait for a change.",
  answers_queued: "Answers that wait until others are sent, so that not all are in memory at once.",
  holds_shortened:
    "Tokens whose polls are held for a shorter time because something cuts them; the status has the times.",
  sources_missing: "Sources that Envoys have and that were not pushed again since the store was lost.",
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

export type CounterName = keyof typeof counters;
export type GaugeName = keyof typeof gauges;

/** A current value. */
export type Gauge = readonly [name: GaugeName, value: number, labels?: Labels];

/** Every metric with its type and help text. */
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
  /** By name and labels of the sample. */
  readonly #counts = new Map<string, { name: CounterName; labels: Labels | undefined; value: number }>();

  count(name: CounterName, labels?: Labels, by = 1): void {
    const key = `${name} ${JSON.stringify(labels ?? {})}`;
    const known = this.#counts.get(key);
    if (known) known.value += by;
    else this.#counts.set(key, { name, labels, value: by });
  }

  /** The text of all counters and of `values`. */
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
