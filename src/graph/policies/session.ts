import type { Policy } from "./policy.js";

/** How the requests of a client reach the same endpoint of a backend (SessionPersistence of the Gateway API). */
export interface Session {
  readonly kind: "cookie" | "header";
  /** The name of the cookie or header that has the address of the endpoint. */
  readonly name: string;
  /** The path of the cookie. */
  readonly path?: string;
  /** Envoy ignores the cookie after this time; absent: never. */
  readonly seconds?: number;
  /** Clients keep the cookie until they end, even if it has a time. */
  readonly isSessionCookie?: true;
  /** Clients send the cookie over TLS only. */
  readonly secure?: true;
}

export const session: Policy<{ service: Session }> = {
  protects: false,
  fields: {},
  read: { service: () => undefined },
};
