import type { Raw, Transport } from "../../kubernetes/api.js";
import { LastAnswer } from "../../kubernetes/last-answer.js";
import { type Log, logOf } from "../../log/log.js";
import { type Finding, inCluster, type Ref } from "../../schema/meta.js";
import type { FailingStatus } from "../../status/write/failures.js";
import { ClusterFollower } from "./cluster-follower.js";
import type { Clusters, Member } from "./clusters.js";
import type { ClusterFollowerOptions } from "./follower-options.js";

/** A Kubernetes cluster with its transport; the name is empty for a single one. */
export interface ReachableCluster {
  readonly name: string;
  readonly transport: Transport & { readonly server: string };
}

/** Writes the statuses of a Kubernetes cluster's objects back to it. */
export interface StatusWriting {
  /** Records an object as it was read; undefined when it is deleted. */
  observe(ref: Ref, raw: Raw | undefined): void;
  /** Records objects whose statuses may have changed. */
  touch(refs: Iterable<Ref>): void;
  /** Checks at once whether this replica writes the statuses. */
  poke(): void;
  /** How many objects wait for their status to be compared or written. */
  readonly pending: number;
  readonly failing: readonly FailingStatus[];
  run(signal: AbortSignal): Promise<void>;
  /** In place of `run`: writes what is due now. `most` limits the attempts; resolves to their number. */
  turn(most: number, signal: AbortSignal): Promise<number>;
}

/** The input of a writer of statuses: one followed Kubernetes cluster. */
export interface StatusSource {
  readonly transport: Transport;
  /** Absent for a single cluster. */
  readonly member?: Member;
  /** Whether everything that a status depends on is known. */
  ready(): boolean;
  /** Why the current state of an object could not be read. */
  unread(ref: Ref): readonly Finding[];
  readonly log: Log;
}

interface FollowedOptions
  extends Omit<ClusterFollowerOptions, "server" | "transport" | "member" | "observe"> {
  readonly target: ReachableCluster;
  readonly clusters: Clusters;
  /** Whether all clusters are known, so that statuses can be determined. */
  ready(): boolean;
  statuses?(source: StatusSource): StatusWriting;
}

/** One followed Kubernetes cluster: its objects are put into an engine, and their statuses are written back. */
export class FollowedCluster {
  readonly name: string;
  readonly follower: ClusterFollower;
  readonly statuses: StatusWriting | undefined;
  readonly #server: string;
  readonly #lastAnswer: LastAnswer;

  constructor({ target, clusters, ready, statuses, ...options }: FollowedOptions) {
    const { transport, name } = target;
    const member = clusters.of(name);
    const log = logOf(options.log, name);
    this.name = name;
    this.#server = transport.server;
    this.#lastAnswer = new LastAnswer(options.now);
    this.follower = new ClusterFollower({
      ...options,
      server: transport.server,
      transport: this.#lastAnswer.over(transport),
      member,
      ...(statuses ? { observe: (ref, raw) => this.statuses?.observe(ref, raw) } : {}),
      log,
    });
    this.statuses = statuses?.({
      transport,
      ...(name ? { member } : {}),
      ready: () => ready() && this.follower.hasAnswered,
      unread: (ref) => this.follower.findingsAbout(ref),
      log,
    });
  }

  /**
   * When the API server last answered, in ms since the epoch. A kind that fails counts from the start of its failure.
   */
  get lastAnswerAt(): number {
    const kinds = Object.values(this.follower.status());
    const failing = kinds.map((kind) => (kind.state === "failing" ? kind.since : Number.POSITIVE_INFINITY));
    return Math.min(this.#lastAnswer.at, Math.max(...failing));
  }

  /**
   * Findings about objects that could not be read or written, under the refs that the store uses for objects of
   * several clusters.
   */
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
