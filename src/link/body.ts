import { bytesOf } from "./fit.js";

/** Envoy gives up on a body of 32 MiB and more. */
export const maxBodyBytes = 24 * 1024 * 1024;

export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const chunkLength = 1 << 16;
/** What is encoded once and kept for all who ask, in UTF-16; of more, only the texts are, and each reader has its own chunks. */
const keptLength = 1 << 20;

/** The body of an answer, made of texts that are in memory anyway: those of a large one are never joined. */
export class Body {
  /** In bytes. */
  readonly size: number;
  /** All of it, where it is small. */
  readonly whole: Bytes | undefined;

  constructor(private readonly texts: () => Iterable<string>) {
    let length = 0;
    for (const text of texts()) length += text.length;
    this.whole = length <= keptLength ? encoder.encode([...texts()].join("")) : undefined;
    this.size = this.whole?.length ?? sizeOf(texts());
  }

  /** Its bytes in order: some 64 KiB at a time, and more only where one text is longer. */
  *chunks(): Generator<Bytes, undefined> {
    if (this.whole) {
      yield this.whole;
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

  /** The chunks as they are asked for: a slow reader holds one of them. */
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
