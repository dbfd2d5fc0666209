import type { Context } from "hono";
import { problem, uncached } from "./problem.js";

/** A Kubernetes cluster with its deletions that wait for confirmation; the name is empty for a single one. */
export interface FollowedHolds {
  readonly cluster: string;
  readonly source: {
    /** The held deletions, by kind. */
    holds(): readonly { readonly kind: string; readonly held: { readonly objects: number } }[];
    /** Returns how many objects are deleted at once; undefined when nothing of the kind waits. */
    acceptShrink(kind: string): number | undefined;
  };
}

/**
 * `POST /accept-shrink?kind=KIND&cluster=NAME&expect=N`: confirms the held deletions of a kind. With `expect`, only if
 * exactly that many are held, since they may have changed after they were shown.
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
      `${held} deletions of ${kind || "no kind"} are held now; check them again`,
    );
  const deleted = found.source.acceptShrink(kind);
  if (deleted === undefined)
    return problem(
      c,
      404,
      "nothing-held",
      "no deletions of this kind wait for confirmation; GET /status lists those that do",
    );
  return c.json({ kind, ...(cluster ? { cluster } : {}), deleted }, 200, uncached);
}
