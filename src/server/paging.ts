import type { Context } from "hono";
import { problem } from "./problem.js";

const usualSize = 100;
const maxSize = 500;

interface Page<T> {
  readonly total: number;
  readonly items: readonly T[];
  /** The `after` of the next page. */
  readonly next?: number;
}

/**
 * The page of a list that `?after=N&limit=N` selects; `after` is the number of skipped items. An error response if a
 * value is not valid.
 */
export function pageOf<T>(c: Context, all: readonly T[], largest = maxSize): Page<T> | Response {
  const { after = "0", limit = String(Math.min(usualSize, largest)) } = c.req.query();
  const [start, size] = [Number(after), Number(limit)];
  if (!/^\d{1,9}$/.test(after)) return problem(c, 400, "bad-after", "after is a whole number");
  if (!/^\d{1,9}$/.test(limit) || size < 1 || size > largest)
    return problem(c, 400, "bad-limit", `limit is a number from 1 to ${largest}`);
  const items = all.slice(start, start + size);
  return { total: all.length, items, ...(start + size < all.length ? { next: start + size } : {}) };
}
