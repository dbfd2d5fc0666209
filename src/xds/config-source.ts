import type { ConfigSource } from "../gen/envoy.js";

/**
 * Where Envoy polls one resource. `cluster` is the xDS cluster of its bootstrap; equal sources for one name share a
 * subscription.
 */
export const configSource = (cluster: string): ConfigSource => ({
  resource_api_version: "V3",
  initial_fetch_timeout: "0s",
  api_config_source: {
    api_type: "REST",
    transport_api_version: "V3",
    cluster_names: [cluster],
    refresh_delay: "0.1s",
    request_timeout: "30s",
  },
});
