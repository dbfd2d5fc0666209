import type { Listener } from "../gen/envoy.js";
import { ingressHttp, ingressHttps } from "../graph/core/listener-names.js";
import type { RequestConfig } from "./config.js";
import { describePorts, type GatewayPorts, nameAt, parseListenerName, reachOf } from "./listener-names.js";
import type { ClientRequest } from "./request.js";

/**
 * The listener that a request comes to, or why none takes it. Without a Gateway (no `ports`) the scheme alone chooses it, as what
 * is in front of Envoy may map any port to its own. With one, a port of the URL is the Gateway's or Envoy's.
 */
export function meetListener(
  { listeners }: RequestConfig,
  request: ClientRequest,
  ports?: GatewayPorts,
): { readonly name: string; readonly listener: Listener } | { readonly refusal: string } {
  const { scheme, port } = request;
  const main = scheme === "https" ? ingressHttps : ingressHttp;
  const name = ports && port !== undefined ? nameAt(port, ports) : main;
  const listener = listeners.get(name ?? "");
  if (name !== undefined && listener) {
    const refusal = schemeRefusal(request, name, ports);
    return refusal === undefined ? { name, listener } : { refusal };
  }
  if (!ports || port === undefined)
    return { refusal: `nothing listens for ${scheme}: no host is served over it` };
  const why = name === undefined ? "the Gateway has no such port" : "nothing is served there";
  const open = [...ports.keys()].filter((other) => listeners.has(other));
  const others = open.length > 0 ? `open are ${describePorts(open, ports)}` : "none is open";
  return { refusal: `nothing listens on port ${port}: ${why}; ${others}` };
}

function schemeRefusal({ scheme }: ClientRequest, name: string, ports?: GatewayPorts): string | undefined {
  const { family } = parseListenerName(name) ?? {};
  if (family === scheme || family === "tcp") return undefined;
  const served = reachOf(name, ports);
  return `the connection is closed: ${served} takes ${scheme === "http" ? "TLS alone" : "no TLS"}`;
}
