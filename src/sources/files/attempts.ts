import type { Store } from "../../store/store.js";

const cursor = "attempts";
const longestMs = 3_600_000;

/** How often in a row a process has ended while it applied its input to the store, where that outlives processes. */
export const failedAttempts = (store: Pick<Store, "cursor">): number => Number(store.cursor(cursor) || 0);

/** Applies input with a note in the store, so that a process that ends meanwhile is known to the next one. */
export function attempt<T>(store: Pick<Store, "cursor" | "setCursor">, work: () => T): T {
  store.setCursor(cursor, String(failedAttempts(store) + 1));
  try {
    return work();
  } finally {
    store.setCursor(cursor, "");
  }
}

/** How long to serve what the store holds before input that may have ended the process is applied again, in ms. */
export const waitAfter = (attempts: number): number => Math.min(longestMs, 15_000 * 2 ** (attempts - 1));
