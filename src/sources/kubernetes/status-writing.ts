import type { Engine } from "../../engine/engine.js";
import { type StatusOptions, type StatusRuntime, StatusService } from "../../status/write/service.js";
import type { StatusSource } from "./followed-cluster.js";

export interface StatusWritingOptions extends StatusOptions, Omit<StatusRuntime, "checkKeyPair"> {
  /** Counts in a metric. */
  count(
    name: "status_writes_total" | "status_write_failures_total",
    labels: Readonly<Record<string, string>>,
  ): void;
}

/** Makes the writer of the statuses of each followed cluster (`KubernetesOptions.statuses`). */
export const statusWriting =
  (engine: Engine, { count, ...options }: StatusWritingOptions) =>
  (source: StatusSource): StatusService =>
    new StatusService({
      ...options,
      ...source,
      store: engine.store,
      checkKeyPair: engine.platform.checkKeyPair,
      findingsAbout: (ref) => engine.leftOutAbout(ref),
      wrote: (kind) => count("status_writes_total", { kind }),
      failed: (kind, code) => count("status_write_failures_total", { kind, code: String(code) }),
    });
