import type { Policy } from "./policy.js";

/** How long connecting to an endpoint may take, in ms, where the setting `timeouts.connectTimeout` does not say it. */
export const connectTimeoutMs: Policy<{ cluster: number }> = {
  protects: false,
  fields: {},
  read: { clusterFields: () => undefined },
};
