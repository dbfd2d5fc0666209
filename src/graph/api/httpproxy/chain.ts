import type { Ref } from "../../../schema/meta.js";

/** The maximum number of objects from a root to an included (or delegated) object. */
const maxDepth = 64;

/** `NAMESPACE/NAME`. */
export const nameIn = (ref: Ref): string => ref.slice(ref.indexOf("/") + 1);

/**
 * Why a chain of includes, the root first, may not continue to an object: it would become circular, or is too long.
 * `names` lists the chain and the object.
 */
export function chainEnd(
  chain: readonly Ref[],
  ref: Ref,
): { readonly isCycle: boolean; readonly names: string } | undefined {
  const isCycle = chain.includes(ref);
  if (!isCycle && chain.length < maxDepth) return undefined;
  return { isCycle, names: [...chain, ref].map(nameIn).join(" -> ") };
}
