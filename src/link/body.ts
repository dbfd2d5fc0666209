import { bytesOf } from "./fit.js";

/** The limit of a body. Envoy fails on a body of 32 MiB or more. */
export const maxBodyBytes = 24 * 1024 * 1024;

export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const chunkLength = 1 << 16;
/**
 * Bodies up to this length (UTF-16) are encoded once and kept. For longer ones only the texts are kept; each reader
 * encodes chunks.
 */
const keptLength = 1 << 20;

/** The body of an answer, made of texts that are in memory anyway. The texts of a large body are never joined. */
export class Body {
  /** The size in bytes. */
  readonly size: number;
  /** The whole body, if it is small. */
  readonly whole: Bytes | undefined;

  constructor(private readonly texts: () => Iterable<string>) {
    let length = 0;
    for (const text of texts()) length += text.length;
    this.whole = length <= keptLength ? encoder.encode([...texts()].join("")) : undefined;
    this.size = this.whole?.length ?? sizeOf(texts());
  }

  /** The usual size of a chunk. */
  get chunkBytes(): number {
    return Math.min(this.size, chunkLength);
  }

  /** The bytes in chunks of about 64 KiB; a chunk is larger when one text is longer. */
  *chunks(): Generator<Bytes, undefined> {
    if (this.whole) {
      for (let at = 0; at < this.size; at += chunkLength) yield this.whole.subarray(at, at + chunkLength);
      return;
    }
    let chunk = "";
    for (const text of this.texts()) {
      chunk += text;
      if (chunk.length < chunkLength) continue;
      yield encoder.encode(chunk);
      chunk = "";
    }
    if (chunk !== "") yield encoder.encode(chunk);
  }

  /** The chunks as a stream, encoded on demand: a slow reader occupies one chunk. */
  stream(): ReadableStream<Bytes> {
    const chunks = this.chunks();
    return new ReadableStream<Bytes>({
      pull(controller) {
        const { value } = chunks.next();
        if (value) controller.enqueue(value);
        else controller.close();
      },
    });
  }
}

function sizeOf(texts: Iterable<string>): number {
  let size = 0;
  for (const text of texts) size += bytesOf(text);
  return size;
}
