import { z } from "zod";
import { durationMs, finiteDuration } from "./duration.js";

/** The longest hold of a poll. */
const maxHoldMs = 300_000;
/** The least difference between a hold and Envoy's timeout: the answer must arrive before the timeout. */
const marginMs = 5000;

const between = (least: number, most: number) =>
  finiteDuration.refine((text) => durationMs(text) >= least && durationMs(text) <= most, {
    error: `must be from ${least / 1000}s to ${most / 1000}s`,
  });

/** How long the polls of Envoys are held without a change, and Envoy's timeout for them. */
export const polls = z
  .object({
    hold: between(1000, maxHoldMs).prefault("25s"),
    /** Absent: the hold and the margin. */
    timeout: between(1000 + marginMs, 2 * maxHoldMs).optional(),
  })
  .prefault({});

type Polls = z.output<typeof polls>;

/** Times in ms. */
export interface PollTimes {
  readonly holdMs: number;
  readonly timeoutMs: number;
}

export const defaultPollTimes: PollTimes = { holdMs: 25_000, timeoutMs: 30_000 };

/** The times of the setting; the defaults for a store of a version without it. */
export function pollTimes(setting: Polls | undefined): PollTimes {
  if (!setting) return defaultPollTimes;
  const holdMs = durationMs(setting.hold);
  return { holdMs, timeoutMs: setting.timeout ? durationMs(setting.timeout) : holdMs + marginMs };
}

/** Why the times do not fit together; undefined if they do. */
export function pollsProblem(setting: Polls): string | undefined {
  const { holdMs, timeoutMs } = pollTimes(setting);
  return timeoutMs - holdMs >= marginMs
    ? undefined
    : `must be at least ${marginMs / 1000}s longer than polls.hold (${setting.hold}): an Envoy whose timeout ends first gets no answer, and polls again at once`;
}
