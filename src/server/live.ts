import type { Context } from "hono";
import { digest, formatDigest } from "../schema/digest.js";
import type { Overview } from "../verdict/overview.js";
import { problem } from "./problem.js";
import type { Identity } from "./tokens.js";

interface LiveOptions {
  /**
   * `stream`: a request gets a line for each change, for minutes. `once`: it is held until there is a change, and gets one line; for platforms
   * where a long answer costs as much as what it waits for.
   */
  readonly mode: "stream" | "once";
  /** Milliseconds since the epoch. */
  now(): number;
}

/** What a request asks for. */
interface Asked {
  readonly token: string;
  /** The digest of what the client has. */
  readonly have: string;
  readonly mode: LiveOptions["mode"];
}

/** One line of the answer; an empty line says that the connection lives. */
interface LiveLine {
  /** Of the overview without its time; the client sends it as `have` with its next request. */
  readonly digest: string;
  readonly overview: Overview;
}

const lookMs = 1000;
const quietMs = 15_000;
const longestMs: Readonly<Record<LiveOptions["mode"], number>> = { stream: 600_000, once: 25_000 };
/** Requests that are open at a time: of one token, and in all. */
const maxOfToken = 32;
const maxInAll = 256;

/** Answers requests that stay open to be told of changes. */
export class LiveRequests {
  readonly #open = new Map<() => void, string>();

  constructor(private readonly options: LiveOptions) {}

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Ends all: who asks is settled anew with the next request. */
  release(): void {
    for (const end of [...this.#open.keys()]) end();
  }

  /** `GET /overview?live&have=DIGEST`: lines of JSON, each when the overview is another one than before; of `live=once` one line. */
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

/** A look that fails ends the answer: the client asks again, and is answered with the error. */
function lookOrEnd(look: () => void, end: () => void): void {
  try {
    look();
  } catch {
    end();
  }
}

const digestOf = ({ now: _, ...overview }: Overview): string =>
  formatDigest(digest(JSON.stringify(overview)));
