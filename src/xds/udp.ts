import type { Listener, Typed } from "../gen/envoy.js";
import type { UdpStream } from "../graph/api/gateway/udp.js";
import type { Reachable } from "../graph/backends/address.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Resource } from "../store/store.js";
import { writeAccessLog } from "./access-log.js";
import { clusterMembers } from "./cluster.js";
import { datagramCluster } from "./datagram-cluster.js";
import { duration } from "./duration.js";
import { type ExtensionEndpoints, weightedLocalities } from "./extension-cluster.js";

/** Without a datagram for so long a client's session ends, and with it the choice of a backend. */
const idleMs = 60_000;

/**
 * The endpoint for the share of backends that are missing or have no endpoints: nothing answers at the discard port
 * (RFC 863) of Envoy's machine. Without an endpoint the share would go to the other backends (Gateway API,
 * UDPRouteRule.backendRefs).
 */
const dropped = { address: "127.0.0.1" as Reachable, port: 9 };

const withDropped = (found: readonly ExtensionEndpoints[], lost: number): readonly ExtensionEndpoints[] => {
  const hole = [{ endpoints: [dropped] }];
  const usable = found.map((one) =>
    one.endpoints.groups.some(({ endpoints }) => endpoints.length > 0)
      ? one
      : { ...one, endpoints: { ...one.endpoints, groups: hole } },
  );
  const share = { service: "isoline.dropped", port: "", weight: lost, endpoints: { groups: hole } };
  return lost > 0 ? [...usable, share] : usable;
};

/** A listener for UDP, and the cluster of its backends with a locality for each Service. */
export function writeUdp(
  { listener: name, addresses, port, lost }: UdpStream,
  found: readonly ExtensionEndpoints[],
  settings: SettingsSpec,
): readonly Resource[] {
  const cluster = datagramCluster(name);
  const log = writeAccessLog(settings.http.accessLog, settings.accessLog);
  const proxy: Typed<"type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig"> = {
    "@type": "type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig",
    stat_prefix: name,
    idle_timeout: duration(idleMs),
    matcher: {
      on_no_match: {
        action: {
          name: "route",
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.Route",
            cluster,
          },
        },
      },
    },
    ...(log.length > 0 ? { access_log: log } : {}),
  };
  const [address = "", ...more] = addresses;
  const at = (one: string) => ({
    socket_address: { address: one, port_value: port, protocol: "UDP" as const },
  });
  const listener: Listener = {
    name,
    address: at(address),
    ...(more.length > 0 ? { additional_addresses: more.map((one) => ({ address: at(one) })) } : {}),
    udp_listener_config: {},
    listener_filters: [{ name: "envoy.filters.udp_listener.udp_proxy", typed_config: proxy }],
  };
  const members = clusterMembers({ loadBalancing: "round-robin", weightedLocalities: true }, settings);
  const head = `{"name":${JSON.stringify(cluster)},"alt_stat_name":${JSON.stringify(cluster.replaceAll("/", "_"))}`;
  const mode = found.find(({ endpoints }) => endpoints.mode)?.endpoints.mode;
  const common = { group: "", ...(mode ? { mode } : {}) };
  const localities = JSON.stringify(weightedLocalities(withDropped(found, lost), settings));
  return [
    { type: "listener", group: "", name, json: JSON.stringify(listener) },
    { type: "cluster", ...common, name: cluster, json: `${head},${members}}`, endpoints: `udp:${name}` },
    { type: "endpoints", ...common, name: `udp:${name}`, json: localities },
  ];
}
