import type { Raw, Transport } from "../../kubernetes/api.js";
import { LastLook } from "../../kubernetes/last-look.js";
import { type Finding, inCluster, type Ref } from "../../schema/meta.js";
import type { FailingStatus } from "../../status/write/failures.js";
import { ClusterFollower } from "./cluster-follower.js";
import type { Clusters, Member } from "./clusters.js";
import type { ClusterFollowerOptions } from "./follower-options.js";

/** A cluster that can be reached; its name is empty when it is the only one. */
export interface ReachableCluster {
  readonly name: string;
  readonly transport: Transport & { readonly server: string };
}

/** Writes the statuses of a cluster's objects back to it. */
export interface StatusWriting {
  /** Takes note of an object as it was read; undefined when it is gone. */
  observe(ref: Ref, raw: Raw | undefined): void;
  /** Takes note that statuses may be others. */
  touch(refs: Iterable<Ref>): void;
  /** Looks at once whether this replica writes. */
  poke(): void;
  /** How many objects wait for their status to be compared or written. */
  readonly pending: number;
  readonly failing: readonly FailingStatus[];
  run(signal: AbortSignal): Promise<void>;
}

/** What is known of a cluster to whoever writes its statuses. */
export interface StatusSource {
  readonly transport: Transport;
  /** Absent for the only cluster. */
  readonly member?: Member;
  /** Whether all is known that a status says. */
  ready(): boolean;
  /** Why an object could not be read as it is now. */
  unread(ref: Ref): readonly Finding[];
  log(line: string): void;
}

interface FollowedOptions
  extends Omit<ClusterFollowerOptions, "server" | "transport" | "member" | "observe"> {
  readonly target: ReachableCluster;
  readonly clusters: Clusters;
  /** Whether all clusters are known, so that a verdict can be passed. */
  ready(): boolean;
  statuses?(source: StatusSource): StatusWriting;
}

/** One cluster: its objects go to an engine, and their statuses come back. */
export class FollowedCluster {
  readonly name: string;
  readonly follower: ClusterFollower;
  readonly statuses: StatusWriting | undefined;
  readonly #server: string;
  readonly #look: LastLook;

  constructor({ target, clusters, ready, statuses, ...options }: FollowedOptions) {
    const { transport, name } = target;
    const member = clusters.of(name);
    const log = (line: string): void => options.log(name ? `${name}: ${line}` : line);
    this.name = name;
    this.#server = transport.server;
    this.#look = new LastLook(options.now);
    this.follower = new ClusterFollower({
      ...options,
      server: transport.server,
      transport: this.#look.over(transport),
      member,
      ...(statuses ? { observe: (ref, raw) => this.statuses?.observe(ref, raw) } : {}),
      log,
    });
    this.statuses = statuses?.({
      transport,
      ...(name ? { member } : {}),
      ready: () => ready() && this.follower.looked,
      unread: (ref) => this.follower.findingsAbout(ref),
      log,
    });
  }

  /** When the API server was last heard of, in ms since the epoch: what no kind can be read from does not count. */
  get lookedAt(): number {
    const kinds = Object.values(this.follower.status());
    const failing = kinds.map((kind) => (kind.state === "failing" ? kind.since : Number.POSITIVE_INFINITY));
    return Math.min(this.#look.at, Math.max(...failing));
  }

  /** Findings about what could not be read or written, by the names that objects of several clusters have. */
  get findings(): Finding[] {
    const { name } = this;
    const own = [...this.follower.findings, ...(this.statuses?.failing ?? []).map(notWritten)];
    return name ? own.map((finding) => ({ ...finding, about: inCluster(finding.about, name) })) : own;
  }

  status(): object {
    const { follower } = this;
    const { lastGoodLook } = follower;
    return {
      name: this.name || "kubernetes",
      server: this.#server,
      stale: follower.stale,
      kinds: follower.status(),
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
