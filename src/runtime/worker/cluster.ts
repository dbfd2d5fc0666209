import type { DurableObjectStorage } from "@cloudflare/workers-types";
import type { Engine } from "../../engine/engine.js";
import type { Transport } from "../../kubernetes/api.js";
import { type FetchTransportOptions, fetchTransport } from "../../kubernetes/fetch-transport.js";
import type { Log } from "../../log/log.js";
import { bootstrapFindings } from "../../schema/bootstrap-settings.js";
import { parseSettings } from "../../schema/settings.js";
import type { AppOptions } from "../../server/app.js";
import { clusterSurface } from "../../server/cluster-surface.js";
import type { Metrics } from "../../server/metrics.js";
import type { StatusSource } from "../../sources/kubernetes/followed-cluster.js";
import { KubernetesSource } from "../../sources/kubernetes/kubernetes-source.js";
import { statusWriting } from "../../sources/kubernetes/status-writing.js";
import { type ClusterEnv, type ClusterPlan, clusterPlan } from "./cluster-env.js";

/** How long a poll watches for changes that arrive shortly after it starts. */
const lookSeconds = 2;
const betweenLooksMs = 1000;

interface WorkerClusterOptions {
  readonly env: ClusterEnv;
  readonly storage: DurableObjectStorage;
  readonly engine: Engine;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Resolves after this many ms, or when the signal is aborted. */
const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });

/**
 * A Kubernetes cluster that is polled by alarm: at intervals, and soon after a hook rings. Its statuses are written
 * during the alarm, a limited number in each; the next alarm continues.
 */
export class WorkerCluster {
  readonly source: KubernetesSource;
  readonly #plan: ClusterPlan;
  #polledAt = Number.NEGATIVE_INFINITY;
  /** When the next poll is due, in ms since the epoch. */
  #pollAt = 0;
  /** Whether an alarm is in progress. */
  #works = false;
  /** The remaining attempts of status writes in this alarm. */
  #left = 0;
  #writing: Promise<void> | undefined;
  /** Never aborted: each request has a deadline of its own. */
  #signal = new AbortController().signal;

  constructor(private readonly options: WorkerClusterOptions) {
    const { env, engine, metrics, log } = options;
    const { settings, findings } = parseSettings(JSON.parse(env.ISOLINE_SETTINGS ?? "{}"));
    this.#plan = clusterPlan(env, log);
    this.source = new KubernetesSource(engine, {
      targets: [{ name: "", transport: transportOf(env) }],
      settings,
      findings: [...findings, ...bootstrapFindings(settings)],
      acceptShrink: false,
      pollSeconds: "never",
      ...(this.#plan.status ? { statuses: this.#statuses(this.#plan.status) } : {}),
      failed: (_, kind, code) => metrics.count("cluster_failures_total", { kind, code }),
      log,
      now: Date.now,
      sleep,
      random: Math.random,
    });
    engine.listen({ published: () => this.#statusesDue() });
    void this.#alarmAt(Date.now());
  }

  #statuses({ envoyService, manager }: NonNullable<ClusterPlan["status"]>) {
    const { engine, metrics } = this.options;
    const make = statusWriting(engine, {
      envoyService,
      manager,
      now: Date.now,
      steadyNow: Date.now,
      sleep,
      // A Durable Object is a single instance, so no Lease is needed.
      identity: "",
      count: (name, labels) => metrics.count(name, labels),
      due: () => this.#statusesDue(),
    });
    // Between two slices of a compilation, the findings in the store match neither the old nor the new state.
    return (source: StatusSource) => make({ ...source, ready: () => source.ready() && engine.pending === 0 });
  }

  get surface(): Pick<AppOptions, "hooks" | "inspected" | "holds"> {
    const { engine } = this.options;
    const { source } = this;
    return clusterSurface(engine, source, {
      strict: false,
      ready: () => source.complete && engine.pending === 0,
      ring: () => this.#ring(),
    });
  }

  #ring(): void {
    this.#pollAt = Math.min(this.#pollAt, Math.max(Date.now(), this.#polledAt + betweenLooksMs));
    void this.#alarmAt(this.#pollAt);
  }

  /** Moves the next alarm to an earlier time, never to a later one. */
  async #alarmAt(at: number): Promise<void> {
    const { storage } = this.options;
    const set = await storage.getAlarm();
    if (set === null || set > at) await storage.setAlarm(at);
  }

  /**
   * Called by the alarm: polls once if a poll is due, and writes statuses during the poll and after it. The source logs
   * a failure, and the next poll tries again.
   */
  async work(): Promise<void> {
    this.#works = true;
    this.#signal = new AbortController().signal;
    this.#left = this.#plan.status?.perAlarm ?? 0;
    try {
      if (Date.now() >= this.#pollAt) await this.#poll();
      await this.#writing;
      await this.#write();
    } finally {
      this.#works = false;
    }
    await this.#alarmAt(this.source.statusesPending > 0 && this.#left === 0 ? Date.now() : this.#pollAt);
  }

  async #poll(): Promise<void> {
    const { storage } = this.options;
    this.#polledAt = Date.now();
    this.#pollAt = this.#polledAt + this.#plan.pollSeconds * 1000;
    await storage.setAlarm(this.#pollAt);
    await this.source.refresh(lookSeconds, this.#signal);
  }

  #statusesDue(): void {
    if (!this.#plan.status) return;
    if (this.#works) void this.#write();
    else void this.#alarmAt(Date.now());
  }

  async #turn(): Promise<void> {
    this.#left -= await this.source.writeStatuses(this.#left, this.#signal);
  }

  /** Runs one turn at a time. A turn also writes the statuses that become due during the turn. */
  #write(): Promise<void> {
    if (this.#left === 0) return Promise.resolve();
    this.#writing ??= this.#turn().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }
}

const serverOf = ({ KUBE_SERVER }: ClusterEnv): string => KUBE_SERVER ?? "https://kubernetes";

function transportOf(env: ClusterEnv): Transport & { readonly server: string } {
  const { KUBE, KUBE_TOKEN } = env;
  const server = serverOf(env);
  const ask: FetchTransportOptions["fetch"] = (url, init) =>
    KUBE ? KUBE.fetch(new Request(url, init)) : fetch(url, init);
  const token = KUBE_TOKEN ? { token: KUBE_TOKEN } : {};
  return { server, ...fetchTransport({ fetch: ask, server, ...token }) };
}
