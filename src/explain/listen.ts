import ipaddr from "ipaddr.js";
import type { Listener } from "../gen/envoy.js";
import type { Family } from "../graph/api/gateway/ports.js";
import { ingressHttp, ingressHttps } from "../graph/core/listener-names.js";
import { closedCluster } from "../xds/closed-cluster.js";
import { tcpBackends } from "./chain.js";
import { managerOf, type RequestConfig } from "./config.js";
import {
  addressesIn,
  describePorts,
  type GatewayPorts,
  gatewayOf,
  type MainGateway,
  nameAt,
  parseListenerName,
  reachOf,
} from "./listener-names.js";
import { type ClientConnection, type ClientRequest, hostName } from "./request.js";
import { AmbiguousRequestError, RequestSyntaxError } from "./request-error.js";
import { selectChain, selectVirtualHost } from "./select.js";

export interface Met {
  readonly name: string;
  readonly listener: Listener;
}

type Found = Met | { readonly refusal: string };

/** A listener that takes a request, and how close it is to the host of the request. */
interface Candidate extends Met {
  /** 0 if the listener has nothing for the host, else more for a longer name. */
  readonly closeness: number;
  /** Whether a route or a backend handles the host there. */
  readonly isRouted: boolean;
}

/**
 * The listener for a request, or why there is none. Without Gateways only the scheme selects it, because a load balancer in front of Envoy may map any port.
 * With the Gateway of the settings, a port of the URL is the Gateway's or Envoy's. Gateways of classes take their own ports, 80 and 443 without one.
 *
 * @throws AmbiguousRequestError if listeners of several Gateways have a route for it, and the request chooses none of them.
 * @throws RequestSyntaxError if no listener has the Gateway or the address that it chooses.
 */
export function findListener(config: RequestConfig, request: ClientRequest, main?: MainGateway): Found {
  const choice = choiceOf(config, request, main);
  const usual = choice.isChosen(ingressHttp) || choice.isChosen(ingressHttps);
  const first: Found = usual ? mainListener(config, request, main) : choice.refusal(request);
  const wanted = request.port ?? (request.scheme === "https" ? 443 : 80);
  const takers = [
    ...("name" in first && choice.isChosen(first.name) ? [first] : []),
    ...ofClasses(config, choice, wanted, [request.scheme, "tcp"]),
  ].map((met) => candidate(config, met, request));
  const routed = takers.filter(({ isRouted }) => isRouted);
  const best = oneOf(routed, request, wanted, main) ?? closest(takers);
  if (best) return best;
  const [other] = ofClasses(config, choice, wanted, ["http", "https"]);
  if (!("refusal" in first)) return first;
  const scheme = other && request.port !== undefined && schemeRefusal(request.scheme, other.name, undefined);
  if (scheme) return { refusal: scheme };
  return request.gateway === undefined && request.address === undefined ? first : choice.refusal(request);
}

/** The listener for a connection whose content Envoy does not read. Throws as `findListener` does. */
export function findConnection(config: RequestConfig, asked: ClientConnection, main?: MainGateway): Found {
  const { scheme, port } = asked;
  const choice = choiceOf(config, asked, main);
  const families: readonly Family[] = scheme === "tls" ? ["https", "tcp"] : [scheme];
  const own = main && choice.isChosen(ingressHttp) ? nameAt(port, main.ports) : undefined;
  const usual =
    own ?? (!main && scheme === "tls" && choice.isChosen(ingressHttps) ? ingressHttps : undefined);
  const listener = config.listeners.get(usual ?? "");
  const isUsual = usual !== undefined && families.some((one) => one === parseListenerName(usual)?.family);
  const takers = [
    ...(isUsual && listener ? [{ name: usual, listener }] : []),
    ...ofClasses(config, choice, port, families),
  ].map((met) => candidate(config, met, asked));
  const routed = takers.filter(({ isRouted }) => isRouted);
  const best = oneOf(routed, asked, port, main) ?? closest(takers);
  if (best) return best;
  const [other] = ofClasses(config, choice, port, ["http", "https", "tcp"]);
  if (other && scheme !== "udp") {
    const { family } = parseListenerName(other.name) ?? {};
    const instead = family === "tcp" ? "tcp:// or tls://" : `${family}://`;
    return { refusal: `${reachOf(other.name)} does not take ${scheme}: ask for a URL with ${instead}` };
  }
  return choice.refusal(asked);
}

function mainListener(config: RequestConfig, request: ClientRequest, main: MainGateway | undefined): Found {
  const { listeners } = config;
  const { scheme, port } = request;
  const ports = main?.ports;
  const usual = scheme === "https" ? ingressHttps : ingressHttp;
  const name = ports && port !== undefined ? nameAt(port, ports) : usual;
  const listener = listeners.get(name ?? "");
  if (name !== undefined && listener) {
    const refusal = schemeRefusal(scheme, name, ports);
    return refusal === undefined ? { name, listener } : { refusal };
  }
  if (!ports || port === undefined)
    return { refusal: `nothing listens for ${scheme}: no host is served over it` };
  const why = name === undefined ? "the Gateway has no such port" : "nothing is served on it";
  const open = [...ports.keys()].filter((other) => listeners.has(other));
  const others = open.length > 0 ? `open ports: ${describePorts(open, ports)}` : "no port is open";
  return { refusal: `nothing listens on port ${port}: ${why}; ${others}` };
}

/** The listeners of Gateways of classes with one of the families and a port. */
const ofClasses = (
  { listeners }: RequestConfig,
  choice: Choice,
  wanted: number,
  families: readonly Family[],
): Met[] =>
  [...listeners].flatMap(([name, listener]) => {
    const { family, port } = gatewayOf(name) === undefined ? {} : (parseListenerName(name) ?? {});
    const isFitting = port === wanted && families.some((one) => one === family);
    return isFitting && choice.isChosen(name) ? [{ name, listener }] : [];
  });

interface Choice {
  isChosen(listener: string): boolean;
  /** Why no listener that is chosen takes a request. */
  refusal(asked: ClientRequest | ClientConnection): { readonly refusal: string };
}

function choiceOf(
  { listeners }: RequestConfig,
  { gateway, address, target }: ClientRequest | ClientConnection,
  main: MainGateway | undefined,
): Choice {
  const names = [...listeners.keys()].filter((name) => parseListenerName(name) !== undefined);
  const isAt = (name: string, wanted: string): boolean =>
    addressesIn(listeners.get(name)).some((one) => isSameAddress(one, wanted));
  // An address in the URL chooses a listener that is bound to it; any other one, such as a load balancer's, does not.
  const wanted = address ?? (names.some((name) => target && isAt(name, target)) ? target : undefined);
  const nameOf = (name: string): string | undefined =>
    gatewayOf(name) ?? (main && (main.ports.has(name) || isMain(name)) ? main.name : undefined);
  const gateways = new Set([...names.flatMap((name) => nameOf(name) ?? []), ...(main ? [main.name] : [])]);
  if (gateway !== undefined && !gateways.has(gateway))
    throw new RequestSyntaxError(
      `Gateway ${gateway} is not served; served Gateways: ${[...gateways].sort().join(", ") || "none"}`,
    );
  if (address !== undefined && !names.some((name) => isAt(name, address)))
    throw new RequestSyntaxError(
      `no listener has the address ${address}; addresses: ${[...new Set(names.flatMap((name) => addressesIn(listeners.get(name))))].sort().join(", ") || "none"}`,
    );
  const isChosen = (name: string): boolean =>
    (gateway === undefined || nameOf(name) === gateway) &&
    (wanted === undefined || !listeners.has(name) || isAt(name, wanted));
  return {
    isChosen,
    refusal: ({ scheme, port }) => {
      const own = names.filter(isChosen).map((name) => reachOf(name, main?.ports));
      const where = port === undefined ? "" : ` on port ${port}`;
      const of = [
        ...(gateway === undefined ? [] : [` of Gateway ${gateway}`]),
        ...(wanted === undefined ? [] : [` at ${wanted}`]),
      ].join("");
      return {
        refusal: `nothing listens for ${scheme}${where}${of}; open: ${own.sort().join("; ") || "nothing"}`,
      };
    },
  };
}

const isMain = (name: string): boolean => name === ingressHttp || name === ingressHttps;

function isSameAddress(a: string, b: string): boolean {
  if (!ipaddr.isValid(a) || !ipaddr.isValid(b)) return false;
  return ipaddr.parse(a).toString() === ipaddr.parse(b).toString();
}

/** The one listener with routes for a request. @throws AmbiguousRequestError if there are several. */
function oneOf(
  routed: readonly Candidate[],
  { authority, scheme, serverName }: ClientRequest | ClientConnection,
  port: number,
  main: MainGateway | undefined,
): Candidate | undefined {
  if (routed.length < 2) return routed[0];
  const choices = routed.map(({ name, listener }) => {
    const gateway = gatewayOf(name) ?? main?.name;
    return { ...(gateway === undefined ? {} : { gateway }), addresses: addressesIn(listener) };
  });
  const listed = choices
    .map(({ gateway, addresses }) =>
      gateway === undefined
        ? `address ${addresses.join(", ")}`
        : `Gateway ${gateway} (${addresses.join(", ")})`,
    )
    .sort();
  const host = scheme === "tcp" || scheme === "udp" ? `port ${port}` : serverName || hostName(authority);
  throw new AmbiguousRequestError(
    `several listeners serve ${host} for ${scheme} on port ${port}: ${listed.join(", ")}; choose one by its Gateway or address`,
    choices,
  );
}

const closest = (takers: readonly Candidate[]): Candidate | undefined =>
  takers.reduce<Candidate | undefined>(
    (best, one) => (best && best.closeness >= one.closeness ? best : one),
    undefined,
  );

function candidate(
  { tables }: RequestConfig,
  met: Met,
  { serverName, authority }: Pick<ClientRequest, "serverName" | "authority">,
): Candidate {
  const { name, listener } = met;
  if (parseListenerName(name)?.family === "udp") return { ...met, closeness: 1, isRouted: true };
  const chain = selectChain(listener, serverName);
  const manager = chain && managerOf(chain);
  if (!manager) {
    const isRouted =
      chain !== undefined && tcpBackends(chain).some(({ cluster }) => cluster !== closedCluster);
    const length = chain?.filter_chain_match?.server_names ? serverName.length : 0;
    return { ...met, closeness: chain ? 2 * length + 1 : 0, isRouted };
  }
  const table = tables.get(manager.rds?.route_config_name ?? manager.scoped_routes?.name ?? "");
  const found = table && selectVirtualHost(table, hostName(authority));
  if (!found) return { ...met, closeness: 0, isRouted: false };
  const isRouted = (found.virtualHost.routes ?? []).length > 0;
  return { ...met, closeness: 2 * found.domain.length + (isRouted ? 1 : 0), isRouted };
}

function schemeRefusal(scheme: "http" | "https", name: string, ports?: GatewayPorts): string | undefined {
  const { family } = parseListenerName(name) ?? {};
  if (family === scheme || family === "tcp") return undefined;
  const served = reachOf(name, ports);
  return `the connection is closed: ${served} accepts ${scheme === "http" ? "only TLS" : "no TLS"}`;
}
