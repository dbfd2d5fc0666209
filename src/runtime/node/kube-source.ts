import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Publisher } from "../../engine/publisher.js";
import { changedAbout } from "../../graph/core/judged.js";
import { failureOf, LocalError, publication } from "../../kubernetes/failures.js";
import type { KubeTarget } from "../../kubernetes/node/config.js";
import { checkKeyPair } from "../../platform/key-pair.js";
import { bootstrapFindings } from "../../schema/bootstrap-settings.js";
import { byObject, type Finding, type Ref } from "../../schema/meta.js";
import type { AppOptions } from "../../server/app.js";
import { clusterHooks } from "../../server/cluster-hooks.js";
import type { Hub } from "../../server/hub.js";
import { formatLocated } from "../../sources/files/objects.js";
import { readSettings } from "../../sources/files/settings-file.js";
import { Clusters } from "../../sources/kubernetes/clusters.js";
import { Doorbell } from "../../sources/kubernetes/doorbell.js";
import { withClusters } from "../../sources/kubernetes/with-clusters.js";
import type { StatusOptions } from "../../status/write/service.js";
import { reportsStatus } from "../../status/write/writer.js";
import type { Store } from "../../store/store.js";
import { update } from "../../update.js";
import { steadyNow } from "./clock.js";
import { FollowedCluster } from "./followed-cluster.js";

/** Which clusters are followed, and how. */
export interface ClusterOptions {
  readonly targets: readonly KubeTarget[];
  readonly acceptShrink: boolean;
  /** Ask every so many seconds and when a hook rings, instead of keeping watches open. */
  readonly pollSeconds?: number;
  /** Write statuses back. */
  readonly status?: StatusOptions;
  /** Without news of the API server for so long, what is served may be old. */
  readonly staleSeconds?: number;
  /** Other replicas, to which Envoys are sent then if they are up to date. */
  readonly peers?: readonly URL[];
  /** The admission webhook also denies what refers to something that is not there yet. */
  readonly strictAdmission?: boolean;
}

interface KubeServeOptions extends ClusterOptions {
  readonly settingsFile?: string;
  readonly overrides?: Readonly<Record<string, unknown>>;
  /** The store was filled by another version, which may have kept less of each object. */
  readonly outdated: boolean;
  log(line: string): void;
}

/**
 * How long each watch stays open; then it is begun anew from where it was. Its end is the sign of life that every server
 * gives: kinds without events may have no bookmarks, so that nothing else tells a silent watch from a dead connection.
 */
const watchSeconds = 40;
/** After a publication that failed, the next attempt comes this much later. */
const publishAgainMs = 5000;
/** How long a doorbell listens for what it rang for. */
const ringSeconds = 2;
/** Changes that come together are published together. */
const gatherMs = 5;

const clusterLabel = (cluster: string): Record<string, string> => (cluster ? { cluster } : {});

/** The objects of one cluster, or of several as one, as what is served. */
export class ClusterSource {
  readonly #abort = new AbortController();
  #clusters: Clusters | undefined;
  #followed: readonly FollowedCluster[] = [];
  #settled = false;
  readonly #told = new Set<FollowedCluster>();
  #leftOut: ReadonlyMap<Ref, readonly Finding[]> = new Map();
  #settingsFindings: readonly Finding[] = [];
  readonly #publisher: Publisher;
  readonly #doorbell = new Doorbell({ answer: () => this.#refresh(), now: steadyNow });
  #timer: NodeJS.Timeout | undefined;
  #publishFailure = "";
  #running: Promise<unknown> | undefined;

  constructor(
    private readonly hub: Hub,
    private readonly store: Store,
    private readonly options: KubeServeOptions,
  ) {
    this.#publisher = new Publisher(store, hub, Date.now);
    this.#publisher.waits = () => this.#followed.some(({ source }) => source.waits);
  }

  /** Whether all is known of every cluster. */
  get #complete(): boolean {
    return this.#followed.length > 0 && this.#followed.every(({ source }) => source.ready);
  }

  /** Whether there is something to publish: all of every cluster, or what was served before this start. */
  get #ready(): boolean {
    return this.#complete || (this.#followed.length > 0 && this.#publisher.wasPublished);
  }

  /** When the API server was last heard of that is silent longest, in ms since the epoch. */
  get lookedAt(): number {
    return Math.min(...this.#followed.map(({ lookedAt }) => lookedAt));
  }

  get synced(): boolean {
    return this.#followed.every(({ source }) => source.synced);
  }

  get surface(): Pick<AppOptions, "hooks" | "inspected" | "holds"> {
    const { strictAdmission: strict = false, pollSeconds } = this.options;
    return {
      inspected: {
        store: this.store,
        publisher: this.#publisher,
        platform: { checkKeyPair },
        clusters: () =>
          this.#followed.map(({ name, source, statuses }) => ({
            cluster: name,
            stale: source.stale,
            kinds: source.status(),
            lookedAt: source.lastGoodLook,
            ...(statuses
              ? { statuses: { failing: statuses.failing.length, pending: statuses.pending } }
              : {}),
          })),
      },
      holds: () => this.#followed.map(({ name, source }) => ({ cluster: name, source })),
      hooks: clusterHooks({
        store: this.store,
        strict,
        ready: () => this.#complete && this.#followed.every(({ source }) => source.looked),
        // With watches open, what a hook would tell is already on its way.
        ring: () => (pollSeconds === undefined ? undefined : this.#doorbell.ring()),
      }),
    };
  }

  /** @throws Error when a kubeconfig or the settings can't be read; a server out of reach is waited for. */
  async start(): Promise<void> {
    const { targets, acceptShrink, pollSeconds, settingsFile, overrides, log } = this.options;
    const read = readSettings(settingsFile, overrides);
    const { settings, findings } = withClusters(read.settings, targets);
    this.#settingsFindings = [...read.findings, ...findings, ...bootstrapFindings(settings)];
    for (const finding of this.#settingsFindings) log(formatLocated(read.locate(finding)));
    update(this.store, [settings], { checkKeyPair });
    const served = this.#publisher.wasPublished;
    const clusters = new Clusters(
      this.store,
      targets.map(({ name }) => name),
    );
    const followed = await Promise.all(
      targets.map((target) =>
        FollowedCluster.connect({
          target,
          clusters,
          store: this.store,
          acceptShrink,
          namespaces: settings.spec.watchNamespaces,
          served,
          status: this.options.status,
          findingsAbout: (ref) => this.#leftOut.get(ref) ?? [],
          ready: () => this.#ready,
          changed: () => this.#gather(),
          failed: (kind, code) =>
            this.hub.metrics.count("cluster_failures_total", { ...clusterLabel(target.name), kind, code }),
          judged: (refs) => this.#judged(refs),
          statusWritten: (kind) => this.hub.metrics.count("status_writes_total", { kind }),
          statusFailed: (kind, code) =>
            this.hub.metrics.count("status_write_failures_total", { kind, code: String(code) }),
          log: (line) => log(line),
        }),
      ),
    );
    this.#clusters = clusters;
    this.#followed = followed;
    for (const { source } of followed) {
      if (this.options.outdated) source.listAnew();
      // A store that outlived a process has no statuses, nor the addresses of the Envoys.
      else if (this.options.status)
        source.listAnew((resource) => reportsStatus(resource) || resource.kind === "Service");
    }
    if (served) this.#serveStored();
    // Every kind has requests and pauses that end with the signal.
    setMaxListeners(0, this.#abort.signal);
    const { signal } = this.#abort;
    const following =
      pollSeconds === undefined
        ? followed.map(({ source }) => source.run(watchSeconds, signal))
        : [this.#ringEvery(pollSeconds * 1000, signal)];
    this.#running = Promise.all([...following, ...followed.map(({ statuses }) => statuses?.run(signal))]);
  }

  /** Serves what was served before this start, which may be old, until the clusters answer. */
  #serveStored(): void {
    this.#publisher.publish();
    for (const { name } of this.#followed) {
      if (!name)
        this.options.log("serving what the store holds until the cluster has answered for every kind");
      else
        this.options.log(
          `${name}: serving what the store holds until this cluster has answered for every kind`,
        );
    }
  }

  /** Says once of each cluster that what is served of it is no longer from before the start. */
  #tellLooked(): void {
    for (const cluster of this.#followed) {
      if (this.#told.has(cluster) || !cluster.source.looked) continue;
      this.#told.add(cluster);
      this.options.log(`${cluster.name ? `${cluster.name}: ` : ""}the cluster has answered for every kind`);
    }
  }

  async #ringEvery(ms: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#doorbell.ring();
      await sleep(ms * (0.95 + 0.1 * Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }

  async #refresh(): Promise<void> {
    await Promise.all(this.#followed.map(({ source }) => source.refresh(ringSeconds, this.#abort.signal)));
  }

  #gather(): void {
    if (!this.#ready || this.#abort.signal.aborted) return;
    this.#tellLooked();
    this.#timer ??= setTimeout(() => this.#publish(), gatherMs);
  }

  /** What the store refuses, such as a sequence on a full disk, is tried again. */
  #publish(): void {
    this.#timer = undefined;
    try {
      this.#settle();
      this.#publisher.publish();
      this.#publishFailure = "";
    } catch (error) {
      const { code, message } = failureOf(publication, new LocalError(error), "");
      if (message !== this.#publishFailure)
        this.options.log(`${code}: ${message}; the last good state is served`);
      this.#publishFailure = message;
      this.#timer = setTimeout(() => this.#publish(), publishAgainMs);
      return;
    }
    this.#takeLeftOut(this.#publisher.snapshot?.findings ?? []);
    for (const { statuses } of this.#followed) statuses?.poke();
  }

  /** What the last publication left out is a finding of the objects that it came from. */
  #takeLeftOut(findings: readonly Finding[]): void {
    const before = [...this.#leftOut.values()].flat();
    this.#leftOut = byObject(findings);
    this.#judged(changedAbout(before, [...this.#leftOut.values()].flat()));
  }

  #judged(refs: Iterable<Ref>): void {
    const all = [...refs];
    for (const { statuses } of this.#followed) statuses?.touch(all);
  }

  /** A store that outlived a change of `--kube` is brought in line once all clusters are known. */
  #settle(): void {
    if (this.#settled || !this.#complete) return;
    this.#judged(update(this.store, this.#clusters?.settle() ?? [], { checkKeyPair }).judged);
    this.#settled = true;
  }

  status(): object {
    return {
      sources: this.#followed.map((cluster) => cluster.status()),
      endpoints: this.#publisher.snapshot?.mode,
      findings: [
        ...this.#settingsFindings,
        ...this.#followed.flatMap(({ findings }) => findings),
        ...(this.#clusters?.findings ?? []),
        ...this.#publisher.findings,
      ],
    };
  }

  async close(): Promise<void> {
    this.#abort.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }
}
