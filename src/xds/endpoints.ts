import type { LocalityLbEndpoints } from "../gen/envoy.js";
import type { Endpoints } from "../graph/endpoints.js";
import type { Resource } from "../store/store.js";

/** The endpoints of a Service port; none is an empty list, never an absent resource. */
export function writeEndpoints(name: string, { endpoints, mode }: Endpoints): Resource {
  const localities: LocalityLbEndpoints[] =
    endpoints.length === 0
      ? []
      : [
          {
            lb_endpoints: endpoints.map(({ address, port }) => ({
              endpoint: { address: { socket_address: { address, port_value: port } } },
            })),
          },
        ];
  return { type: "endpoints", group: "", name, json: JSON.stringify(localities), ...(mode ? { mode } : {}) };
}
