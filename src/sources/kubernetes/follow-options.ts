import type { Raw, Transport } from "../../kubernetes/api.js";
import type { FailureCode } from "../../kubernetes/failures.js";
import type { Resource } from "../../kubernetes/resources.js";
import type { Ref } from "../../schema/meta.js";
import type { Store } from "../../store/store.js";
import type { Platform } from "../../update.js";
import type { Member } from "./clusters.js";

export interface KubeSourceOptions {
  readonly transport: Transport;
  /** The API server's URL, for messages. */
  readonly server: string;
  /** Its settings, which have to be there by then, say which kinds are followed. */
  readonly store: Store;
  /** Which of several clusters this is; the only one when it is left out. */
  readonly member?: Member;
  readonly platform: Platform;
  readonly acceptShrink: boolean;
  /** Read these alone; empty: all. */
  readonly namespaces: readonly string[];
  /** Whether the store is served before this cluster is known: then nothing of a new cluster is applied until all of it is read. */
  readonly served?: boolean;
  /** Called when objects or what was found wrong with them have changed; never before every kind is known. */
  changed(): void;
  /** An object as it came; undefined when it is gone. */
  observe?(ref: Ref, raw: Raw | undefined): void;
  /** Something about a kind failed. */
  failed?(kind: Resource["kind"], code: FailureCode): void;
  /** Objects whose status may be another one, as `Updated.judged` has them. */
  judged?(refs: Iterable<Ref>): void;
  log(line: string): void;
  now(): number;
  /** Resolves after so many ms, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
}
