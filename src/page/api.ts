import { computed, effect, signal } from "@preact/signals";
import type { ListenerChoice } from "../explain/request.js";
import type { Overview } from "../verdict/overview.js";

const tokenKey = "isoline-token";

/** Stored for this browser tab only. */
export const token = signal(sessionStorage.getItem(tokenKey) ?? "");
effect(() => {
  if (token.value) sessionStorage.setItem(tokenKey, token.value);
  else sessionStorage.removeItem(tokenKey);
});

/** Whether the server requires a token, or another token. */
export const tokenWanted = signal(false);
export const overview = signal<Overview | undefined>(undefined);
/** The server's clock minus the clock of this machine, in ms. */
const ahead = signal(0);
/** The time since which the server can't be reached, and the reason; undefined while it can be reached. */
export const lost = signal<{ readonly since: number; readonly why: string } | undefined>(undefined);
const second = signal(Date.now());
setInterval(() => {
  second.value = Date.now();
}, 1000);
/** The server's time, in ms since the epoch; updated every second. */
export const now = computed(() => second.value + ahead.value);

/** A response with an error status. */
export class AnswerError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** Listeners, one of which the request must choose. */
    readonly choices: readonly ListenerChoice[] = [],
  ) {
    super(message);
  }
}

const headers = (): Record<string, string> => (token.value ? { authorization: `Bearer ${token.value}` } : {});

async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  if (response.status === 401) tokenWanted.value = true;
  const problem = (await response.json().catch(() => ({}))) as {
    readonly detail?: string;
    readonly choices?: readonly (ListenerChoice & { readonly addresses?: readonly string[] })[];
  };
  const choices = (problem.choices ?? []).map(({ gateway, address, addresses }): ListenerChoice => {
    const first = address ?? addresses?.[0];
    return gateway !== undefined ? { gateway } : first === undefined ? {} : { address: first };
  });
  throw new AnswerError(response.status, problem.detail ?? `the server answers ${response.status}`, choices);
}

/** Sends a request to the server. @throws AnswerError for an error response; TypeError if there is no response. */
export async function ask<T>(path: string, method: "GET" | "PUT" = "GET"): Promise<T> {
  const response = await checked(await fetch(path, { method, headers: headers() }));
  return (await response.json()) as T;
}

export function takeOverview(taken: Overview): void {
  ahead.value = taken.now - Date.now();
  second.value = Date.now();
  overview.value = taken;
  lost.value = undefined;
  tokenWanted.value = false;
}

interface LiveLine {
  readonly digest: string;
  readonly overview: Overview;
}

const pauseMs = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** The lines of a response, as they arrive. */
async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

const silenceMs = 40_000;
const firstPauseMs = 1000;
const longestPauseMs = 15_000;

/**
 * Updates the overview from the server until `signal` is aborted or the server requires another token. The server
 * either keeps one response open and sends a line for each change, or holds each request until there is a change. Each
 * request has the token in a header.
 */
export async function follow(signal: AbortSignal): Promise<void> {
  let have = "";
  let pause = firstPauseMs;
  while (!signal.aborted) {
    const attempt = new AbortController();
    const give = (): void => attempt.abort();
    signal.addEventListener("abort", give);
    let silent = setTimeout(give, silenceMs);
    try {
      const response = await checked(
        await fetch(`overview?live&have=${have}`, { headers: headers(), signal: attempt.signal }),
      );
      lost.value = undefined;
      if (response.body)
        for await (const line of linesOf(response.body)) {
          clearTimeout(silent);
          silent = setTimeout(give, silenceMs);
          if (line === "") continue;
          const { digest, overview: taken } = JSON.parse(line) as LiveLine;
          have = digest;
          takeOverview(taken);
        }
      pause = firstPauseMs;
    } catch (error) {
      if (signal.aborted) return;
      if (tokenWanted.value) return;
      lost.value ??= { since: Date.now(), why: error instanceof Error ? error.message : String(error) };
      await pauseMs(pause, signal);
      pause = Math.min(2 * pause, longestPauseMs);
    } finally {
      clearTimeout(silent);
      signal.removeEventListener("abort", give);
    }
  }
}
