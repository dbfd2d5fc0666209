import type { ApiResponse, Transport } from "./api.js";

/** Takes note of when an API server last gave something of what was asked: an answer that is no error, or a further part of one. */
export class LastLook {
  /** In milliseconds since the epoch. */
  #at: number;

  /** The start counts as a look, so that a server has time for its first one. */
  constructor(private readonly now: () => number) {
    this.#at = now();
  }

  get at(): number {
    return this.#at;
  }

  /** The same transport, whose answers are taken note of. */
  over(transport: Transport): Transport {
    return {
      send: async (request) => {
        const response = await transport.send(request);
        return response.status === 200 ? { ...response, body: this.#noted(response.body) } : response;
      },
    };
  }

  async *#noted(body: ApiResponse["body"]): ApiResponse["body"] {
    this.#at = this.now();
    for await (const part of body) {
      this.#at = this.now();
      yield part;
    }
  }
}
