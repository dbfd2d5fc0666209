import type { Context } from "hono";
import type { Refusal } from "./auth.js";

type Status = 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 415 | 421 | 422 | 426 | 429 | 500 | 503;

/** Before the first publication. */
export const nothingPublished = (c: Context): Response =>
  problem(c, 503, "not-ready", "nothing has been published yet; see GET /status and the log for the reason");

interface Problem {
  readonly status: Status;
  readonly code: string;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** An error as problem details (RFC 9457) with a stable code; never 200. `more` are additional members. */
export function problem(
  c: Context,
  status: Status,
  code: string,
  detail: string,
  { headers = {}, more = {} }: { headers?: Readonly<Record<string, string>>; more?: object } = {},
): Response {
  return c.json({ type: "about:blank", status, code, detail, ...more }, status, {
    "content-type": "application/problem+json",
    ...uncached,
    ...headers,
  });
}

/** The header of an answer that no cache may keep. */
export const uncached = { "cache-control": "no-store" };

/** A refusal, or another error, outside an app. */
export const problemOf = ({ status, code, detail, headers }: Problem): Response =>
  new Response(JSON.stringify({ type: "about:blank", status, code, detail }), {
    status,
    headers: { "content-type": "application/problem+json", ...uncached, ...headers },
  });

export const refuse = (c: Context, { status, code, detail, headers }: Refusal): Response =>
  problem(c, status, code, detail, { headers });
