export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  /** The whole name, such as `isoline_publish_seconds_bucket`. */
  readonly name: string;
  readonly value: number;
  readonly labels: Labels;
}

/** The samples of a metric. */
export interface MetricFamily {
  /** With `_total` for a counter. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** The formats, with their content types: Prometheus's text, and OpenMetrics 1.0. */
export const expositionTypes = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const;
export type ExpositionFormat = keyof typeof expositionTypes;

/** The format that a client prefers, by the weights of its `Accept` header; Prometheus's text for all others. */
export function formatFor(accept: string): ExpositionFormat {
  const weights = { text: 0, openmetrics: 0 };
  for (const part of accept.split(",")) {
    const [type = "", ...parameters] = part.split(";").map((one) => one.trim().toLowerCase());
    const quality = Number(parameters.find((one) => one.startsWith("q="))?.slice(2) ?? 1);
    if (type === "application/openmetrics-text") {
      // A version that is not 1.0.0 or 0.0.1 is not written here.
      const version =
        parameters.find((one) => one.startsWith("version="))?.slice("version=".length) ?? "1.0.0";
      if (/^"?(1\.0\.0|0\.0\.1)"?$/.test(version))
        weights.openmetrics = Math.max(weights.openmetrics, quality);
    } else if (type === "text/plain" || type === "text/*" || type === "*/*")
      weights.text = Math.max(weights.text, quality);
  }
  return weights.openmetrics > 0 && weights.openmetrics >= weights.text ? "openmetrics" : "text";
}

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');

const shown = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? "+Inf" : value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);

function line({ name, value, labels }: Sample): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${shown(value)}`;
}

/** Metrics as text. OpenMetrics names a counter without `_total`, and ends with `# EOF`. */
export function exposition(families: readonly MetricFamily[], format: ExpositionFormat): string {
  const lines = families.flatMap(({ name, type, help, samples }) => {
    const family = format === "openmetrics" && type === "counter" ? name.replace(/_total$/, "") : name;
    const text =
      format === "openmetrics" ? escaped(help) : help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
    return [`# HELP ${family} ${text}`, `# TYPE ${family} ${type}`, ...samples.map(line)];
  });
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}
