import type { Policy } from "./policy.js";

/** The users that may log in with a password. */
export interface BasicAuth {
  /** At least one, each as `user:{SHA}hash`. */
  readonly users: readonly string[];
}

/** `auth-type: basic` of an Ingress of ingress-nginx. */
export const basicAuth: Policy<{ route: BasicAuth }, true> = {
  protects: true,
  fields: {},
  read: { route: () => undefined },
};
