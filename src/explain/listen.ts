import type { Listener } from "../gen/envoy.js";
import { ingressHttp, ingressHttps } from "../graph/core/listener-names.js";
import { managerOf, type RequestConfig } from "./config.js";
import { describePorts, type GatewayPorts, nameAt, parseListenerName, reachOf } from "./listener-names.js";
import { type ClientRequest, hostName } from "./request.js";
import { selectChain, selectVirtualHost } from "./select.js";

/**
 * The listener for a request, or why there is none. Without a Gateway (no `ports`) only the scheme selects it, because
 * a load balancer in front of Envoy may map any port. With a Gateway, a port of the URL is the Gateway's or Envoy's.
 */
export function findListener(
  config: RequestConfig,
  request: ClientRequest,
  ports?: GatewayPorts,
): Met | { readonly refusal: string } {
  const { listeners } = config;
  const { scheme, port } = request;
  const main = scheme === "https" ? ingressHttps : ingressHttp;
  const name = ports && port !== undefined ? nameAt(port, ports) : main;
  const listener = listeners.get(name ?? "");
  const ofClass = closestOfClass(config, request);
  const usual = name !== undefined && listener ? hostOn(config, { name, listener }, request) : 0;
  if (ofClass && ofClass.closeness > usual) return ofClass.met;
  if (name !== undefined && listener) {
    const refusal = schemeRefusal(request, name, ports);
    return refusal === undefined ? { name, listener } : { refusal };
  }
  if (!ports || port === undefined)
    return { refusal: `nothing listens for ${scheme}: no host is served over it` };
  const why = name === undefined ? "the Gateway has no such port" : "nothing is served on it";
  const open = [...ports.keys()].filter((other) => listeners.has(other));
  const others = open.length > 0 ? `open ports: ${describePorts(open, ports)}` : "no port is open";
  return { refusal: `nothing listens on port ${port}: ${why}; ${others}` };
}

interface Met {
  readonly name: string;
  readonly listener: Listener;
}

/**
 * Of the listeners of Gateways of classes that take the scheme and the port of a request (80 and 443 without one), the one that is closest to its host. The
 * address of the Gateway is what a client chooses it by: a name does not say which.
 */
function closestOfClass(
  config: RequestConfig,
  request: ClientRequest,
): { readonly met: Met; readonly closeness: number } | undefined {
  const wanted = request.port ?? (request.scheme === "https" ? 443 : 80);
  let best: { readonly met: Met; readonly closeness: number } | undefined;
  for (const [name, listener] of config.listeners) {
    const { family, port } = name.includes("/") ? (parseListenerName(name) ?? {}) : {};
    if (family !== request.scheme || port !== wanted) continue;
    const met = { name, listener };
    const closeness = hostOn(config, met, request);
    if (closeness > (best?.closeness ?? 0)) best = { met, closeness };
  }
  return best;
}

/** How close a listener is to the host of a request: 0 where it has nothing for it, else more for a longer name; a host with routes comes before one without. */
function hostOn({ tables }: RequestConfig, { listener }: Met, request: ClientRequest): number {
  const chain = selectChain(listener, request.serverName);
  const manager = chain && managerOf(chain);
  if (!manager) return chain?.filter_chain_match?.server_names ? 2 * request.serverName.length + 1 : 0;
  const table = tables.get(manager.rds?.route_config_name ?? manager.scoped_routes?.name ?? "");
  const found = table && selectVirtualHost(table, hostName(request.authority));
  if (!found) return 0;
  return 2 * found.domain.length + ((found.virtualHost.routes ?? []).length > 0 ? 1 : 0);
}

function schemeRefusal({ scheme }: ClientRequest, name: string, ports?: GatewayPorts): string | undefined {
  const { family } = parseListenerName(name) ?? {};
  if (family === scheme || family === "tcp") return undefined;
  const served = reachOf(name, ports);
  return `the connection is closed: ${served} accepts ${scheme === "http" ? "only TLS" : "no TLS"}`;
}
