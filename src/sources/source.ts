import type { Feed } from "../engine/gate.js";
import type { Finding } from "../schema/meta.js";

/** A part of a source: the files, a Kubernetes cluster, or a pushed source. */
export interface SourceHealth {
  readonly source: string;
  /** When it was last read or pushed without an error, in ms since the epoch; undefined before the first time. */
  readonly lastSuccess: number | undefined;
  /** Whether it can't be read at the moment, so that its last good state is served. */
  readonly failing: boolean;
}

/**
 * The origin of a server's objects. A source puts changes into its engine and reports when they are consistent; it
 * publishes nothing by itself.
 */
export interface Source extends Feed {
  /** Begins to read. @throws Error where the source can't be read at all, such as a missing file. */
  start(): void | Promise<void>;
  /** Whether the store has all current objects of the source, as far as is known. */
  readonly synced: boolean;
  /** Findings of reading, in addition to those of the store. */
  readonly findings: readonly Finding[];
  /** For `/status`: one object for each part of the source. */
  status(): readonly object[];
  /** Whether each part of the source can be read, for `/metrics`. */
  health(): readonly SourceHealth[];
  /** Adds the place of its object in the source to a finding of the store. */
  locate?(finding: Finding): object;
  /**
   * Continues remaining work, as much as the platform allows within one request. Returns whether anything could be
   * done.
   */
  resume(): Promise<boolean>;
  close(): Promise<void>;
}
