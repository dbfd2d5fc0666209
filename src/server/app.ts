import type { Context } from "hono";
import { Hono } from "hono";
import type { XdsType } from "../link/snapshot.js";
import type { Hub } from "./hub.js";
import { RequestError, readBody, readDiscoveryRequest } from "./request.js";

/** A manifest source that is pushed over HTTP. */
export interface SourceSink {
  /** SHA-256 of the bearer token, hex. */
  readonly tokenDigest: string;
  put(name: string, body: string): Promise<{ readonly ok: boolean; readonly result: object }>;
}

export interface AppOptions {
  readonly hub: Hub;
  /** Findings, sources and whatever else the status page shows. */
  status(): object;
  readonly source?: SourceSink;
}

const types: readonly XdsType[] = ["clusters", "endpoints", "listeners", "routes", "secrets"];
const maxHoldMs = 25_000;
const marginMs = 2000;
const maxSourceBytes = 32 * 1024 * 1024;

/** Errors are problem details (RFC 9457) with a stable code, and never 200. */
function problem(
  c: Context,
  status: 400 | 401 | 404 | 405 | 413 | 415 | 422 | 500 | 503,
  code: string,
  detail: string,
): Response {
  return c.json({ type: "about:blank", status, code, detail }, status, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  });
}

/** How long a poll may be held: Envoy says when it gives up; a client that doesn't is answered at once. */
export function holdTime(header: string | undefined): number {
  const timeout = Number(header);
  return Number.isFinite(timeout) && timeout > 0 ? Math.max(0, Math.min(timeout - marginMs, maxHoldMs)) : 0;
}

/** The whole HTTP surface, on web standards alone: it runs on Node and in workerd. */
export function createApp(options: AppOptions): Hono {
  const { hub } = options;
  const app = new Hono();
  app.onError((error, c) => {
    if (error instanceof RequestError) return problem(c, error.status, error.code, error.message);
    return problem(c, 500, "internal", "an unexpected error; see the server's log");
  });
  app.notFound((c) => problem(c, 404, "not-found", "there is nothing at this path"));

  for (const type of types) {
    const path = `/v3/discovery:${type}`;
    app.post(path, (c) => discover(c, type, hub));
    app.all(path, (c) => problem(c, 405, "method-not-allowed", "discovery is POST only"));
  }
  app.get("/healthz", (c) => c.text("ok\n"));
  app.get("/readyz", (c) =>
    hub.ready ? c.text("ok\n") : problem(c, 503, "not-ready", "nothing has been published yet"),
  );
  app.get("/status", (c) =>
    c.json({ ...hub.status(), ...options.status() }, 200, { "cache-control": "no-store" }),
  );
  const { source } = options;
  if (source) app.put("/sources/:name", (c) => putSource(c, source));
  return app;
}

async function discover(c: Context, type: XdsType, hub: Hub): Promise<Response> {
  const request = readDiscoveryRequest(await readBody(c.req.raw));
  const reply = await hub.poll(
    { type, ...request },
    holdTime(c.req.header("x-envoy-expected-rq-timeout-ms")),
  );
  if (reply.status === 304) return c.body(null, 304, { "cache-control": "no-store" });
  if (reply.status === 503) return problem(c, 503, "unavailable", reply.reason);
  return c.body(reply.body, 200, {
    "content-type": "application/json",
    "content-length": String(reply.body.length),
    "cache-control": "no-store",
  });
}

async function putSource(c: Context, source: SourceSink): Promise<Response> {
  const token = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
  if (!(await hasDigest(token, source.tokenDigest))) {
    return problem(c, 401, "unauthorized", "a bearer token that may publish is needed");
  }
  if (Number(c.req.header("content-length") ?? 0) > maxSourceBytes)
    return problem(c, 413, "too-large", "the source is too large");
  const { ok, result } = await source.put(c.req.param("name") ?? "", await c.req.text());
  return c.json(result, ok ? 200 : 422, { "cache-control": "no-store" });
}

/** Compares digests, so that the time taken says nothing of the token. */
async function hasDigest(token: string, digest: string): Promise<boolean> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  let difference = hex.length ^ digest.length;
  for (let i = 0; i < hex.length; i++) difference |= hex.charCodeAt(i) ^ (digest.charCodeAt(i) || 0);
  return difference === 0;
}
