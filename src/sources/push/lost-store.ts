import type { Publisher } from "../../engine/publisher.js";
import type { Finding } from "../../schema/meta.js";
import type { Store } from "../../store/store.js";
import { sourceNames } from "./source-state.js";

/** The cursor with what names the store in versions. */
export const originCursor = "origin";
const completeCursor = "complete";

/** Says which sources the store has, before they are published, so that an Envoy that has more of a store that was lost keeps it. */
export function tellPushed(store: Store, publisher: Publisher): void {
  let origin = store.cursor(originCursor);
  if (!origin) {
    origin = crypto.randomUUID().slice(0, 8);
    store.setCursor(originCursor, origin);
  }
  const isAll = store.cursor(completeCursor) === "1";
  publisher.setPushed({ origin, sources: sourceNames(store), isAll });
}

/** An admin says that all sources are pushed. Returns them, and how many more Envoys had. */
export function completeSources(
  store: Store,
  publisher: Publisher,
): { readonly sources: readonly string[]; readonly missing: number } {
  const missing = publisher.missingSources;
  store.setCursor(completeCursor, "1");
  tellPushed(store, publisher);
  return { sources: sourceNames(store), missing };
}

/** For the answer to a push. */
export function missingIn({ missingSources: missing }: Publisher): { readonly missing?: number } {
  return missing > 0 ? { missing } : {};
}

export function lostStore({ missingSources: missing }: Publisher): readonly Finding[] {
  if (missing === 0) return [];
  const message = `this server has lost its store: Envoys keep what they have until ${missing} more of its sources are pushed again, or until POST /sources?complete says that what is pushed is all`;
  return [{ about: "Source//", severity: "error", type: "SourceError", reason: "StoreLost", message }];
}
