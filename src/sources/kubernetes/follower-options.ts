import type { Engine } from "../../engine/engine.js";
import type { Raw, Transport } from "../../kubernetes/api.js";
import type { FailureCode } from "../../kubernetes/failures.js";
import type { ApiResource } from "../../kubernetes/resources.js";
import type { Log } from "../../log/log.js";
import type { Ref } from "../../schema/meta.js";
import type { Member } from "./clusters.js";
import type { Writers } from "./writers.js";

/** Clock, timer and random numbers of a runtime, for following clusters. */
export interface FollowRuntime {
  /** Milliseconds since the epoch, from a monotonic clock where the runtime has one. */
  now(): number;
  /** Resolves after `ms`, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
}

export interface ClusterFollowerOptions extends FollowRuntime {
  readonly transport: Transport;
  /** The API server's URL, for messages. */
  readonly server: string;
  /** Its store must already hold the settings: they determine which kinds are followed. */
  readonly engine: Engine;
  /** The member of several clusters; absent for a single one. */
  readonly member?: Member;
  readonly acceptShrink: boolean;
  /** Only these are read; empty: all. */
  readonly namespaces: readonly string[];
  /**
   * Whether the store is served before this cluster is known. Objects of a new cluster are then applied only when all
   * of them are read.
   */
  readonly served?: boolean;
  /** Called when objects or their findings have changed and are consistent; never before every kind is known. */
  changed(): void;
  /** An object as it was received; undefined when it is deleted. */
  observe?(ref: Ref, raw: Raw | undefined): void;
  /** A request for a kind failed. */
  failed?(kind: ApiResource["kind"], code: FailureCode): void;
  /** Who writes objects, for the history. */
  readonly writers?: Writers;
  readonly log: Log;
}
