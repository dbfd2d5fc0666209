import type { Context } from "hono";
import type { XdsType } from "../link/snapshot.js";
import { holdTime, timeoutHeader } from "./hold-time.js";
import type { Hub } from "./hub.js";
import { nothingPublished, problem } from "./problem.js";
import { type KnownMiddles, maxRequestBytes, readBody, readDiscoveryRequest } from "./request.js";
import { type Identity, isForNode } from "./tokens.js";

const tooManyPolls = {
  token: "this token has the maximum number of held polls: give groups of Envoys separate tokens",
  server:
    "this server has the maximum number of held polls: give groups of Envoys servers or fleets of their own",
};

/** Whether, on Node, a request came over HTTP/1.1, where each poll has its own connection. */
const isHttp1 = (c: Context): boolean =>
  (c.env as { incoming?: { httpVersionMajor?: number } } | undefined)?.incoming?.httpVersionMajor === 1;

/** What a runtime can do with the connection of a poll. */
export interface Connections {
  /** Makes the next poll come on another connection. */
  leave?(c: Context): void;
  /** For a poll of a direct client (see `Poller`): the result calls `done` when the client has processed the answer. */
  follow?(c: Context): ((done: () => void) => void) | undefined;
  /** Reads the body of a poll; absent: as `readBody`. */
  read?(c: Context, limit: number): Promise<Uint8Array>;
  /** The descriptions of Envoys that were read before with this token. */
  known?(token: string): KnownMiddles;
}

/** Answers one poll of an Envoy. */
export async function discover(
  c: Context,
  type: XdsType,
  hub: Hub,
  who: Identity,
  connections: Connections = {},
): Promise<Response> {
  // No variable holds the body: it would stay in memory for the time of the hold.
  const request = readDiscoveryRequest(
    await (connections.read?.(c, maxRequestBytes) ?? readBody(c.req.raw)),
    connections.known?.(who.id),
  );
  if (!isForNode(who, request.node)) {
    const given = `this token is for Envoys with node.id ${who.nodes}, and this one has ${JSON.stringify(request.node)}`;
    return problem(c, 403, "wrong-node", `${given}: change its --node-id, or give it another token`);
  }
  const holdMs = holdTime(c.req.header(timeoutHeader), hub.holdOf(who.id));
  const signal = holdMs > 0 ? c.req.raw.signal : undefined;
  const token = { id: who.id, name: who.name };
  const follow = connections.follow?.(c);
  const reply = await hub.poll({ type, token, direct: follow !== undefined, ...request }, holdMs, signal);
  if (reply.leaves) connections.leave?.(c);
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
  if (reply.processed) follow?.(reply.processed);
  const { body, sending } = reply;
  const content = sending ? sending.stream(body.chunks()) : (body.whole ?? body.stream());
  return c.body(content, 200, {
    "content-type": "application/json",
    "content-length": String(body.size),
    "cache-control": "no-store",
  });
}
