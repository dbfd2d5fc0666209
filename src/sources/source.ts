import type { Feed } from "../engine/gate.js";
import type { Finding } from "../schema/meta.js";

/**
 * Where the objects of a server come from. A source puts changes into the engine that it was made with and says when they make a whole; it
 * publishes nothing by itself.
 */
export interface Source extends Feed {
  /** Begins to read. @throws Error where the source can't be read at all, as when a file is missing. */
  start(): void | Promise<void>;
  /** Whether the store has all that the source has now, as far as is known. */
  readonly synced: boolean;
  /** Findings about what was read, beside those about the store. */
  readonly findings: readonly Finding[];
  /** For `/status`: one object for each part of the source. */
  status(): readonly object[];
  /** A finding about the store with the place of its object in the source. */
  locate?(finding: Finding): object;
  /** Goes on with what is left, as much as the platform takes for one request. Returns whether anything could be done. */
  resume(): Promise<boolean>;
  close(): Promise<void>;
}
