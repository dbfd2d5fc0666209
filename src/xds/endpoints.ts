import type { LbEndpoint, LocalityLbEndpoints } from "../gen/envoy.js";
import type { Endpoint, Endpoints } from "../graph/endpoints.js";
import type { Resource } from "../store/store.js";

/** The endpoints of a Service port; none is an empty list, never an absent resource. */
export function writeEndpoints(name: string, { endpoints, mode }: Endpoints): Resource {
  const localities: LocalityLbEndpoints[] =
    endpoints.length === 0 ? [] : [{ lb_endpoints: endpoints.map(writeEndpoint) }];
  return { type: "endpoints", group: "", name, json: JSON.stringify(localities), ...(mode ? { mode } : {}) };
}

export const writeEndpoint = ({ address, port, healthPort }: Endpoint): LbEndpoint => ({
  endpoint: {
    address: { socket_address: { address, port_value: port } },
    ...(healthPort ? { health_check_config: { port_value: healthPort } } : {}),
  },
});
