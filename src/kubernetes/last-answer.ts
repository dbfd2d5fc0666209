import type { ApiResponse, Transport } from "./api.js";

/** Records when an API server last sent data: a successful answer, or a further chunk of one. */
export class LastAnswer {
  /** In milliseconds since the epoch. */
  #at: number;

  /** The initial value is the start, so that a server has time for its first answer. */
  constructor(private readonly now: () => number) {
    this.#at = now();
  }

  get at(): number {
    return this.#at;
  }

  /** The same transport, with its answers recorded. */
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
