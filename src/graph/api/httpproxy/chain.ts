import type { Ref } from "../../../schema/meta.js";

/** Objects from a root to one that it includes (or delegates to) at most. */
const maxDepth = 64;

/** `NAMESPACE/NAME`. */
export const nameIn = (ref: Ref): string => ref.slice(ref.indexOf("/") + 1);

/**
 * Why a chain of includes, the root first, ends before an object: it would close a circle, or is too long. `names` are those of the
 * chain and the object.
 */
export function chainEnd(
  chain: readonly Ref[],
  ref: Ref,
): { readonly isCycle: boolean; readonly names: string } | undefined {
  const isCycle = chain.includes(ref);
  if (!isCycle && chain.length < maxDepth) return undefined;
  return { isCycle, names: [...chain, ref].map(nameIn).join(" -> ") };
}
