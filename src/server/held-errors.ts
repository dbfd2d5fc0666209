import { holdTime, timeoutHeader } from "./hold-time.js";
import { QuietLog } from "./quiet-log.js";
import { maxRequestBytes } from "./request.js";
import { platformTimers, type Timers } from "./timers.js";

export interface HeldErrorsOptions {
  /** Milliseconds since the epoch. */
  now(): number;
  log(line: string): void;
  /** In [0, 1). */
  random?(): number;
  timers?: Timers;
  /** Called for each error that finds no place. */
  overflowed?(): void;
}

/** Whose request an error answers. */
export interface ErrorFor {
  /** When the request came, in milliseconds since the epoch. */
  readonly since: number;
  /** The network that it came from. */
  readonly network: string;
  /** The token that it showed, where that is known. */
  readonly token?: { readonly id: string; readonly name: string };
  /** Its client is sent to another replica, and is to go there soon. */
  readonly soon?: boolean;
}

interface Held {
  readonly until: number;
  end(): void;
}

/** Errors that wait at a time: of one network without a known token, of all of them, of one known token, of all of them. */
const limits = { network: 1000, strangers: 4000, token: 4000, known: 8000 };
/** The least share of the time that a poll may be held. */
const leastShare = 0.6;
/** How long an error waits at most whose client is to go to another replica. */
const soonMs = 5000;
/** An end that is so long overdue does not come: a Worker forgets the requests of clients that went away. */
const overdueMs = 2000;

/** Who has places of their own. */
type Group = "strangers" | "known";

const groupOf = (token: ErrorFor["token"]): Group => (token ? "known" : "strangers");

const isPoll = (request: Request): boolean =>
  request.method === "POST" && /^[^?#]*\/\/[^/]*\/v3\/discovery:/.test(request.url);

/**
 * Keeps errors from Envoys for a while: Envoy takes no notice of Retry-After, and asks again 0.1 to 0.2 s after an error. An error goes out
 * when a poll without news would, at a random time between 60 and 100 % of what Envoy waits for an answer less two seconds. A client that
 * does not say how long it waits gets its error at once.
 *
 * Requests without a known token have places of their own: they can take none of those of Envoys with a token, and none of held polls.
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

  /** How many errors wait. */
  get size(): number {
    return this.#sizes.strangers + this.#sizes.known;
  }

  /** Resolves when the response may be sent: later where it is an error that answers a poll of an Envoy. The request's body is not kept. */
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
      this.#lines[group].say("full", "too many errors wait; further ones are answered at once");
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

  /** What an Envoy's own log does not have: it says "update failed" for every error. */
  async #answer(request: Request, response: Response, { network, token }: ErrorFor): Promise<void> {
    const from = [token?.name ? `the token ${token.name}` : "", network].filter(Boolean).join(" at ");
    if (!this.#lines[groupOf(token)].wants(`${from} ${response.status}`)) return;
    const { code, detail } = await problemIn(response.clone());
    const path = request.url.replace(/^[^?#]*(\/v3\/discovery:[a-z-]*).*$/, "$1");
    this.options.log(
      `a poll of ${path}${from ? ` from ${from}` : ""} gets ${response.status} ${code}: ${detail}`,
    );
  }

  /** Sends all that wait: what they were refused for may hold no longer. */
  release(): void {
    for (const all of this.#byHolder.values()) for (const { end } of all) end();
  }

  /** Sends all that wait, and keeps none from now on. */
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

/** Reads what is left of a body and drops it, so that it takes no memory meanwhile. Whether it is of a size that a poll may have. */
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
