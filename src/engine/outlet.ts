import type { Snapshot } from "../link/snapshot.js";

/** What pushed configuration is made of. */
export interface Provenance {
  /** Names the store: eight hexadecimal digits, others for each store that is begun. */
  readonly origin: string;
  readonly sources: readonly string[];
  /** An admin has said that these are all the sources. */
  readonly isAll: boolean;
}

/** Serves to Envoys what is published. */
export interface Outlet {
  readonly metrics: {
    count(
      name: "publications_total" | "publish_seconds_total",
      labels?: Readonly<Record<string, string>>,
      by?: number,
    ): void;
  };
  /** Called with the name of a route table when an Envoy asks for a part of it. */
  partAsked: (table: string) => void;
  /** Serves a snapshot from now on, under versions that begin with `sequence`, which is higher than any before. */
  publish(snapshot: Snapshot, sequence: number): void;
  /** Takes note of what is pushed, before it is published. */
  setPushed(pushed: Provenance): void;
  /** How many sources Envoys have beyond those that were pushed since the store was lost. */
  readonly missingSources: number;
  log(line: string): void;
}
