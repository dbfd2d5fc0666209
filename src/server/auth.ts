import type { StoreError } from "../store/store.js";
import {
  defaultFleet,
  type Identity,
  identify,
  identifyCertificate,
  type ParsedTokens,
  type Role,
} from "./tokens.js";

/** Why a request is not let in. */
export interface Refusal {
  readonly status: 401 | 403 | 421 | 426 | 429 | 503;
  readonly code:
    | "unauthorized"
    | "wrong-host"
    | "other-origin"
    | "tls-required"
    | "too-many-failures"
    | "not-configured"
    | StoreError["code"];
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Says who a request comes from, before anything else of it is looked at but its address. */
export type Authenticate = (request: Request, client: string) => Promise<readonly Identity[] | Refusal>;

export const isRefusal = (admitted: readonly Identity[] | Refusal): admitted is Refusal =>
  "status" in admitted;

/** One answer for no token, a wrong one, one that has run out, and one of another role. */
export const unauthorized: Refusal = {
  status: 401,
  code: "unauthorized",
  detail:
    "a bearer token with the role for this path is needed, and none that is known and in its time came: make one with `isoline token`, or give its line to the server",
  headers: { "www-authenticate": "Bearer" },
};

const notConfigured: Refusal = {
  status: 503,
  code: "not-configured",
  detail: "no tokens are set, so nobody is let in; make one with `isoline token`",
  headers: {},
};

const tlsRequired: Refusal = {
  status: 426,
  code: "tls-required",
  detail: "tokens and keys are sent over https only: ask at the https:// URL",
  headers: { upgrade: "TLS/1.2" },
};

/** Roles that may do what a path asks for, the one that sees most first. Keys go to nodes only. */
const mayDo: Readonly<Record<Role, readonly Role[]>> = {
  node: ["node"],
  hook: ["hook", "admin"],
  read: ["read", "admin"],
  publish: ["publish", "admin"],
  preview: ["publish", "admin", "preview"],
  admin: ["admin"],
};

/** The identity among those of a token by which a request is let in. */
export function identityFor(identities: readonly Identity[], role: Role): Identity | undefined {
  for (const one of mayDo[role]) {
    const found = identities.find((identity) => identity.role === one);
    if (found) return found;
  }
  return undefined;
}

/** Whoever can reach the server may do everything: for a listener on loopback. */
export const everyone: Authenticate = () =>
  Promise.resolve([
    { role: "admin", name: "", id: "", fleet: defaultFleet },
    { role: "node", name: "", id: "", fleet: defaultFleet },
  ]);

export interface TokenAuthOptions {
  /** Read at each request, so that tokens can be changed while the server runs. */
  tokens(): ParsedTokens;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Refuse plain HTTP from anywhere but this machine. */
  readonly requireTls: boolean;
  /** The SHA-256 fingerprint (hex) of a client certificate that the platform has verified. */
  fingerprint?(request: Request): string | undefined;
}

/** Lets in who shows a bearer token, or a client certificate, that is known. */
export function tokenAuth({ tokens, now, requireTls, fingerprint }: TokenAuthOptions): Authenticate {
  const failures = new Failures();
  return async (request, client) => {
    const { entries } = tokens();
    if (entries.length === 0) return notConfigured;
    const url = new URL(request.url);
    if (requireTls && url.protocol === "http:" && !isLoopback(url.hostname)) return tlsRequired;
    const certificate = fingerprint?.(request);
    const identities = [
      ...(await identify(tokenOf(request, url), entries, now())),
      ...(certificate ? identifyCertificate(certificate, entries, now()) : []),
    ];
    if (identities.length > 0) return identities;
    const retryAfter = failures.add(client, now());
    return retryAfter === undefined ? unauthorized : tooMany(retryAfter);
  };
}

/**
 * The token of a request: the bearer token, or the last part of a hook's path, as the API server can't be told to send
 * a header. Never the query, which ends up in logs.
 */
function tokenOf(request: Request, url: URL): string {
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  return bearer ?? /^\/hooks\/[a-z]+\/([^/]+)$/.exec(url.pathname)?.[1] ?? "";
}

/** Whether a host, as in a URL or bare, is this machine. */
export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1|\[::1\])$/.test(host);

const tooMany = (seconds: number): Refusal => ({
  status: 429,
  code: "too-many-failures",
  detail: `too many requests without a valid token came from this address: mend the token; others are counted again in ${seconds} s`,
  headers: { "retry-after": String(seconds) },
});

const windowMs = 60_000;
const maxFailures = 20;
const maxClients = 10_000;

/**
 * Counts failures by client. A valid token is let in even from an address with many failures: one Envoy with an old
 * token must not cut off those that share its address.
 */
class Failures {
  readonly #clients = new Map<string, { since: number; count: number }>();

  /** Seconds to wait, once there are too many. */
  add(client: string, now: number): number | undefined {
    const known = this.#clients.get(client);
    const current = known && now - known.since < windowMs ? known : { since: now, count: 0 };
    current.count++;
    this.#clients.delete(client);
    this.#clients.set(client, current);
    if (this.#clients.size > maxClients) this.#clients.delete(this.#clients.keys().next().value ?? "");
    if (current.count <= maxFailures) return undefined;
    return Math.ceil((current.since + windowMs - now) / 1000);
  }
}

/** The header in which the Worker tells a fleet's object who a request comes from; never taken from outside. */
export const identityHeader = "x-isoline-identity";

/** Believes the header of a front that has authenticated the request. */
export const forwardedAuth: Authenticate = (request) => {
  const text = request.headers.get(identityHeader);
  return Promise.resolve(text === null ? unauthorized : (JSON.parse(text) as readonly Identity[]));
};
