import type { Store } from "../store/store.js";
import { type Change, type Platform, type Updated, update } from "../update.js";

/** Reverts the changes. */
export type Undo = () => void;

/**
 * Applies changes that can be reverted. The cost depends on the changes, not on the size of the store. All units are
 * compiled at once.
 */
export function tryChanges(
  store: Store,
  changes: readonly Change[],
  { checkKeyPair }: Platform,
): { readonly updated: Updated; readonly undo: Undo } {
  const before = changes.map((change): Change => {
    const ref = "gone" in change ? change.gone : change.ref;
    return store.object(ref) ?? { gone: ref };
  });
  const updated = update(store, changes, { checkKeyPair });
  return { updated, undo: () => void update(store, before, { checkKeyPair }) };
}
