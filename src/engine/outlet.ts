import type { Snapshot } from "../link/snapshot.js";
import type { Log } from "../log/log.js";

/** The origin of pushed configuration. */
export interface Provenance {
  /** Identifies the store: eight hexadecimal digits, different for each new store. */
  readonly origin: string;
  readonly sources: readonly string[];
  /** An administrator has declared the list of sources complete. */
  readonly isAll: boolean;
}

/** Serves publications to Envoys. */
export interface Outlet {
  readonly metrics: {
    count(name: "publications_total"): void;
    observe(name: "compile_seconds" | "publish_seconds", seconds: number): void;
  };
  /** Called with the name of a route table when an Envoy requests a part of it. */
  partAsked: (table: string) => void;
  /**
   * Starts to serve a snapshot, under versions that begin with `sequence`, which must be higher than all before.
   * `ageMs`: the time since the first change in it.
   */
  publish(snapshot: Snapshot, sequence: number, ageMs: number): void;
  /** Records the pushed sources, before they are published. */
  setPushed(pushed: Provenance): void;
  /** The number of sources that Envoys still have and that were not pushed again since the store was lost. */
  readonly missingSources: number;
  readonly log: Log;
}
