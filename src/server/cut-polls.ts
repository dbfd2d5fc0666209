import type { Poll } from "../link/respond.js";
import type { Log } from "../log/log.js";
import { subscriptionOf } from "./hub-poll.js";

/** A token whose polls are held for a shorter time, because they are cut. */
export interface ShortenedHold {
  /** The name of the token; empty without one. */
  readonly token: string;
  /** The time (ms) after which polls are cut. */
  readonly cutMs: number;
  /** The time (ms) for which they are held. */
  readonly holdMs: number;
  /** When that was found, in ms. */
  readonly since: number;
}

interface Sign {
  /** The time (ms) after which the subscription's polls were cut. */
  readonly ms: number;
  readonly at: number;
  /** The number of cuts after this time, one after the other. */
  readonly times: number;
}

/** A shorter wait ends by itself: an Envoy that was started again, or two with one node id. */
const leastMs = 1000;
/** Times that differ by this share, or by `nearMs`, are equal. */
const nearShare = 0.05;
const nearMs = 500;
/** The cuts of one subscription that are a rule: a restart of an Envoy or of a proxy cuts a poll at any time. */
const enough = 3;
/** The part of the time up to a cut for which polls are held. */
const share = 0.8;
/** A shortened hold ends after this time: what cuts may have been changed. */
const keptMs = 60 * 60_000;
/** Maximum number of subscriptions with a cut that are remembered. */
const maxSigns = 4096;

const isNear = (a: number, b: number): boolean =>
  Math.abs(a - b) <= Math.max(nearMs, nearShare * Math.max(a, b));

/**
 * Finds polls that are cut after a steady time, such as by a proxy with a timeout: Envoy reports an error and polls
 * again. The polls of their token are then held for a shorter time.
 */
export class CutPolls {
  /** By `subscriptionOf`. */
  readonly #signs = new Map<string, Sign>();
  /** By the id of the token. */
  readonly #shortened = new Map<string, ShortenedHold>();

  constructor(private readonly log: Log) {}

  /** The longest hold (ms) for polls of a token; undefined: there is no limit. */
  limitOf(token: string, now: number): number | undefined {
    const found = this.#shortened.get(token);
    if (found && now - found.since < keptMs) return found.holdMs;
    this.#shortened.delete(token);
    return undefined;
  }

  shortened(now: number): readonly ShortenedHold[] {
    return [...this.#shortened.values()].filter(({ since }) => now - since < keptMs);
  }

  /** An Envoy that has nothing was started again: its earlier polls ended with it. */
  started(poll: Poll): void {
    this.#signs.delete(subscriptionOf(poll));
  }

  /** Records that a poll waited for `ms`, to its end or until it was cut. */
  waited(poll: Poll, ms: number, isCut: boolean, now: number): void {
    const key = subscriptionOf(poll);
    const sign = this.#signs.get(key);
    if (!isCut) {
      if (sign && ms > sign.ms && !isNear(ms, sign.ms)) this.#signs.delete(key);
      return;
    }
    if (ms < leastMs || (!sign && !this.#hasRoom(now))) return;
    const isSteady = sign !== undefined && now - sign.at < keptMs && isNear(ms, sign.ms);
    const times = isSteady ? sign.times + 1 : 1;
    this.#signs.set(key, { ms, at: now, times });
    if (times >= enough) this.#shorten(poll, ms, now);
  }

  #hasRoom(now: number): boolean {
    if (this.#signs.size < maxSigns) return true;
    for (const [key, { at }] of this.#signs) if (now - at >= keptMs) this.#signs.delete(key);
    return this.#signs.size < maxSigns;
  }

  #shorten({ token }: Poll, cutMs: number, now: number): void {
    const limit = this.limitOf(token.id, now);
    const holdMs = Math.max(leastMs, Math.floor(cutMs * share));
    if (limit !== undefined && limit <= holdMs) return;
    this.#shortened.set(token.id, { token: token.name, cutMs, holdMs, since: now });
    this.log(
      `polls${token.name ? ` with the token ${token.name}` : ""} are cut after ${seconds(cutMs)} s by something between Envoy and this server: for an hour they are held for ${seconds(holdMs)} s; raise the timeout of the proxy, or lower the setting polls.hold`,
      "holds-shortened",
      { token: token.name, cutSeconds: cutMs / 1000, holdSeconds: holdMs / 1000 },
    );
  }
}

/** Seconds as text, with one decimal. */
export const seconds = (ms: number): string => String(Math.round(ms / 100) / 10);
