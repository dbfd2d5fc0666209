/** Envoy gives up on a body of 32 MiB and more. */
export const maxBodyBytes = 24 * 1024 * 1024;

const encoder = new TextEncoder();
const chunkLength = 1 << 16;

/**
 * Encodes texts into one array: in chunks that stay in the cache, as the text of a whole answer would have to be copied
 * together first.
 */
export class Body {
  #bytes: Uint8Array<ArrayBuffer>;
  #size = 0;
  #chunk = "";

  /** `length` is that of all texts in UTF-16; with nothing but ASCII it is their size. */
  constructor(length: number) {
    this.#bytes = new Uint8Array(length);
  }

  write(text: string): void {
    this.#chunk += text;
    if (this.#chunk.length >= chunkLength) this.#flush();
  }

  #flush(): void {
    let rest = this.#chunk;
    this.#chunk = "";
    for (;;) {
      const { read, written } = encoder.encodeInto(rest, this.#bytes.subarray(this.#size));
      this.#size += written;
      if (read === rest.length) return;
      rest = rest.slice(read);
      const larger = new Uint8Array(Math.ceil(this.#bytes.length * 1.25) + 3 * rest.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.#flush();
    return this.#size === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#size);
  }
}
