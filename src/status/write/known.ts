import type { KnownStatus } from "./parts.js";

/** What a writer knows about one object. */
export interface Known {
  /** The last status on the API server; undefined while uncertain. */
  held: KnownStatus | undefined;
  /** The digest of the last written status; a server that stores it in another form is not written to repeatedly. */
  written: string | undefined;
  /** Whether a read since then returned other parts. */
  isChanged: boolean;
  /** How often another writer changed the status, and when last: two writers must not overwrite each other endlessly. */
  contests: number;
  contestedAt: number;
}

export const unknown = (): Known => ({
  held: undefined,
  written: undefined,
  isChanged: false,
  contests: 0,
  contestedAt: 0,
});

const firstContestMs = 200;
/** The maximum delay before a status is restored that another writer changes repeatedly. */
const maxContestMs = 60_000;
/** After this time without another change, the count of a contest starts again. */
const contestMemoryMs = 600_000;

/** Counts a change by another writer. Returns the delay (ms) after which the status is restored. */
export function contest(known: Known, now: number): number {
  if (now - known.contestedAt > contestMemoryMs) known.contests = 0;
  known.contestedAt = now;
  return Math.min(firstContestMs * 2 ** known.contests++, maxContestMs);
}
