import type { Snapshot } from "../link/snapshot.js";
import type { Finding } from "../schema/meta.js";
import type { Engine } from "./engine.js";

/** The part of a server's status that its source provides. */
interface Reporting {
  /** Findings about the objects that the source has read, in addition to those of the store. */
  readonly findings: readonly Finding[];
  /** The parts of the source: files, Kubernetes clusters, or pushes. */
  status(): readonly object[];
  /** Adds the place of the object in the source to a finding of the store. */
  locate?(finding: Finding): object;
}

export interface StatusReport {
  readonly sources: readonly object[];
  readonly endpoints: Snapshot["mode"] | undefined;
  readonly findings: readonly object[];
}

/** The content of `/status` for a source and its compiled state. */
export const statusReport = (engine: Engine, source: Reporting): StatusReport => ({
  sources: source.status(),
  endpoints: engine.snapshot?.mode,
  findings: [
    ...source.findings,
    ...engine.storeFindings.map((finding) => source.locate?.(finding) ?? finding),
    ...engine.leftOut,
  ],
});
