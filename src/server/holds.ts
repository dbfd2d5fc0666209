import type { Context } from "hono";
import { problem } from "./problem.js";

/** A cluster with what waits to be confirmed of it; without a name it is the only one. */
export interface FollowedHolds {
  readonly cluster: string;
  readonly source: {
    /** What waits, by kind. */
    holds(): readonly { readonly kind: string; readonly held: { readonly objects: number } }[];
    /** Objects that are deleted at once; undefined when nothing of the kind waits. */
    acceptShrink(kind: string): number | undefined;
  };
}

/**
 * `POST /accept-shrink?kind=KIND&cluster=NAME&expect=N`: deletions of a kind that are held are meant. With `expect` only
 * when so many are held, as what was looked at may be another thing by now.
 */
export function acceptShrink(c: Context, clusters: readonly FollowedHolds[]): Response {
  const { kind = "", cluster = "", expect } = c.req.query();
  const found = clusters.find((one) => one.cluster === cluster);
  if (!found) {
    const names = clusters.map((one) => one.cluster).join(", ");
    const detail = names ? `cluster is one of ${names}` : "the only cluster has no name; leave cluster out";
    return problem(c, 404, "no-cluster", detail);
  }
  const held = found.source.holds().find((one) => one.kind === kind)?.held.objects ?? 0;
  if (expect !== undefined && expect !== String(held))
    return problem(
      c,
      409,
      "hold-changed",
      `${held} deletions of ${kind || "no kind"} are held now; look at them again`,
    );
  const deleted = found.source.acceptShrink(kind);
  if (deleted === undefined)
    return problem(
      c,
      404,
      "nothing-held",
      "nothing of this kind waits to be confirmed; GET /status has what does",
    );
  return c.json({ kind, ...(cluster ? { cluster } : {}), deleted }, 200, { "cache-control": "no-store" });
}
