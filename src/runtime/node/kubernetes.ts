import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../../engine/engine.js";
import type { KubeTarget } from "../../kubernetes/node/config.js";
import { kubeTransport } from "../../kubernetes/node/transport.js";
import { type Log, logOf } from "../../log/log.js";
import { bootstrapFindings } from "../../schema/bootstrap-settings.js";
import type { Metrics } from "../../server/metrics.js";
import { placed } from "../../sources/files/objects.js";
import { readSettings } from "../../sources/files/settings-file.js";
import { KubernetesSource } from "../../sources/kubernetes/kubernetes-source.js";
import { type StatusWritingOptions, statusWriting } from "../../sources/kubernetes/status-writing.js";
import { withClusters } from "../../sources/kubernetes/with-clusters.js";
import type { StatusOptions } from "../../status/write/service.js";
import { steadyNow } from "./clock.js";
import { replicaIdentity } from "./pod.js";

/** The followed Kubernetes clusters, with options. */
export interface KubernetesOptions {
  readonly targets: readonly KubeTarget[];
  readonly acceptShrink: boolean;
  /** Poll at this interval in seconds and when a hook rings, instead of keeping watches open. */
  readonly pollSeconds?: number;
  /** Write statuses back. */
  readonly status?: StatusOptions;
  /** Without an answer of the API server for this time, the served state may be old. */
  readonly staleSeconds?: number;
  /** Other replicas, to which Envoys are then sent if they are up to date. */
  readonly peers?: readonly URL[];
  /** The admission webhook also denies objects with a reference to an object that does not exist yet. */
  readonly strictAdmission?: boolean;
}

interface KubeServeOptions extends KubernetesOptions {
  readonly settingsFile?: string;
  readonly overrides?: Readonly<Record<string, unknown>>;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Changes within this time are published together. */
const gatherMs = 5;

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

/**
 * Follows Kubernetes clusters. @throws Error when a kubeconfig or the settings can't be read. A server that can't be
 * reached is not an error here.
 */
export async function kubernetesSource(engine: Engine, options: KubeServeOptions): Promise<KubernetesSource> {
  const { targets, acceptShrink, pollSeconds, settingsFile, overrides, metrics, status, log } = options;
  const read = readSettings(settingsFile, overrides);
  const { settings, findings: own } = withClusters(read.settings, targets);
  const findings = [...read.findings, ...own, ...bootstrapFindings(settings)];
  const reached = targets.map(async (target) => {
    const { name } = target;
    return { name, transport: await kubeTransport(target, logOf(log, name)) };
  });
  const abort = new AbortController();
  // Each kind adds requests and pauses that end with the signal.
  setMaxListeners(0, abort.signal);
  return new KubernetesSource(engine, {
    targets: await Promise.all(reached),
    settings,
    findings: findings.map((finding) => placed(read.locate(finding))),
    acceptShrink,
    gatherMs,
    ...(pollSeconds === undefined ? {} : { pollSeconds }),
    ...(status ? { statuses: statusWriting(engine, writingOptions(status, metrics)) } : {}),
    failed: (cluster, kind, code) =>
      metrics.count("cluster_failures_total", { ...(cluster ? { cluster } : {}), kind, code }),
    abort,
    log,
    now: steadyNow,
    sleep: pause,
    random: Math.random,
  });
}

const writingOptions = (status: StatusOptions, metrics: Metrics): StatusWritingOptions => ({
  ...status,
  now: Date.now,
  steadyNow,
  sleep: pause,
  identity: replicaIdentity(),
  count: (name, labels) => metrics.count(name, labels),
});
