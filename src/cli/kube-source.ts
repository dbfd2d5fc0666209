import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Clusters } from "../kubernetes/clusters.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { bootstrapFindings } from "../schema/bootstrap-settings.js";
import type { Finding } from "../schema/meta.js";
import type { AppOptions } from "../server/app.js";
import { clusterHooks } from "../server/cluster-hooks.js";
import { Doorbell } from "../server/doorbell.js";
import type { Hub } from "../server/hub.js";
import { Publisher } from "../server/publisher.js";
import type { Store } from "../store/store.js";
import { update } from "../update.js";
import { FollowedCluster } from "./followed-cluster.js";
import { type KubeTarget, withClusters } from "./kube-targets.js";
import { formatLocated } from "./objects.js";
import { readSettings } from "./settings-file.js";
import type { StatusOptions } from "./status-service.js";

/** Which clusters are followed, and how. */
export interface ClusterOptions {
  readonly targets: readonly KubeTarget[];
  readonly acceptShrink: boolean;
  /** Ask every so many seconds and when a hook rings, instead of keeping watches open. */
  readonly pollSeconds?: number;
  /** Write statuses back. */
  readonly status?: StatusOptions;
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

/** How long each watch stays open; then it is begun anew from where it was. */
const watchSeconds = 290;
/** How long a doorbell listens for what it rang for. */
const ringSeconds = 2;
/** Changes that come together are published together. */
const gatherMs = 5;

/** The objects of one cluster, or of several as one, as what is served. */
export class ClusterSource {
  readonly #abort = new AbortController();
  #clusters: Clusters | undefined;
  #followed: readonly FollowedCluster[] = [];
  #settled = false;
  #settingsFindings: readonly Finding[] = [];
  readonly #publisher: Publisher;
  readonly #doorbell = new Doorbell({ answer: () => this.#refresh(), now: Date.now });
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> | undefined;

  constructor(
    private readonly hub: Hub,
    private readonly store: Store,
    private readonly options: KubeServeOptions,
  ) {
    this.#publisher = new Publisher(store, hub, Date.now);
  }

  /** Whether all is known of every cluster: before that nothing may be published. */
  get #ready(): boolean {
    return this.#followed.length > 0 && this.#followed.every(({ source }) => source.ready);
  }

  get synced(): boolean {
    return this.#followed.every(({ source }) => source.synced);
  }

  get surface(): Pick<AppOptions, "hooks" | "inspected"> {
    const { strictAdmission: strict = false, pollSeconds } = this.options;
    return {
      inspected: {
        store: this.store,
        publisher: this.#publisher,
        platform: { checkKeyPair },
        clusters: () =>
          this.#followed.map(({ name, source, statuses }) => ({
            cluster: name,
            kinds: source.status(),
            ...(statuses ? { unwritten: statuses.failing.length } : {}),
          })),
      },
      hooks: clusterHooks({
        store: this.store,
        strict,
        ready: () => this.#ready,
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
          status: this.options.status,
          findings: () => this.#publisher.snapshot?.findings ?? [],
          ready: () => this.#ready,
          changed: () => this.#gather(),
          statusFailed: (kind, code) =>
            this.hub.metrics.count("status_write_failures_total", { kind, code: String(code) }),
          log: (line) => log(line),
        }),
      ),
    );
    this.#clusters = clusters;
    this.#followed = followed;
    if (this.options.outdated) for (const { source } of followed) source.listAnew();
    // Every kind has requests and pauses that end with the signal.
    setMaxListeners(0, this.#abort.signal);
    const { signal } = this.#abort;
    const following =
      pollSeconds === undefined
        ? followed.map(({ source }) => source.run(watchSeconds, signal))
        : [this.#ringEvery(pollSeconds * 1000, signal)];
    this.#running = Promise.all([...following, ...followed.map(({ statuses }) => statuses?.run(signal))]);
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
    if (!this.#ready) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#settle();
      this.#publisher.publish();
      for (const { statuses } of this.#followed) statuses?.poke();
    }, gatherMs);
  }

  /** A store that outlived a change of `--kube` is brought in line once all clusters are known. */
  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    update(this.store, this.#clusters?.settle() ?? [], { checkKeyPair });
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
    clearTimeout(this.#timer);
    this.#abort.abort();
    await this.#running;
  }
}
