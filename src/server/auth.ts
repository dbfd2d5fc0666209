import type { StoreError } from "../store/store.js";
import {
  defaultFleet,
  type Identity,
  identify,
  identifyCertificate,
  type ParsedTokens,
  type Role,
} from "./tokens.js";

/** Why a request is refused. */
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

/** Determines the identities of a request; before that, only its client address is read. */
export type Authenticate = (request: Request, client: () => string) => Promise<readonly Identity[] | Refusal>;

export const isRefusal = (admitted: readonly Identity[] | Refusal): admitted is Refusal =>
  "status" in admitted;

/** The same answer for no token, a wrong one, an expired one, and one with another role. */
export const unauthorized: Refusal = {
  status: 401,
  code: "unauthorized",
  detail:
    "this path requires a known, unexpired bearer token with its role: make one with `isoline token`, and add its line to the server's tokens",
  headers: { "www-authenticate": "Bearer" },
};

const notConfigured: Refusal = {
  status: 503,
  code: "not-configured",
  detail: "no tokens are set, so every request is refused; make one with `isoline token`",
  headers: {},
};

const tlsRequired: Refusal = {
  status: 426,
  code: "tls-required",
  detail: "tokens and keys are sent only over https: use the https:// URL",
  headers: { upgrade: "TLS/1.2" },
};

/** The roles that may use a path of a role, the one with the widest view first. Only nodes receive keys. */
const mayDo: Readonly<Record<Role, readonly Role[]>> = {
  node: ["node"],
  hook: ["hook", "admin"],
  read: ["read", "admin"],
  publish: ["publish", "admin"],
  preview: ["publish", "admin", "preview"],
  admin: ["admin"],
};

/** The identity of a token that permits a request for a role. */
export function identityFor(identities: readonly Identity[], role: Role): Identity | undefined {
  for (const one of mayDo[role]) {
    const found = identities.find((identity) => identity.role === one);
    if (found) return found;
  }
  return undefined;
}

/** Permits everything to every client: for a listener on loopback. */
export const everyone: Authenticate = () =>
  Promise.resolve([
    { role: "admin", name: "", id: "", fleet: defaultFleet },
    { role: "node", name: "", id: "", fleet: defaultFleet },
  ]);

export interface TokenAuthOptions {
  /** Read for each request, so that tokens can change while the server runs. */
  tokens(): ParsedTokens;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Refuse plain HTTP except from this machine. */
  readonly requireTls: boolean;
  /** The SHA-256 fingerprint (hex) of a client certificate that the platform has verified. */
  fingerprint?(request: Request): string | undefined;
}

/** Permits requests with a known bearer token or client certificate. */
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
    const retryAfter = failures.add(client(), now());
    return retryAfter === undefined ? unauthorized : tooMany(retryAfter);
  };
}

/**
 * The token of a request: the bearer token, or the last part of a hook's path, because an API server can't be
 * configured to send a header. Never the query, which appears in logs.
 */
function tokenOf(request: Request, url: URL): string {
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  return bearer ?? /^\/hooks\/[a-z]+\/([^/]+)$/.exec(url.pathname)?.[1] ?? "";
}

/** Whether a host, bare or as in a URL, is this machine. */
export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1|\[::1\])$/.test(host);

const tooMany = (seconds: number): Refusal => ({
  status: 429,
  code: "too-many-failures",
  detail: `too many requests without a valid token came from this address: fix the token; the count starts again in ${seconds} s`,
  headers: { "retry-after": String(seconds) },
});

const windowMs = 60_000;
const maxFailures = 20;
const maxClients = 10_000;

/**
 * Counts failures by client. A valid token is accepted even from an address with many failures: one Envoy with an old
 * token must not lock out others with the same address.
 */
class Failures {
  readonly #clients = new Map<string, { since: number; count: number }>();

  /** Returns the seconds to wait, once there are too many failures. */
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

/** The header with the identities, which the Worker sends to the object of a fleet; removed from outside requests. */
const identityHeader = "x-isoline-identity";

/** The headers of a request that the Worker has authenticated. */
export const forwardedAs = (identities: readonly Identity[]): Readonly<Record<string, string>> => ({
  [identityHeader]: JSON.stringify(identities),
});

/** Trusts the header of the Worker, which has authenticated the request. */
export const forwardedAuth: Authenticate = (request) => {
  const text = request.headers.get(identityHeader);
  return Promise.resolve(text === null ? unauthorized : (JSON.parse(text) as readonly Identity[]));
};
