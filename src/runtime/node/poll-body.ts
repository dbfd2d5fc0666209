import { gunzipSync } from "node:zlib";
import type { Http2Bindings, HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import { encodingOf, type KnownMiddles, notGzip, RequestError, tooLarge } from "../../server/request.js";

type Incoming = (HttpBindings | Http2Bindings)["incoming"] & { rawBody?: Buffer };

/**
 * Reads the body of a poll from the stream of Node, as `readBody` does from that of a web Request: to make and read
 * one takes more time than the rest of a poll.
 *
 * @throws RequestError as `readBody`.
 */
export async function readPollBody(c: Context, limit: number): Promise<Uint8Array> {
  const incoming = (c.env as HttpBindings | Http2Bindings).incoming as Incoming;
  const { headers } = incoming;
  const encoding = encodingOf(headers["content-encoding"], headers["content-length"], limit);
  try {
    const body = await collect(incoming, limit);
    return encoding === "gzip" ? unzip(body, limit) : body;
  } finally {
    // For whoever reads the web Request, such as the holder of an error: the body was read.
    incoming.rawBody = Buffer.alloc(0);
  }
}

function collect(incoming: Incoming, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (error?: Error): void => {
      incoming.off("data", onData).off("end", onEnd).off("error", end).off("close", onClose);
      if (error) reject(error);
      else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size));
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else {
        end(tooLarge(limit));
        incoming.pause();
      }
    };
    const onEnd = (): void => end();
    const onClose = (): void => end(new RequestError(400, "cut-off", "the body ended early"));
    if (incoming.destroyed) return onClose();
    incoming.on("data", onData).on("end", onEnd).on("error", end).on("close", onClose);
  });
}

function unzip(body: Buffer, limit: number): Buffer {
  try {
    return gunzipSync(body, { maxOutputLength: limit });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? tooLarge(limit) : notGzip();
  }
}

/** Limits: Envoys of one release and set of extensions share a description, of 77 KB. */
const maxMiddles = 4;
const maxTokens = 64;

/** The descriptions of Envoys that were checked, by the id of their token, so that no token displaces those of others. */
export class MiddlesByToken {
  readonly #byToken = new Map<string, Buffer[]>();

  of(token: string): KnownMiddles {
    return {
      has: (middle) => this.#byToken.get(token)?.some((known) => known.equals(middle)) ?? false,
      add: (middle) => this.#add(token, Buffer.from(middle)),
    };
  }

  #add(token: string, middle: Buffer): void {
    const known = this.#byToken.get(token) ?? [];
    this.#byToken.delete(token);
    this.#byToken.set(token, [...known.slice(1 - maxMiddles), middle]);
    for (const oldest of this.#byToken.keys())
      if (this.#byToken.size > maxTokens) this.#byToken.delete(oldest);
  }
}
