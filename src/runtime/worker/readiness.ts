import { forwardedAs } from "../../server/auth.js";
import { defaultFleet } from "../../server/tokens.js";
import type { Objects } from "./bindings.js";
import { askObject } from "./object.js";

/** How long an isolate repeats a response, so that requests without a token rarely reach the object. */
const keptMs = 5000;

interface Answer {
  readonly at: number;
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

let last: Answer | undefined;

/** `GET /readyz` without a token: whether the default fleet serves a configuration. */
export async function readyResponse(objects: Objects, url: string): Promise<Response> {
  const now = Date.now();
  if (!last || now - last.at >= keptMs) last = await ask(objects, url, now);
  const { status, type, text } = last;
  return new Response(text, { status, headers: { "content-type": type, "cache-control": "no-store" } });
}

async function ask(objects: Objects, url: string, at: number): Promise<Answer> {
  const request = new Request(new URL("/readyz", url), { headers: forwardedAs([]) });
  const response = await askObject(objects, defaultFleet, request, false);
  const type = response.headers.get("content-type") ?? "text/plain";
  return { at, status: response.status, type, text: await response.text() };
}
