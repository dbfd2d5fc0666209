import type { Finding } from "../../schema/meta.js";

/** The result of a push. */
export interface Pushed {
  readonly source: string;
  readonly revision: number;
  /** The previous revision of the source; 0 for none. */
  readonly before: number;
  readonly objects: number;
  /**
   * Whether the published state differs from before; true while units are left to compile, since it is not known yet.
   */
  readonly changed: boolean;
  /** The sequence of the published state after the push. */
  readonly version: number;
  readonly findings: readonly Finding[];
  /** Units that are still to be compiled: until then nothing is published, and `findings` is incomplete. */
  readonly left?: number;
  /**
   * Number of sources that Envoys have and that were not pushed again since the store was lost. Until they are, these
   * Envoys keep their configuration.
   */
  readonly missing?: number;
  /** Of a dry run: the changes for traffic, one line each. */
  readonly traffic?: readonly string[];
}

/** The result of removing a source. */
export interface RemovedSource {
  readonly source: string;
  /** Number of objects that were deleted with it. */
  readonly objects: number;
  readonly changed: boolean;
  /** The sequence of the published state after it. */
  readonly version: number;
  /** Units that are still to be compiled: until then nothing is published. */
  readonly left?: number;
}

export const leftOf = (left: number): Pick<Pushed, "left"> => (left > 0 ? { left } : {});
