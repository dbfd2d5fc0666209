import type { ApiRequest, Transport } from "./api.js";

export interface FetchTransportOptions {
  /** `fetch`, or the `fetch` of a binding that reaches the API server. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Base URL of the API server. */
  readonly server: string;
  /** Bearer token of a service account; absent where the binding authenticates. */
  readonly token?: string;
}

/** Requests to an API server in a runtime that has only `fetch`. */
export function fetchTransport({ fetch, server, token }: FetchTransportOptions): Transport {
  const base = server.replace(/\/$/, "");
  return {
    async send({ method, path, headers, body, signal }: ApiRequest) {
      const response = await fetch(base + path, {
        method,
        headers: { ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
        redirect: "manual",
        signal,
        ...(body === undefined ? {} : { body }),
      });
      return { status: response.status, body: chunks(response.body, signal) };
    },
  };
}

/** @throws the signal's reason when it is aborted, also where `fetch` does not abort the body. */
async function* chunks(
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  if (!reader) return;
  const stop = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", stop);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await reader.cancel().catch(() => undefined);
  }
}
