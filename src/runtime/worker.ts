import type { DurableObjectNamespace, DurableObjectState } from "@cloudflare/workers-types";
import { checkKeyPair } from "../platform/key-pair.js";
import { createApp } from "../server/app.js";
import {
  type Authenticate,
  forwardedAuth,
  identityHeader,
  isRefusal,
  tokenAuth,
  unauthorized,
} from "../server/auth.js";
import { Hub } from "../server/hub.js";
import { problemOf } from "../server/problem.js";
import { Publisher } from "../server/publisher.js";
import { PushedSources } from "../server/pushed.js";
import { parseTokens } from "../server/tokens.js";
import { durableDriver } from "../store/durable.js";
import { createSqlStore } from "../store/sql-store.js";

interface Env {
  readonly FLEET: DurableObjectNamespace;
  /** Lines as `isoline token` prints them; without any, nobody is let in. */
  readonly ISOLINE_TOKENS?: string;
  /** "1": take plain HTTP under any host name, as from an Envoy beside `wrangler dev`. */
  readonly ISOLINE_INSECURE?: string;
}

/** The control plane of one fleet of Envoys: one instance at a time, with its store on disk. */
export class Fleet {
  readonly #app: ReturnType<typeof createApp>;

  constructor(state: DurableObjectState) {
    const hub = new Hub({ now: Date.now, log: (line) => console.error(line) });
    const store = createSqlStore(durableDriver(state.storage));
    const publisher = new Publisher(store, hub, Date.now);
    const sources = new PushedSources(store, publisher, { checkKeyPair });
    sources.start();
    this.#app = createApp({
      hub,
      sources,
      status: () => sources.status(),
      authenticate: forwardedAuth,
    });
  }

  fetch(request: Request): Response | Promise<Response> {
    return this.#app.fetch(request);
  }
}

/** One for the life of the isolate, for its count of failures. */
let gate: { readonly tokens: string; readonly authenticate: Authenticate } | undefined;

function authenticateWith({ ISOLINE_TOKENS: text = "", ISOLINE_INSECURE }: Env): Authenticate {
  if (gate?.tokens !== text) {
    const tokens = parseTokens(text);
    for (const error of tokens.errors) console.error(`ISOLINE_TOKENS: ${error}`);
    gate = {
      tokens: text,
      authenticate: tokenAuth({ tokens: () => tokens, now: Date.now, requireTls: ISOLINE_INSECURE !== "1" }),
    };
  }
  return gate.authenticate;
}

/** The Worker itself keeps nothing: it sees who asks, and hands the request to the object of their fleet. */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).pathname === "/healthz" && request.method === "GET") return new Response("ok\n");
    const authenticate = authenticateWith(env);
    const identities = await authenticate(request, request.headers.get("cf-connecting-ip") ?? "");
    if (isRefusal(identities)) return problemOf(identities);
    const [first] = identities;
    if (!first) return problemOf(unauthorized);
    // The object serves one fleet, and so it knows it by the default name.
    const ours = identities
      .filter(({ fleet }) => fleet === first.fleet)
      .map(({ fleet: _, ...identity }) => ({ ...identity, fleet: "default" }));
    const headers = new Headers(request.headers);
    headers.delete("authorization");
    headers.set(identityHeader, JSON.stringify(ours));
    const fleet = env.FLEET.get(env.FLEET.idFromName(first.fleet));
    const forwarded = new Request(request, { headers });
    return (fleet.fetch as unknown as (request: Request) => Promise<Response>).call(fleet, forwarded);
  },
};
