import type { Finding } from "../../schema/meta.js";

/** What came of a push. */
export interface Pushed {
  readonly source: string;
  readonly revision: number;
  /** The revision of the source before; 0 for none. */
  readonly before: number;
  readonly objects: number;
  /** Whether what is served differs from before; true as long as units are left, as that is not known yet. */
  readonly changed: boolean;
  /** The sequence of what is served after it. */
  readonly version: number;
  readonly findings: readonly Finding[];
  /** What is still to be done: until then nothing is published, and `findings` is not all. */
  readonly left?: number;
  /** Sources that Envoys have and that were not pushed again since the store was lost: until they are, these Envoys keep what they have. */
  readonly missing?: number;
  /** Of a dry run: what would change for traffic, a line each. */
  readonly traffic?: readonly string[];
}

/** A source that was taken away. */
export interface RemovedSource {
  readonly source: string;
  /** How many went with it. */
  readonly objects: number;
  readonly changed: boolean;
  /** The sequence of what is served after it. */
  readonly version: number;
  /** Units that are still to be compiled: until then nothing is published. */
  readonly left?: number;
}

export const leftOf = (left: number): Pick<Pushed, "left"> => (left > 0 ? { left } : {});
