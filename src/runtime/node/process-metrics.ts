import { collectDefaultMetrics, Registry } from "prom-client";
import type { MetricFamily, Sample } from "../../server/exposition.js";

/** A metric as prom-client has it as JSON. */
interface Collected {
  readonly name: string;
  readonly help: string;
  readonly type: string | number;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
    /** The name of a sample of a histogram or summary. */
    readonly metricName?: string;
  }[];
}

/** Gauges with names of counters, which a scraper that checks names refuses. */
const misnamed = "nodejs_active_";

const types = ["counter", "gauge", "histogram", "summary"] as const;

/**
 * The values of the process that prom-client gathers: processor time, memory, open files, the delay of the event loop,
 * garbage collections. The names are those of all servers on Node.
 */
export function processMetrics(): () => Promise<readonly MetricFamily[]> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return async () => {
    const collected = (await registry.getMetricsAsJSON()) as readonly Collected[];
    return collected.filter(({ name }) => !name.startsWith(misnamed)).map(familyOf);
  };
}

const familyOf = ({ name, help, type, values }: Collected): MetricFamily => ({
  name,
  help,
  type: types.find((one) => one === type) ?? "gauge",
  samples: values.map(
    ({ value, labels, metricName = name }): Sample => ({
      name: metricName,
      value,
      labels: Object.fromEntries(Object.entries(labels).map(([key, label]) => [key, String(label)])),
    }),
  ),
});
