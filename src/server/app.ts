import type { Context, Handler } from "hono";
import { Hono } from "hono";
import { type XdsType, xdsTypes } from "../link/snapshot.js";
import type { Hub } from "./hub.js";
import { RequestError, readBody, readDiscoveryRequest, readText } from "./request.js";

/** A manifest source that is pushed over HTTP. */
export interface SourceSink {
  /** SHA-256 of the bearer token, hex. */
  readonly tokenDigest: string;
  /** `revision` is undefined when the client gave none. */
  put(
    name: string,
    body: string,
    revision?: number,
  ): Promise<{ readonly ok: boolean; readonly result: object }>;
}

export interface AppOptions {
  readonly hub: Hub;
  /** Findings, sources and whatever else the status page shows. */
  status(): object;
  /** SHA-256 of the bearer tokens, hex: `node` for discovery, `read` for the status. A role without one is open. */
  readonly auth?: { readonly node?: string; readonly read?: string };
  readonly source?: SourceSink;
}

const maxHoldMs = 25_000;
const marginMs = 2000;
const maxSourceBytes = 32 * 1024 * 1024;
const sourceName = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;

/** Errors are problem details (RFC 9457) with a stable code, and never 200. */
function problem(
  c: Context,
  status: 400 | 401 | 404 | 405 | 413 | 415 | 422 | 500 | 503,
  code: string,
  detail: string,
  headers: Record<string, string> = {},
): Response {
  return c.json({ type: "about:blank", status, code, detail }, status, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    ...headers,
  });
}

/** How long a poll may be held: Envoy says when it gives up; a client that doesn't is answered at once. */
export function holdTime(header: string | undefined): number {
  const timeout = Number(header);
  return Number.isFinite(timeout) && timeout > 0 ? Math.max(0, Math.min(timeout - marginMs, maxHoldMs)) : 0;
}

/** The whole HTTP surface, on web standards alone: it runs on Node and in workerd. */
export function createApp(options: AppOptions): Hono {
  const { hub, auth = {}, source } = options;
  const app = new Hono();
  app.onError((error, c) => {
    if (error instanceof RequestError) return problem(c, error.status, error.code, error.message);
    // Only where, not what: a message may quote what was being read.
    hub.log(
      `unexpected ${error.name} at ${c.req.path}${/\n\s*at [^\n]*/.exec(error.stack ?? "")?.[0] ?? ""}`,
    );
    return problem(c, 500, "internal", "an unexpected error; see the server's log");
  });
  app.notFound((c) => problem(c, 404, "not-found", "there is nothing at this path"));

  const route = (method: "GET" | "POST" | "PUT", path: string, handler: Handler): void => {
    app.on(method, path, handler);
    app.all(path, (c) =>
      problem(c, 405, "method-not-allowed", `this path takes ${method} only`, { allow: method }),
    );
  };
  for (const type of xdsTypes) {
    route(
      "POST",
      `/v3/discovery:${type}`,
      guard(auth.node, (c) => discover(c, type, hub)),
    );
  }
  const status = (c: Context): Response =>
    c.json({ ...hub.status(), ...options.status() }, 200, { "cache-control": "no-store" });
  route("GET", "/status", guard(auth.read, status));
  route("GET", "/healthz", (c) => c.text("ok\n"));
  route("GET", "/readyz", (c) =>
    hub.ready ? c.text("ok\n") : problem(c, 503, "not-ready", "nothing has been published yet"),
  );
  if (source)
    route(
      "PUT",
      "/sources/:name",
      guard(source.tokenDigest, (c) => putSource(c, source)),
    );
  return app;
}

/** Asks for the bearer token of a digest, if there is one, before the handler reads anything. */
function guard(digest: string | undefined, handler: (c: Context) => Response | Promise<Response>): Handler {
  if (digest === undefined) return handler;
  return async (c) => {
    const token = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
    if (await hasDigest(token, digest)) return handler(c);
    const headers = { "www-authenticate": "Bearer" };
    return problem(c, 401, "unauthorized", "a bearer token for this is needed", headers);
  };
}

async function discover(c: Context, type: XdsType, hub: Hub): Promise<Response> {
  const request = readDiscoveryRequest(await readBody(c.req.raw));
  const holdMs = holdTime(c.req.header("x-envoy-expected-rq-timeout-ms"));
  const reply = await hub.poll({ type, ...request }, holdMs, holdMs > 0 ? c.req.raw.signal : undefined);
  if (reply.status === 304) return c.body(null, 304, { "cache-control": "no-store" });
  if (reply.status === 503) return problem(c, 503, "unavailable", reply.reason);
  return c.body(reply.body, 200, {
    "content-type": "application/json",
    "content-length": String(reply.body.length),
    "cache-control": "no-store",
  });
}

async function putSource(c: Context, source: SourceSink): Promise<Response> {
  const name = c.req.param("name") ?? "";
  if (!sourceName.test(name)) return problem(c, 400, "bad-source", "a source's name is a DNS name");
  const text = c.req.query("revision");
  const revision = text === undefined ? undefined : Number(text);
  if (text !== undefined && !(/^\d+$/.test(text) && Number.isSafeInteger(revision))) {
    return problem(c, 400, "bad-revision", "a revision is a whole number");
  }
  const body = readText(await readBody(c.req.raw, maxSourceBytes));
  const { ok, result } = await source.put(name, body, revision);
  return c.json(result, ok ? 200 : 422, { "cache-control": "no-store" });
}

/** Compares digests, so that the time taken says nothing of the token. */
async function hasDigest(token: string, digest: string): Promise<boolean> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const wanted = digest.toLowerCase();
  let difference = hex.length ^ wanted.length;
  for (let i = 0; i < hex.length; i++) difference |= hex.charCodeAt(i) ^ (wanted.charCodeAt(i) || 0);
  return difference === 0;
}
