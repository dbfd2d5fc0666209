import { computed, effect, signal } from "@preact/signals";
import type { Overview } from "../verdict/overview.js";

const tokenKey = "isoline-token";

/** Kept for the tab alone. */
export const token = signal(sessionStorage.getItem(tokenKey) ?? "");
effect(() => {
  if (token.value) sessionStorage.setItem(tokenKey, token.value);
  else sessionStorage.removeItem(tokenKey);
});

/** The server has asked for a token, or for another one. */
export const tokenWanted = signal(false);
export const overview = signal<Overview | undefined>(undefined);
/** What the server's clock is ahead of that of this machine, in ms. */
const ahead = signal(0);
/** Since when the server can't be reached, and why. */
export const lost = signal<{ readonly since: number; readonly why: string } | undefined>(undefined);
const second = signal(Date.now());
setInterval(() => {
  second.value = Date.now();
}, 1000);
/** The time of the server, in ms since the epoch; it changes each second. */
export const now = computed(() => second.value + ahead.value);

/** An answer that is an error. */
export class AnswerError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const headers = (): Record<string, string> => (token.value ? { authorization: `Bearer ${token.value}` } : {});

async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  if (response.status === 401) tokenWanted.value = true;
  const problem = (await response.json().catch(() => ({}))) as { readonly detail?: string };
  throw new AnswerError(response.status, problem.detail ?? `the server answers ${response.status}`);
}

/** Asks the server. @throws AnswerError for an answer that is an error; TypeError where there is none. */
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

/** Text of an answer as lines, as they come. */
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
 * Follows the state of the server until it is aborted: by an answer that goes on and on, or by one request after the other that is held until
 * there is something new. The token goes in a header of each.
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
