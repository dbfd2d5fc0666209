import { Http2ServerRequest, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Http2Bindings, HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import { timeoutHeader } from "../../server/hold-time.js";

/**
 * Headers that proxies of HTTP requests add and Envoy's xDS client does not. A proxy answers pings itself, before the
 * Envoy behind it has an answer.
 */
const addedByProxies = [
  "via",
  "forwarded",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-real-ip",
  "x-request-id",
  "x-envoy-original-path",
  "x-envoy-attempt-count",
  "traceparent",
] as const;

/** Envoy may have given up on a poll that took nearly its timeout, and then drops the answer. */
const marginMs = 2000;

/**
 * Whether a poll comes from an Envoy over HTTP/2 without a proxy between. Then the result calls `done` when the Envoy
 * has processed the answer to this request: Envoy processes the frames of a connection one after the other, so that it
 * has when it acknowledges a PING that was sent after the end of the answer. It is not called when the answer was
 * interrupted, or when Envoy may have given up on the poll before. Undefined for other requests.
 */
export function followAnswer(c: Context): ((done: () => void) => void) | undefined {
  const { incoming } = c.env as HttpBindings | Http2Bindings;
  if (!(incoming instanceof Http2ServerRequest)) return undefined;
  const { headers, stream } = incoming;
  const timeout = Number(headers[timeoutHeader]);
  // An address list: the first proxy adds to the one that Envoy sends.
  const isProxied =
    addedByProxies.some((name) => headers[name] !== undefined) ||
    String(headers["x-forwarded-for"] ?? "").includes(",");
  if (isProxied || !(timeout > marginMs)) return undefined;
  const giveUpAt = performance.now() + timeout - marginMs;
  return (done) => follow(stream as ServerHttp2Stream, giveUpAt, done);
}

function follow(stream: ServerHttp2Stream, giveUpAt: number, done: () => void): void {
  const { session } = stream;
  if (!session) return;
  stream.once("close", () => {
    if (stream.rstCode !== 0 || stream.aborted) return;
    pingAfter(session as ServerHttp2Session, () => {
      if (performance.now() < giveUpAt) done();
    });
  });
}

/** The callbacks of the next ping of a session, while one is on its way. */
const waiting = new WeakMap<ServerHttp2Session, (() => void)[]>();

/** Calls `done` when the client has acknowledged a ping that begins from now on. One ping is on its way at a time. */
function pingAfter(session: ServerHttp2Session, done: () => void): void {
  const next = waiting.get(session);
  if (next) next.push(done);
  else ping(session, [done]);
}

function ping(session: ServerHttp2Session, all: readonly (() => void)[]): void {
  if (session.destroyed || session.closed) return;
  waiting.set(session, []);
  session.ping((error) => {
    const next = waiting.get(session) ?? [];
    waiting.delete(session);
    if (!error) for (const done of all) done();
    if (next.length > 0) ping(session, next);
  });
}
