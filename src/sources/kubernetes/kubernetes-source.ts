import type { Engine } from "../../engine/engine.js";
import { type FailureCode, failureOf, LocalError, publication } from "../../kubernetes/failures.js";
import type { ApiResource } from "../../kubernetes/resources.js";
import { type Log, logOf } from "../../log/log.js";
import type { Finding, Ref } from "../../schema/meta.js";
import type { Settings } from "../../schema/settings.js";
import { reportsStatus } from "../../status/write/writer.js";
import type { Source, SourceHealth } from "../source.js";
import { Clusters } from "./clusters.js";
import { Doorbell } from "./doorbell.js";
import {
  FollowedCluster,
  type ReachableCluster,
  type StatusSource,
  type StatusWriting,
} from "./followed-cluster.js";
import type { FollowRuntime } from "./follower-options.js";
import { Writers } from "./writers.js";

interface KubernetesOptions extends FollowRuntime {
  /** The Kubernetes clusters, in order of precedence. */
  readonly targets: readonly ReachableCluster[];
  /** They select the kinds and namespaces that are read. */
  readonly settings: Settings;
  /** Findings about the settings. */
  readonly findings: readonly Finding[];
  readonly acceptShrink: boolean;
  /** Poll at this interval in seconds and when rung, or only on `refresh`. Absent: watches stay open. */
  readonly pollSeconds?: number | "never";
  /** Changes within this time are published together; absent: at once. */
  readonly gatherMs?: number;
  /** Aborts requests in progress. */
  readonly abort?: AbortController;
  /** Creates the writer of a cluster's statuses; absent where none are written. */
  statuses?(source: StatusSource): StatusWriting;
  /** A request for a kind of a cluster failed. */
  failed(cluster: string, kind: ApiResource["kind"], code: FailureCode): void;
  readonly log: Log;
}

/**
 * How long each watch stays open; a new one then resumes at the last version. The end of a watch is the only sign of
 * life that every server gives: kinds without events may get no bookmarks, so that a silent watch looks like a dead
 * connection.
 */
const watchSeconds = 40;
/** How long the watches stay open after a ring. */
const ringSeconds = 2;

/** The objects of one Kubernetes cluster, or of several that are merged. */
export class KubernetesSource implements Source {
  readonly #abort: AbortController;
  readonly #clusters: Clusters;
  readonly #followed: readonly FollowedCluster[];
  readonly #served: boolean;
  readonly #doorbell: Doorbell;
  readonly #writers: Writers;
  readonly #announced = new Set<FollowedCluster>();
  #settled = false;
  #publishFailure = "";
  #running: Promise<unknown> | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly options: KubernetesOptions,
  ) {
    const { targets, settings, failed } = options;
    const { acceptShrink, statuses, log, now, sleep, random } = options;
    this.#abort = options.abort ?? new AbortController();
    this.#doorbell = new Doorbell({ answer: () => this.refresh(ringSeconds), now });
    this.#writers = new Writers(now);
    engine.attach(this);
    engine.put([settings]);
    this.#served = engine.wasPublished;
    this.#clusters = new Clusters(
      engine.store,
      targets.map(({ name }) => name),
    );
    this.#followed = targets.map(
      (target) =>
        new FollowedCluster({
          engine,
          target,
          clusters: this.#clusters,
          acceptShrink,
          namespaces: settings.spec.watchNamespaces,
          served: this.#served,
          ready: () => this.ready,
          changed: () => this.#changed(),
          failed: (kind, code) => failed(target.name, kind, code),
          ...(statuses ? { statuses } : {}),
          writers: this.#writers,
          ...{ log, now, sleep, random },
        }),
    );
    for (const { follower } of this.#followed) {
      if (engine.outdated) follower.relist();
      // The store keeps neither statuses nor the addresses of the Envoys, so both are read again.
      else if (statuses)
        follower.relist((resource) => reportsStatus(resource) || resource.kind === "Service");
    }
    engine.listen({
      ...(statuses ? { affected: (refs) => this.#touch(refs) } : {}),
      published: () => {
        this.#publishFailure = "";
        for (const { statuses: writing } of this.#followed) writing?.poke();
      },
      failed: (error) => this.#publicationFailed(error),
    });
  }

  #touch(refs: readonly Ref[]): void {
    for (const { statuses } of this.#followed) statuses?.touch(refs);
  }

  /** Whether all kinds of every cluster are known. */
  get complete(): boolean {
    return this.#followed.every(({ follower }) => follower.ready);
  }

  /** Whether every cluster has answered for every kind since the start. */
  get hasAnswered(): boolean {
    return this.#followed.every(({ follower }) => follower.hasAnswered);
  }

  /**
   * Whether a state can be published: all kinds of every cluster, or the state that was published before this start.
   */
  get ready(): boolean {
    return this.complete || this.engine.wasPublished;
  }

  get synced(): boolean {
    return this.#followed.every(({ follower }) => follower.synced);
  }

  /** The oldest time at which an API server last answered, in ms since the epoch. */
  get lastAnswerAt(): number {
    return Math.min(...this.#followed.map(({ lastAnswerAt: lookedAt }) => lookedAt));
  }

  /** The state of each cluster; the name is empty for a single one. */
  clusters() {
    return this.#followed.map(({ name, follower, statuses }) => ({
      cluster: name,
      stale: follower.stale,
      kinds: follower.status(),
      lookedAt: follower.lastGoodLook,
      ...(statuses ? { statuses: { failing: statuses.failing.length, pending: statuses.pending } } : {}),
    }));
  }

  /** The deletions of each cluster that wait for confirmation. */
  holds() {
    return this.#followed.map(({ name, follower }) => ({ cluster: name, source: follower }));
  }

  /**
   * Serves the state from before this start, which may be old, until the clusters answer. Follows the clusters until
   * `close`, unless `pollSeconds` is `never`.
   */
  start(): void {
    const { pollSeconds } = this.options;
    if (this.#served) this.engine.offer();
    if (pollSeconds === "never") return;
    const { signal } = this.#abort;
    if (this.#served) this.#announceStored();
    const following =
      pollSeconds === undefined
        ? this.#followed.map(({ follower }) => follower.run(watchSeconds, signal))
        : [this.#ringEvery(pollSeconds * 1000, signal)];
    this.#running = Promise.all([
      ...following,
      ...this.#followed.map(({ statuses }) => statuses?.run(signal)),
    ]);
  }

  #announceStored(): void {
    for (const { name } of this.#followed)
      logOf(this.options.log, name)(
        `serving the stored state until ${name ? "this" : "the"} cluster has answered for every kind`,
        "source-stored",
      );
  }

  /** Logs once for each cluster that its served state is no longer from before the start. */
  #announceLooked(): void {
    for (const cluster of this.#followed) {
      if (this.#announced.has(cluster) || !cluster.follower.hasAnswered) continue;
      this.#announced.add(cluster);
      logOf(this.options.log, cluster.name)("the cluster has answered for every kind", "source-back");
    }
  }

  async #ringEvery(ms: number, signal: AbortSignal): Promise<void> {
    const { sleep, random } = this.options;
    while (!signal.aborted) {
      this.ring();
      await sleep(ms * (0.95 + 0.1 * random()), signal);
    }
  }

  /** Notes the user of a write that a hook has reported. */
  wrote(ref: Ref, user: string): void {
    this.#writers.note(ref, user);
  }

  /** Polls the clusters soon. */
  ring(): void {
    this.#doorbell.ring();
  }

  /**
   * Catches up once with all clusters, and watches for `seconds` for changes that are on their way. Failures are
   * logged.
   */
  async refresh(seconds: number, signal = this.#abort.signal): Promise<void> {
    await Promise.all(this.#followed.map(({ follower }) => follower.refresh(seconds, signal)));
  }

  /**
   * Writes the statuses that are due now, for a runtime without lasting work (`pollSeconds: "never"`). `most` limits
   * the attempts of writes, of two requests each; resolves to their number.
   */
  async writeStatuses(most: number, signal: AbortSignal): Promise<number> {
    let tried = 0;
    for (const { statuses } of this.#followed) tried += (await statuses?.turn(most - tried, signal)) ?? 0;
    return tried;
  }

  /** The number of objects whose status has to be compared or written. */
  get statusesPending(): number {
    return this.#followed.reduce((sum, { statuses }) => sum + (statuses?.pending ?? 0), 0);
  }

  async resume(): Promise<boolean> {
    return (await this.engine.resume()) > 0;
  }

  #changed(): void {
    const { gatherMs } = this.options;
    if (!this.ready || this.#abort.signal.aborted) return;
    if (this.#running) this.#announceLooked();
    this.#settle();
    if (gatherMs === undefined) this.engine.offer();
    else this.engine.offerWithin(gatherMs);
  }

  /** Adapts a store to a change of the list of clusters, once all of them are known. */
  #settle(): void {
    if (this.#settled || !this.complete) return;
    this.engine.put(this.#clusters.settle());
    this.#settled = true;
  }

  /** A write that the store refused, such as on a full disk, is tried again. */
  #publicationFailed(error: unknown): void {
    const { code, message } = failureOf(publication, new LocalError(error), "");
    if (message !== this.#publishFailure)
      this.options.log(`${code}: ${message}; the last good state is served`, "publication-failed");
    this.#publishFailure = message;
  }

  get findings(): readonly Finding[] {
    return [
      ...this.options.findings,
      ...this.#followed.flatMap(({ findings }) => findings),
      ...this.#clusters.findings,
    ];
  }

  status(): readonly object[] {
    return this.#followed.map((cluster) => cluster.status());
  }

  health(): readonly SourceHealth[] {
    return this.#followed.map(({ name, follower }) => ({
      source: name || "kubernetes",
      lastSuccess: follower.lastGoodLook,
      failing: Object.values(follower.status()).some(({ state }) => state === "failing"),
    }));
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }
}
