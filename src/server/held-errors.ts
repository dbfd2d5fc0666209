import type { Log } from "../log/log.js";
import { holdTime, timeoutHeader } from "./hold-time.js";
import { QuietLog } from "./quiet-log.js";
import { maxRequestBytes } from "./request.js";
import { platformTimers, type Timers } from "./timers.js";

export interface HeldErrorsOptions {
  /** Milliseconds since the epoch. */
  now(): number;
  readonly log: Log;
  /** In [0, 1). */
  random?(): number;
  timers?: Timers;
  /** Called for each error that could not be held. */
  overflowed?(): void;
}

/** The request that an error answers. */
export interface ErrorFor {
  /** When the request arrived, in milliseconds since the epoch. */
  readonly since: number;
  /** The network of its client. */
  readonly network: string;
  /** Its token, if known. */
  readonly token?: { readonly id: string; readonly name: string };
  /** Its client is sent to another replica, and should go there soon. */
  readonly soon?: boolean;
}

interface Held {
  readonly until: number;
  end(): void;
}

/**
 * Maximum number of held errors: of one network without a known token, of all such networks, of one known token, of
 * all known tokens.
 */
const limits = { network: 1000, strangers: 4000, token: 4000, known: 8000 };
/** The smallest fraction of the hold time of a poll after which an error is sent. */
const leastShare = 0.6;
/** Longest hold of an error whose client is sent to another replica. */
const soonMs = 5000;
/** An error this long overdue was never released: a Worker drops requests of clients that have gone away. */
const overdueMs = 2000;

/** Each group has its own limits. */
type Group = "strangers" | "known";

const groupOf = (token: ErrorFor["token"]): Group => (token ? "known" : "strangers");

const isPoll = (request: Request): boolean =>
  request.method === "POST" && /^[^?#]*\/\/[^/]*\/v3\/discovery:/.test(request.url);

/**
 * Delays errors to Envoys: Envoy ignores Retry-After, and repeats a request 0.1 to 0.2 s after an error. An error is
 * sent when a poll without changes would be answered: at a random time between 60 and 100 % of Envoy's timeout less
 * two seconds. A client that states no timeout gets its error at once.
 *
 * Requests without a known token have limits of their own: they can use neither the places of Envoys with a token nor
 * those of held polls.
 */
export class HeldErrors {
  readonly #byHolder = new Map<string, Set<Held>>();
  readonly #sizes = { strangers: 0, known: 0 };
  readonly #timers: Timers;
  readonly #lines: Readonly<Record<Group, QuietLog>>;
  #closed = false;

  constructor(private readonly options: HeldErrorsOptions) {
    this.#timers = options.timers ?? platformTimers;
    const { log, now } = options;
    this.#lines = { strangers: new QuietLog(log, now), known: new QuietLog(log, now) };
  }

  /** Number of held errors. */
  get size(): number {
    return this.#sizes.strangers + this.#sizes.known;
  }

  /**
   * Resolves when the response may be sent: later if it is an error in answer to an Envoy's poll. The body of the
   * request is not kept.
   */
  async hold(request: Request, response: Response, who: ErrorFor): Promise<void> {
    if (response.status < 400 || !isPoll(request)) return;
    const longest = who.soon ? soonMs : Number.POSITIVE_INFINITY;
    const holdMs = Math.min(holdTime(request.headers.get(timeoutHeader) ?? undefined), longest);
    if (holdMs <= 0 || request.signal.aborted) return;
    await this.#answer(request, response, who);
    const { now, random = Math.random } = this.options;
    const until = who.since + holdMs * (leastShare + (1 - leastShare) * random());
    const left = until - now();
    if (left > 0 && !this.#closed) await this.#wait(request, until, left, who);
  }

  async #wait(request: Request, until: number, ms: number, { network, token }: ErrorFor): Promise<void> {
    const group = groupOf(token);
    const holder = token ? `token ${token.id}` : `network ${network}`;
    if (!this.#hasPlace(group, holder)) {
      this.options.overflowed?.();
      this.#lines[group].logOnce(
        "full",
        "too many errors are held; further ones are sent at once",
        "poll-failed",
      );
      return;
    }
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const held: Held = { until, end };
    this.#add(group, holder, held);
    const timer = this.#timers.set(end, ms);
    request.signal.addEventListener("abort", end);
    void discardBody(request).then((whole) => whole || end());
    await ended;
    this.#timers.clear(timer);
    request.signal.removeEventListener("abort", end);
    this.#remove(group, holder, held);
  }

  #hasPlace(group: Group, holder: string): boolean {
    const most = group === "known" ? limits.token : limits.network;
    const isFull = (): boolean =>
      this.#sizes[group] >= limits[group] || (this.#byHolder.get(holder)?.size ?? 0) >= most;
    if (isFull()) this.#forgetOverdue();
    return !isFull();
  }

  #forgetOverdue(): void {
    const before = this.options.now() - overdueMs;
    for (const [holder, all] of this.#byHolder)
      for (const held of all)
        if (held.until < before)
          this.#remove(holder.startsWith("token ") ? "known" : "strangers", holder, held);
  }

  #add(group: Group, holder: string, held: Held): void {
    const all = this.#byHolder.get(holder) ?? new Set();
    this.#byHolder.set(holder, all.add(held));
    this.#sizes[group]++;
  }

  #remove(group: Group, holder: string, held: Held): void {
    const all = this.#byHolder.get(holder);
    if (!all?.delete(held)) return;
    this.#sizes[group]--;
    if (all.size === 0) this.#byHolder.delete(holder);
  }

  /** Logs the cause: Envoy's own log only has "update failed" for every error. */
  async #answer(request: Request, response: Response, { network, token }: ErrorFor): Promise<void> {
    const from = [token?.name ? `the token ${token.name}` : "", network].filter(Boolean).join(" at ");
    if (!this.#lines[groupOf(token)].admits(`${from} ${response.status}`)) return;
    const { code, detail } = await problemIn(response.clone());
    const path = request.url.replace(/^[^?#]*(\/v3\/discovery:[a-z-]*).*$/, "$1");
    this.options.log(
      `a poll of ${path}${from ? ` from ${from}` : ""} gets ${response.status} ${code}: ${detail}`,
      "poll-failed",
      { path, from, status: response.status, code },
    );
  }

  /** Sends all held errors: their cause may be gone. */
  release(): void {
    for (const all of this.#byHolder.values()) for (const { end } of all) end();
  }

  /** Sends all held errors, and holds none from now on. */
  close(): void {
    this.#closed = true;
    this.release();
  }
}

async function problemIn(response: Response): Promise<{ code: string; detail: string }> {
  const text = await response.text();
  try {
    const { code, detail } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return { code: String(code), detail: String(detail) };
  } catch {
    return { code: "error", detail: "an error without details" };
  }
}

/**
 * Reads and drops the rest of a body, so that it uses no memory during the hold. Returns whether its size is permitted
 * for a poll.
 */
async function discardBody(request: Request): Promise<boolean> {
  if (request.bodyUsed || !request.body) return true;
  const reader = request.body.getReader();
  try {
    for (let size = 0; size <= maxRequestBytes; ) {
      const { done, value } = await reader.read();
      if (done) return true;
      size += value.length;
    }
    return false;
  } catch {
    return false;
  }
}
