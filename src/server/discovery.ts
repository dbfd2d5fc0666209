import type { Context } from "hono";
import type { XdsType } from "../link/snapshot.js";
import { holdTime, timeoutHeader } from "./hold-time.js";
import type { Hub } from "./hub.js";
import { nothingPublished, problem } from "./problem.js";
import { readBody, readDiscoveryRequest } from "./request.js";
import { type Identity, isForNode } from "./tokens.js";

const tooManyPolls = {
  token: "this token has the maximum number of held polls: give groups of Envoys separate tokens",
  server:
    "this server has the maximum number of held polls: give groups of Envoys servers or fleets of their own",
};

/** Whether, on Node, a request came over HTTP/1.1, where each poll has its own connection. */
const isHttp1 = (c: Context): boolean =>
  (c.env as { incoming?: { httpVersionMajor?: number } } | undefined)?.incoming?.httpVersionMajor === 1;

/** Answers one poll of an Envoy; `leave` makes the next one come on another connection. */
export async function discover(
  c: Context,
  type: XdsType,
  hub: Hub,
  who: Identity,
  leave?: (c: Context) => void,
): Promise<Response> {
  const request = readDiscoveryRequest(await readBody(c.req.raw));
  if (!isForNode(who, request.node)) {
    const given = `this token is for Envoys with node.id ${who.nodes}, and this one has ${JSON.stringify(request.node)}`;
    return problem(c, 403, "wrong-node", `${given}: change its --node-id, or give it another token`);
  }
  const holdMs = holdTime(c.req.header(timeoutHeader), hub.holdOf(who.id));
  const signal = holdMs > 0 ? c.req.raw.signal : undefined;
  const token = { id: who.id, name: who.name };
  const reply = await hub.poll({ type, token, ...request }, holdMs, signal);
  if (reply.leaves) leave?.(c);
  if (reply.status === 304) {
    if (reply.reconnect && isHttp1(c)) c.header("connection", "close");
    return c.body(null, 304, { "cache-control": "no-store" });
  }
  if (reply.status === 503)
    return hub.ready ? problem(c, 503, "unavailable", reply.reason) : nothingPublished(c);
  if (reply.status === 429) {
    const headers = { "retry-after": String(1 + Math.floor(Math.random() * 5)) };
    return problem(c, 429, "too-many-polls", tooManyPolls[reply.of], { headers });
  }
  const { body, sending } = reply;
  const content = sending ? sending.stream(body.chunks()) : (body.whole ?? body.stream());
  return c.body(content, 200, {
    "content-type": "application/json",
    "content-length": String(body.size),
    "cache-control": "no-store",
  });
}
