import type { Engine } from "../../engine/engine.js";
import type { Raw, Transport } from "../../kubernetes/api.js";
import type { FailureCode } from "../../kubernetes/failures.js";
import type { ApiResource } from "../../kubernetes/resources.js";
import type { Ref } from "../../schema/meta.js";
import type { Member } from "./clusters.js";

/** What a runtime has for following clusters. */
export interface FollowRuntime {
  /** Milliseconds since the epoch, by a clock that is never set where there is one. */
  now(): number;
  /** Resolves after so many ms, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
}

export interface ClusterFollowerOptions extends FollowRuntime {
  readonly transport: Transport;
  /** The API server's URL, for messages. */
  readonly server: string;
  /** The settings of its store, which have to be there by then, say which kinds are followed. */
  readonly engine: Engine;
  /** Which of several clusters this is; the only one when it is left out. */
  readonly member?: Member;
  readonly acceptShrink: boolean;
  /** Read these alone; empty: all. */
  readonly namespaces: readonly string[];
  /** Whether the store is served before this cluster is known: then nothing of a new cluster is applied until all of it is read. */
  readonly served?: boolean;
  /** Called when objects or what was found wrong with them have changed, and make a whole; never before every kind is known. */
  changed(): void;
  /** An object as it came; undefined when it is gone. */
  observe?(ref: Ref, raw: Raw | undefined): void;
  /** Something about a kind failed. */
  failed?(kind: ApiResource["kind"], code: FailureCode): void;
  log(line: string): void;
}
