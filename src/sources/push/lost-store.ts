import type { Engine } from "../../engine/engine.js";
import type { Finding } from "../../schema/meta.js";
import { sourceNames } from "./state.js";

/** The cursor with what names the store in versions. */
export const originCursor = "origin";
const completeCursor = "complete";

/** Says which sources the store has, before they are published, so that an Envoy that has more of a store that was lost keeps it. */
export function reportPushed({ store, outlet }: Engine): void {
  let origin = store.cursor(originCursor);
  if (!origin) {
    origin = crypto.randomUUID().slice(0, 8);
    store.setCursor(originCursor, origin);
  }
  const isAll = store.cursor(completeCursor) === "1";
  outlet.setPushed({ origin, sources: sourceNames(store), isAll });
}

/** An admin says that all sources are pushed. Returns them, and how many more Envoys had. */
export function completeSources(engine: Engine): {
  readonly sources: readonly string[];
  readonly missing: number;
} {
  const { store, outlet } = engine;
  const missing = outlet.missingSources;
  store.setCursor(completeCursor, "1");
  reportPushed(engine);
  return { sources: sourceNames(store), missing };
}

/** For the answer to a push. */
export function missingIn({ outlet }: Engine): { readonly missing?: number } {
  const { missingSources: missing } = outlet;
  return missing > 0 ? { missing } : {};
}

export function lostStore({ outlet }: Engine): readonly Finding[] {
  const { missingSources: missing } = outlet;
  if (missing === 0) return [];
  const message = `this server has lost its store: Envoys keep what they have until ${missing} more of its sources are pushed again, or until POST /sources?complete says that what is pushed is all`;
  return [{ about: "Source//", severity: "error", type: "SourceError", reason: "StoreLost", message }];
}
