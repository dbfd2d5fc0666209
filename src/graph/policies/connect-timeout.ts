import type { Policy } from "./policy.js";

/** The timeout for connecting to an endpoint, in ms, in place of the setting `timeouts.connectTimeout`. */
export const connectTimeoutMs: Policy<{ cluster: number }> = {
  protects: false,
  fields: {},
  read: { clusterFields: () => undefined },
};
