import type { Policy } from "./policy.js";

/** Who may come in with a password. */
export interface BasicAuth {
  /** Lines `user:{SHA}hash`, at least one. */
  readonly users: readonly string[];
}

/** `auth-type: basic` of an Ingress of ingress-nginx. */
export const basicAuth: Policy<{ route: BasicAuth }, true> = {
  protects: true,
  fields: {},
  read: { route: () => undefined },
};
