import type { Bytes } from "../link/body.js";
import type { Timers } from "./timers.js";

export interface OutgoingOptions {
  /** Milliseconds since the epoch. */
  now(): number;
  readonly timers: Timers;
  /** The bytes that answers may occupy at a time; undefined: there is no limit. */
  readonly bytes?: number | undefined;
}

/** An answer that is being sent. */
export interface Sending {
  /** The body in pieces; the place is free again when the last piece is taken, or the client goes away. */
  stream(chunks: Iterator<Bytes>): ReadableStream<Bytes>;
  /** Gives the place up, for an answer without a body. */
  end(): void;
}

interface Place {
  readonly bytes: number;
  /** When its client last took a piece, in ms. */
  at: number;
}

interface Queued {
  readonly bytes: number;
  readonly until: number;
  done(place: Place | undefined): void;
}

/**
 * The bytes of an answer beyond its own chunks that a platform copies: one that is waiting to be sent, and one that is
 * being sent.
 */
const copies = 2;
/** A client that takes nothing for this time loses its place, but not its answer: it may have gone away unnoticed. */
const idleMs = 5000;

/**
 * Limits the memory of answers. One publication answers all held polls, and a platform that copies each body would need
 * the memory for all of them at once. So only some answers are sent at a time, the others wait in their order.
 */
export class Outgoing {
  readonly #places = new Set<Place>();
  readonly #queue = new Set<Queued>();
  #used = 0;

  constructor(private readonly options: OutgoingOptions) {}

  get isLimited(): boolean {
    return this.options.bytes !== undefined;
  }

  /** The number of answers that wait. */
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * A place for an answer that is sent in pieces of `chunk` bytes; it may have to wait. Undefined if there was none until
   * the time `until`, or the client went away.
   */
  async take(chunk: number, until: number, signal?: AbortSignal): Promise<Sending | undefined> {
    const bytes = chunk * copies;
    const place = this.#fits(bytes) && this.#queue.size === 0 ? this.#add(bytes) : undefined;
    const found = place ?? (await this.#wait(bytes, until, signal));
    return found && { stream: (chunks) => this.#stream(chunks, found), end: () => this.#remove(found) };
  }

  #fits(bytes: number): boolean {
    return this.#places.size === 0 || this.#used + bytes <= (this.options.bytes ?? 0);
  }

  #add(bytes: number): Place {
    const place: Place = { bytes, at: this.options.now() };
    this.#places.add(place);
    this.#used += bytes;
    return place;
  }

  #remove(place: Place): void {
    if (this.#places.delete(place)) this.#used -= place.bytes;
    this.#next();
  }

  #next(): void {
    const now = this.options.now();
    for (const queued of this.#queue) {
      const { bytes, until, done } = queued;
      if (until >= now && !this.#fits(bytes)) return;
      this.#queue.delete(queued);
      done(until >= now ? this.#add(bytes) : undefined);
    }
  }

  #wait(bytes: number, until: number, signal: AbortSignal | undefined): Promise<Place | undefined> {
    const { now, timers } = this.options;
    return new Promise((resolve) => {
      let timer: unknown;
      const done = (place: Place | undefined): void => {
        timers.clear(timer);
        signal?.removeEventListener("abort", gone);
        resolve(place);
      };
      const queued: Queued = { bytes, until, done };
      const gone = (): void => {
        if (this.#queue.delete(queued)) done(undefined);
      };
      const look = (): void => {
        this.#forgetIdle();
        this.#next();
        if (!this.#queue.has(queued)) return;
        const left = until - now();
        if (left < 0) gone();
        else timer = timers.set(look, Math.min(left + 1, idleMs));
      };
      this.#queue.add(queued);
      signal?.addEventListener("abort", gone);
      look();
    });
  }

  #forgetIdle(): void {
    const before = this.options.now() - idleMs;
    for (const place of [...this.#places]) if (place.at < before) this.#remove(place);
  }

  #stream(chunks: Iterator<Bytes>, place: Place): ReadableStream<Bytes> {
    const { now } = this.options;
    return new ReadableStream<Bytes>(
      {
        pull: (controller) => {
          place.at = now();
          const { value } = chunks.next();
          if (value) return controller.enqueue(value);
          controller.close();
          this.#remove(place);
        },
        cancel: () => this.#remove(place),
      },
      { highWaterMark: 0 },
    );
  }
}
