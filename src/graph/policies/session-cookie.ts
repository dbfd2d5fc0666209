import type { Policy } from "./policy.js";

/** A cookie that names the endpoint of a session: the session stays there as long as the endpoint exists. */
export interface SessionCookie {
  readonly name: string;
  readonly path: string;
  /** The lifetime; 0 makes a cookie for the session of the browser. */
  readonly seconds: number;
  readonly attributes?: readonly { readonly name: string; readonly value: string }[];
}

/** Sessions of Ingresses of ingress-nginx (`affinity-mode: persistent`). */
export const sessionCookie: Policy<{ route: SessionCookie }> = {
  protects: false,
  fields: {},
  read: { route: () => undefined },
};
