import type { Context } from "hono";
import { digest, formatDigest } from "../schema/digest.js";
import type { Overview } from "../verdict/overview.js";
import { problem } from "./problem.js";
import type { Identity } from "./tokens.js";

interface LiveOptions {
  /**
   * `stream`: the response stays open for minutes and has a line for each change. `once`: the request is held until
   * there is a change, and gets one line. This is for platforms that bill the duration of an open response.
   */
  readonly mode: "stream" | "once";
  /** Milliseconds since the epoch. */
  now(): number;
}

/** The parameters of a request. */
interface Asked {
  readonly token: string;
  /** The digest of the overview that the client has. */
  readonly have: string;
  readonly mode: LiveOptions["mode"];
}

/** One line of the response. An empty line shows that the connection is alive. */
interface LiveLine {
  /** The digest of the overview without its time. The client sends it as `have` with its next request. */
  readonly digest: string;
  readonly overview: Overview;
}

const lookMs = 1000;
const quietMs = 15_000;
const longestMs: Readonly<Record<LiveOptions["mode"], number>> = { stream: 600_000, once: 25_000 };
/** The maximum number of open requests: of one token, and in total. */
const maxOfToken = 32;
const maxInAll = 256;

/** Answers requests that stay open to report changes. */
export class LiveRequests {
  readonly #open = new Map<() => void, string>();

  constructor(private readonly options: LiveOptions) {}

  /** The number of open requests. */
  get size(): number {
    return this.#open.size;
  }

  /** Ends all open requests, so that each client is authenticated again with its next request. */
  release(): void {
    for (const end of [...this.#open.keys()]) end();
  }

  /**
   * `GET /overview?live&have=DIGEST`: lines of JSON, one for each change of the overview; with `live=once` one line.
   */
  answer(c: Context, { id }: Identity, current: () => Overview): Response {
    const tokens = [...this.#open.values()];
    if (tokens.length >= maxInAll || tokens.filter((token) => token === id).length >= maxOfToken)
      return problem(c, 429, "too-many-live", "too many pages are open: this one asks at intervals", {
        headers: { "retry-after": "10" },
      });
    const mode = c.req.query("live") === "once" ? "once" : this.options.mode;
    return c.body(this.#stream({ token: id, have: c.req.query("have") ?? "", mode }, current), 200, {
      "content-type": "application/x-ndjson",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
  }

  #stream({ token, have, mode }: Asked, current: () => Overview): ReadableStream<Uint8Array> {
    const { now } = this.options;
    const encoder = new TextEncoder();
    const began = now();
    let known = have;
    let told = began;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let end: () => void = () => undefined;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        end = () => {
          clearTimeout(timer);
          if (this.#open.delete(end)) controller.close();
        };
        this.#open.set(end, token);
        const look = (): void => {
          const overview = current();
          const found = digestOf(overview);
          const at = now();
          if (found !== known) {
            known = found;
            told = at;
            const line: LiveLine = { digest: found, overview };
            controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
            if (mode === "once") {
              end();
              return;
            }
          } else if (at - told >= quietMs) {
            told = at;
            controller.enqueue(encoder.encode("\n"));
          }
          if (at - began >= longestMs[mode]) end();
          else timer = setTimeout(() => lookOrEnd(look, end), lookMs);
        };
        lookOrEnd(look, end);
      },
      cancel: () => {
        clearTimeout(timer);
        this.#open.delete(end);
      },
    });
  }
}

/** Runs `look`. If it fails, the response ends: the client's next request gets the error. */
function lookOrEnd(look: () => void, end: () => void): void {
  try {
    look();
  } catch {
    end();
  }
}

const digestOf = ({ now: _, ...overview }: Overview): string =>
  formatDigest(digest(JSON.stringify(overview)));
