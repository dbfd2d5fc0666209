import type { Store } from "../../store/store.js";

const cursor = "attempts";
const longestMs = 3_600_000;

/** How many processes in a row ended while they applied their input to the store. Always 0 for a store in memory. */
export const failedAttempts = (store: Pick<Store, "cursor">): number => Number(store.cursor(cursor) || 0);

/** Applies input between two notes in the store, so that the next process finds out if this one ends meanwhile. */
export function attempt<T>(store: Pick<Store, "cursor" | "setCursor">, work: () => T): T {
  store.setCursor(cursor, String(failedAttempts(store) + 1));
  try {
    return work();
  } finally {
    store.setCursor(cursor, "");
  }
}

/**
 * How long, in ms, the content of the store is served before input that may have ended the process is applied again.
 */
export const waitAfter = (attempts: number): number => Math.min(longestMs, 15_000 * 2 ** (attempts - 1));
