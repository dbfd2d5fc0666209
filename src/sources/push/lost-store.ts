import type { Engine } from "../../engine/engine.js";
import type { Finding } from "../../schema/meta.js";
import { sourceNames } from "./state.js";

/** The cursor with the identity of the store, which versions contain. */
export const originCursor = "origin";
const completeCursor = "complete";

/**
 * Reports the sources of the store before they are published, so that an Envoy that has more sources of a lost store
 * keeps them.
 */
export function reportPushed({ store, outlet }: Engine): void {
  let origin = store.cursor(originCursor);
  if (!origin) {
    origin = crypto.randomUUID().slice(0, 8);
    store.setCursor(originCursor, origin);
  }
  const isAll = store.cursor(completeCursor) === "1";
  outlet.setPushed({ origin, sources: sourceNames(store), isAll });
}

/**
 * Records an administrator's statement that all sources are pushed. Returns them, and how many more sources Envoys
 * had.
 */
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
  const message = `this server has lost its store: Envoys keep their configuration until ${missing} more sources are pushed again, or until POST /sources?complete confirms that all are pushed`;
  return [{ about: "Source//", severity: "error", type: "SourceError", reason: "StoreLost", message }];
}
