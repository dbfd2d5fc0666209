import { setTimeout as sleep } from "node:timers/promises";
import type { Raw } from "../../kubernetes/api.js";
import type { FailureCode } from "../../kubernetes/failures.js";
import { LastLook } from "../../kubernetes/last-look.js";
import type { KubeTarget } from "../../kubernetes/node/config.js";
import { kubeTransport } from "../../kubernetes/node/transport.js";
import { checkKeyPair } from "../../platform/key-pair.js";
import { type Finding, inCluster, type Ref } from "../../schema/meta.js";
import type { Clusters, Member } from "../../sources/kubernetes/clusters.js";
import { KubeSource } from "../../sources/kubernetes/followed-cluster.js";
import type { FailingStatus } from "../../status/write/failures.js";
import { type StatusOptions, StatusService } from "../../status/write/service.js";
import type { Store } from "../../store/store.js";
import { steadyNow } from "./clock.js";
import { replicaIdentity } from "./pod.js";

interface FollowOptions {
  readonly target: KubeTarget;
  readonly clusters: Clusters;
  readonly store: Store;
  readonly acceptShrink: boolean;
  readonly namespaces: readonly string[];
  /** Whether the store is served already. */
  readonly served: boolean;
  readonly status: StatusOptions | undefined;
  /** Findings about an object that its status has to tell of, beside those of the cluster and of the store. */
  findingsAbout(ref: Ref): readonly Finding[];
  /** Whether all clusters are known, so that a verdict can be passed. */
  ready(): boolean;
  changed(): void;
  /** Something about a kind failed. */
  failed(kind: string, code: FailureCode): void;
  /** Objects whose status may be another one, in whatever cluster. */
  judged(refs: Iterable<Ref>): void;
  /** A status was written. */
  statusWritten(kind: string): void;
  /** A status could not be written. */
  statusFailed(kind: string, code: number): void;
  log(line: string): void;
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

const named = ({ target: { name } }: FollowOptions, line: string): string =>
  name ? `${name}: ${line}` : line;

/** One cluster: its objects go to a store, and their statuses come back. */
export class FollowedCluster {
  /** @throws Error when the kubeconfig can't be read; a server out of reach is waited for. */
  static async connect(options: FollowOptions): Promise<FollowedCluster> {
    const transport = await kubeTransport(options.target, (line) => options.log(named(options, line)));
    return new FollowedCluster(options, options.clusters.of(options.target.name), transport);
  }

  readonly name: string;
  readonly source: KubeSource;
  readonly statuses: StatusService | undefined;
  readonly server: string;
  readonly #look = new LastLook(steadyNow);

  private constructor(
    options: FollowOptions,
    member: Member,
    transport: Awaited<ReturnType<typeof kubeTransport>>,
  ) {
    const { store, acceptShrink, namespaces, served, changed, status } = options;
    this.name = member.name;
    this.server = transport.server;
    const log = (line: string): void => options.log(named(options, line));
    this.source = new KubeSource({
      server: transport.server,
      transport: this.#look.over(transport),
      store,
      member,
      platform: { checkKeyPair },
      acceptShrink,
      namespaces,
      served,
      changed,
      ...(status
        ? {
            observe: (ref: Ref, raw: Raw | undefined) => this.statuses?.observe(ref, raw),
            judged: (refs: Iterable<Ref>) => options.judged(refs),
          }
        : {}),
      failed: (kind, code) => options.failed(kind, code),
      log,
      now: steadyNow,
      sleep: pause,
      random: Math.random,
    });
    this.statuses =
      status &&
      new StatusService({
        ...status,
        now: Date.now,
        steadyNow,
        sleep: pause,
        identity: replicaIdentity(),
        checkKeyPair,
        transport,
        store,
        ...(member.name ? { member } : {}),
        ready: () => options.ready() && this.source.looked,
        unread: (ref) => this.source.findingsAbout(ref),
        findingsAbout: (ref) => options.findingsAbout(ref),
        wrote: options.statusWritten,
        failed: options.statusFailed,
        log,
      });
  }

  /** When the API server was last heard of, in ms since the epoch: what no kind can be read from does not count. */
  get lookedAt(): number {
    const kinds = Object.values(this.source.status());
    const failing = kinds.map((kind) => (kind.state === "failing" ? kind.since : Number.POSITIVE_INFINITY));
    return Math.min(this.#look.at, Math.max(...failing));
  }

  /** Findings about what could not be read or written, by the names that objects of several clusters have. */
  get findings(): Finding[] {
    const { name } = this;
    const own = [...this.source.findings, ...(this.statuses?.failing ?? []).map(notWritten)];
    return name ? own.map((finding) => ({ ...finding, about: inCluster(finding.about, name) })) : own;
  }

  status(): object {
    const { server, source } = this;
    const { lastGoodLook } = source;
    return {
      name: this.name || "kubernetes",
      server,
      stale: source.stale,
      kinds: source.status(),
      ...(lastGoodLook === undefined ? {} : { lastGoodLook: new Date(lastGoodLook).toISOString() }),
    };
  }
}

const notWritten = ({ ref, reason }: FailingStatus): Finding => ({
  about: ref,
  severity: "warning",
  type: "StatusError",
  reason: "NotWritten",
  message: `its status can't be written: ${reason}`,
});
