import type { DurableObjectStorage, Fetcher } from "@cloudflare/workers-types";
import type { Engine } from "../../engine/engine.js";
import type { Transport } from "../../kubernetes/api.js";
import { fetchTransport } from "../../kubernetes/fetch-transport.js";
import { bootstrapFindings } from "../../schema/bootstrap-settings.js";
import { parseSettings } from "../../schema/settings.js";
import type { AppOptions } from "../../server/app.js";
import { clusterSurface } from "../../server/cluster-surface.js";
import type { Metrics } from "../../server/metrics.js";
import { KubernetesSource } from "../../sources/kubernetes/kubernetes-source.js";

/** The access to the API server; a cluster is followed if `KUBE_SERVER` or `KUBE` is set. */
export interface ClusterEnv {
  /** A binding that reaches the API server, such as a VPC service. */
  readonly KUBE?: Fetcher;
  /** The URL of the API server. Without a binding it must have a publicly trusted certificate. */
  readonly KUBE_SERVER?: string;
  /** Bearer token of a service account with the printed role. */
  readonly KUBE_TOKEN?: string;
  /** Seconds between two polls without a ring. */
  readonly KUBE_POLL_SECONDS?: string;
  /** Settings as JSON, or Contour's configuration. */
  readonly ISOLINE_SETTINGS?: string;
}

export const hasCluster = ({ KUBE, KUBE_SERVER }: ClusterEnv): boolean =>
  KUBE !== undefined || KUBE_SERVER !== undefined;

const defaultPollSeconds = 60;
/** How long a poll watches for changes that are on their way. */
const lookSeconds = 2;
const betweenLooksMs = 1000;

interface WorkerClusterOptions {
  readonly env: ClusterEnv;
  readonly storage: DurableObjectStorage;
  readonly engine: Engine;
  readonly metrics: Metrics;
}

/** A Kubernetes cluster that is polled by alarm: at intervals, and soon after a hook rings. */
export class WorkerCluster {
  readonly source: KubernetesSource;
  #polledAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: WorkerClusterOptions) {
    const { env, engine, metrics } = options;
    const { settings, findings } = parseSettings(JSON.parse(env.ISOLINE_SETTINGS ?? "{}"));
    this.source = new KubernetesSource(engine, {
      targets: [{ name: "", transport: transportOf(env) }],
      settings,
      findings: [...findings, ...bootstrapFindings(settings)],
      acceptShrink: false,
      pollSeconds: "never",
      failed: (_, kind, code) => metrics.count("cluster_failures_total", { kind, code }),
      log: (line) => console.error(line),
      now: Date.now,
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      random: Math.random,
    });
    void this.#alarmAt(Date.now());
  }

  get surface(): Pick<AppOptions, "hooks" | "inspected" | "holds"> {
    const { engine } = this.options;
    const { source } = this;
    return clusterSurface(engine, source, {
      strict: false,
      ready: () => source.complete && engine.pending === 0,
      ring: () => void this.#alarmAt(Math.max(Date.now(), this.#polledAt + betweenLooksMs)),
    });
  }

  /** Moves the next poll to an earlier time, never to a later one. */
  async #alarmAt(at: number): Promise<void> {
    const { storage } = this.options;
    const set = await storage.getAlarm();
    if (set === null || set > at) await storage.setAlarm(at);
  }

  /** Polls once; the source logs a failure, and the next poll tries again. */
  async poll(): Promise<void> {
    this.#polledAt = Date.now();
    const { env, storage } = this.options;
    const seconds = Number(env.KUBE_POLL_SECONDS ?? defaultPollSeconds);
    const next = Number.isFinite(seconds) && seconds >= 1 ? seconds : defaultPollSeconds;
    await storage.setAlarm(this.#polledAt + Math.max(next, lookSeconds) * 1000);
    // Each request has a deadline of its own.
    await this.source.refresh(lookSeconds, new AbortController().signal);
  }
}

const serverOf = ({ KUBE_SERVER }: ClusterEnv): string => KUBE_SERVER ?? "https://kubernetes";

function transportOf(env: ClusterEnv): Transport & { readonly server: string } {
  const { KUBE, KUBE_TOKEN } = env;
  const server = serverOf(env);
  const ask = KUBE ? KUBE.fetch.bind(KUBE) : fetch;
  const token = KUBE_TOKEN ? { token: KUBE_TOKEN } : {};
  return { server, ...fetchTransport({ fetch: ask as unknown as typeof fetch, server, ...token }) };
}
