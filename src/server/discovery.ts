import type { Context } from "hono";
import type { XdsType } from "../link/snapshot.js";
import type { Hub } from "./hub.js";
import { problem } from "./problem.js";
import { readBody, readDiscoveryRequest } from "./request.js";
import { type Identity, isForNode } from "./tokens.js";

const maxHoldMs = 25_000;
const marginMs = 2000;

/** How long a poll may be held: Envoy says when it gives up; a client that doesn't is answered at once. */
export function holdTime(header: string | undefined): number {
  const timeout = Number(header);
  return Number.isFinite(timeout) && timeout > 0 ? Math.max(0, Math.min(timeout - marginMs, maxHoldMs)) : 0;
}

/** On Node, whether a request came over HTTP/1.1, where a poll has a connection of its own. */
const isHttp1 = (c: Context): boolean =>
  (c.env as { incoming?: { httpVersionMajor?: number } } | undefined)?.incoming?.httpVersionMajor === 1;

/** Answers one poll of an Envoy. */
export async function discover(c: Context, type: XdsType, hub: Hub, who: Identity): Promise<Response> {
  const request = readDiscoveryRequest(await readBody(c.req.raw));
  if (!isForNode(who, request.node)) {
    return problem(c, 403, "wrong-node", "this token is for nodes of other names");
  }
  const holdMs = holdTime(c.req.header("x-envoy-expected-rq-timeout-ms"));
  const signal = holdMs > 0 ? c.req.raw.signal : undefined;
  const token = { id: who.id, name: who.name };
  const reply = await hub.poll({ type, token, ...request }, holdMs, signal);
  if (reply.status === 304) {
    if (reply.elsewhere && isHttp1(c)) c.header("connection", "close");
    return c.body(null, 304, { "cache-control": "no-store" });
  }
  if (reply.status === 503) return problem(c, 503, "unavailable", reply.reason);
  if (reply.status === 429) {
    const headers = { "retry-after": String(1 + Math.floor(Math.random() * 5)) };
    return problem(c, 429, "too-many-polls", "this token has too many polls held", { headers });
  }
  const { body } = reply;
  return c.body(body.whole ?? body.stream(), 200, {
    "content-type": "application/json",
    "content-length": String(body.size),
    "cache-control": "no-store",
  });
}
