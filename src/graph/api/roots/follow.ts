import type { ObjectMeta, Ref } from "../../../schema/meta.js";
import type { Reader, Report } from "../../core/reader.js";
import { includeProblem, nameIn } from "./included-by.js";

/** The maximum number of objects on the way from a root to an included (or delegated) object. */
const maxDepth = 64;

/** An object that includes others, or is included. */
interface Part {
  readonly ref: Ref;
  readonly meta: ObjectMeta;
  /** Only a root has its own host. */
  readonly spec: { readonly virtualhost?: object | undefined };
}

/** The result of following an include (or delegation). */
export type Followed<T> =
  | { readonly kind: "target"; readonly target: T }
  | { readonly kind: "missing" }
  | { readonly kind: "root" }
  | { readonly kind: "forbidden"; readonly why: string }
  /**
   * The target would close a cycle, or is too far from the root. `names` lists the objects on the way and the target.
   */
  | { readonly kind: "end"; readonly target: T; readonly isCycle: boolean; readonly names: string };

/**
 * Follows an include to `target`, which may be missing. `chain` has the objects on the way: the root first, the
 * including object last.
 */
export function follow<T extends Part>(
  target: T | undefined,
  chain: readonly Ref[],
  reader: Reader,
  report: Report,
): Followed<T> {
  if (!target) return { kind: "missing" };
  if (target.spec.virtualhost) return { kind: "root" };
  const why = includeProblem(target, chain, reader, report);
  if (why) return { kind: "forbidden", why };
  const isCycle = chain.includes(target.ref);
  if (!isCycle && chain.length < maxDepth) return { kind: "target", target };
  return { kind: "end", target, isCycle, names: [...chain, target.ref].map(nameIn).join(" -> ") };
}
