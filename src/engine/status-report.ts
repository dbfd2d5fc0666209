import type { Snapshot } from "../link/snapshot.js";
import type { Finding } from "../schema/meta.js";
import type { Engine } from "./engine.js";

/** What a source adds to the status of a server. */
interface Reporting {
  /** Findings about what the source has read, beside those about the store. */
  readonly findings: readonly Finding[];
  /** What the source is made of: files, clusters, or what was pushed. */
  status(): readonly object[];
  /** A finding about the store with the place of its object in the source. */
  locate?(finding: Finding): object;
}

export interface StatusReport {
  readonly sources: readonly object[];
  readonly endpoints: Snapshot["mode"] | undefined;
  readonly findings: readonly object[];
}

/** What `/status` shows of a source and of what is made of it. */
export const statusReport = (engine: Engine, source: Reporting): StatusReport => ({
  sources: source.status(),
  endpoints: engine.snapshot?.mode,
  findings: [
    ...source.findings,
    ...engine.storeFindings.map((finding) => source.locate?.(finding) ?? finding),
    ...engine.leftOut,
  ],
});
