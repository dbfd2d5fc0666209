import { maxNodes } from "../link/envoy-registry.js";
import type { Poll } from "../link/respond.js";
import type { XdsType } from "../link/snapshot.js";
import { envoyKey, subscriptionOf } from "./hub-poll.js";
import type { Timers } from "./timers.js";

export interface HeldPollsOptions {
  /** Milliseconds since the epoch. */
  now(): number;
  readonly timers: Timers;
  /** Maximum number of held polls for one token. */
  readonly maxHeld?: number | undefined;
  /** The same for all tokens: above `maxHeld`, so that a token can't use up the places of others. */
  readonly maxWaiters?: number | undefined;
  /** Called when the hold of a subscription's poll starts or ends. */
  holds(poll: Poll, holds: boolean): void;
  /** Called when a poll has waited to its end, or its client went away or polled again, with the time (ms) that it waited. */
  waited(poll: Poll, ms: number, isCut: boolean): void;
}

interface Waiter {
  readonly type: XdsType;
  /** The `envoyKey` of its Envoy. */
  readonly envoy: string;
  /** When the wait ends at the latest, in ms. */
  readonly until: number;
  end(how: Ended): void;
  /** Ends the wait because the client went away or polled again. */
  cut(how: Ended): void;
}

/** Why a wait ends: `again` by time or a change, `replaced` by a newer poll of the same subscription or a release, `gone` when the client went away. */
export type Ended = "again" | "replaced" | "gone";

const defaultMaxWaiters = 2 * maxNodes;
/**
 * A wait that is overdue by this time has no client any more: a Worker drops a request whose client went away together
 * with the timers of the request.
 */
const overdueMs = 2000;

/** The polls that wait for a change: at most one for each subscription, and a limited number. */
export class HeldPolls {
  /** By `subscriptionOf`. */
  readonly #waiters = new Map<string, Waiter>();
  /** By `envoyKey`. */
  readonly #waitersOf = new Map<string, Set<Waiter>>();
  /** Number of held polls, by the id of the token. */
  readonly #held = new Map<string, number>();
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: HeldPollsOptions) {}

  get size(): number {
    return this.#waiters.size;
  }

  /** Whose number of held polls is at its maximum; undefined if the poll may be held. */
  limitOf(poll: Poll): "token" | "server" | undefined {
    if (this.#waiters.has(subscriptionOf(poll))) return undefined;
    const limit = this.#fullFor(poll);
    if (!limit || this.options.now() - this.#sweptAt < overdueMs) return limit;
    this.forgetOverdue();
    return this.#fullFor(poll);
  }

  #fullFor({ token }: Poll): "token" | "server" | undefined {
    const { maxHeld = maxNodes, maxWaiters = defaultMaxWaiters } = this.options;
    if ((this.#held.get(token.id) ?? 0) >= maxHeld) return "token";
    return this.#waiters.size >= maxWaiters ? "server" : undefined;
  }

  /** Holds a poll for up to `ms`. `signal` is aborted when its client goes away. */
  wait(poll: Poll, ms: number, signal?: AbortSignal): Promise<Ended> {
    const { now, timers } = this.options;
    if (signal?.aborted) {
      this.options.holds(poll, false);
      return Promise.resolve("gone");
    }
    const key = subscriptionOf(poll);
    const since = now();
    return new Promise((resolve) => {
      const end = (how: Ended): void => {
        timers.clear(timer);
        signal?.removeEventListener("abort", gone);
        if (this.#waiters.get(key) === waiter) {
          this.#waiters.delete(key);
          // A poll that is evaluated again has no answer yet, so it still counts as held.
          if (how !== "again") this.options.holds(poll, false);
        }
        this.#index(waiter, false);
        this.#count(poll, -1);
        resolve(how);
      };
      const cut = (how: Ended): void => {
        end(how);
        this.options.waited(poll, now() - since, true);
      };
      const gone = (): void => cut("gone");
      const timer = timers.set(() => {
        this.options.waited(poll, now() - since, false);
        end("again");
      }, ms);
      const waiter: Waiter = { type: poll.type, envoy: envoyKey(poll), until: since + ms, end, cut };
      signal?.addEventListener("abort", gone);
      const older = this.#waiters.get(key);
      this.#waiters.set(key, waiter);
      this.options.holds(poll, true);
      this.#index(waiter, true);
      this.#count(poll, 1);
      older?.cut("replaced");
    });
  }

  /** Evaluates the polls of these types again. */
  wake(types: readonly XdsType[]): void {
    for (const { type, end } of [...this.#waiters.values()]) if (types.includes(type)) end("again");
  }

  /** The same for the polls of one Envoy. */
  wakeEnvoy(poll: Poll, types: readonly XdsType[]): void {
    for (const { type, end } of [...(this.#waitersOf.get(envoyKey(poll)) ?? [])])
      if (types.includes(type)) end("again");
  }

  /** Answers all polls as if their time were over. */
  release(): void {
    for (const { end } of [...this.#waiters.values()]) end("replaced");
  }

  /** Releases the polls of each Envoy together, after the delay (ms) that `delayOf` returns for it, while `still` holds. */
  releaseLater(delayOf: () => number, still: () => boolean): void {
    const delays = new Map<string, number>();
    for (const [key, waiter] of this.#waiters) {
      const delay = delays.get(waiter.envoy) ?? delayOf();
      delays.set(waiter.envoy, delay);
      this.options.timers.set(() => {
        if (still() && this.#waiters.get(key) === waiter) waiter.end("replaced");
      }, delay);
    }
  }

  /** Removes the polls whose time was over some seconds ago: their clients went away unnoticed. */
  forgetOverdue(): void {
    const now = this.options.now();
    this.#sweptAt = now;
    for (const { until, end } of [...this.#waiters.values()]) if (now - until > overdueMs) end("gone");
  }

  #count({ token }: Poll, change: 1 | -1): void {
    const held = (this.#held.get(token.id) ?? 0) + change;
    if (held > 0) this.#held.set(token.id, held);
    else this.#held.delete(token.id);
  }

  #index(waiter: Waiter, waits: boolean): void {
    const { envoy } = waiter;
    const waiters = this.#waitersOf.get(envoy) ?? new Set();
    if (waits) waiters.add(waiter);
    else waiters.delete(waiter);
    if (waiters.size > 0) this.#waitersOf.set(envoy, waiters);
    else this.#waitersOf.delete(envoy);
  }
}
