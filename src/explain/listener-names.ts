import type { Listener } from "../gen/envoy.js";
import { envoyPort, type Family } from "../graph/api/gateway/ports.js";
import { fallbackTable, ingressHttp, ingressHttps } from "../graph/core/listener-names.js";

/** Ports of the Gateway by the names of their Envoy listeners. */
export type GatewayPorts = ReadonlyMap<string, number>;

/** What is known about the Gateway of the settings. */
export interface MainGateway {
  /** `namespace/name`. */
  readonly name: string;
  readonly ports: GatewayPorts;
}

/** The parsed name of an Envoy listener for traffic; names of main listeners contain no port. */
export interface ParsedListenerName {
  readonly family: Family;
  readonly port?: number;
}

/** Undefined for listeners of health and statistics. */
export function parseListenerName(name: string): ParsedListenerName | undefined {
  if (name === ingressHttp) return { family: "http" };
  if (name === ingressHttps) return { family: "https" };
  const [, , family, port] = trafficName.exec(name) ?? [];
  return family ? { family: family as Family, port: Number(port) } : undefined;
}

/**
 * The name of a listener for traffic, of a Gateway of a class after `<namespace>/<name>/`; route tables that one of its listeners has for itself go on
 * after that (`tableOf` of graph/api/gateway/listeners.ts).
 */
const trafficName = /^((?:[^/]+\/[^/]+\/)?(http|https|tcp|udp)-(\d+))(?:(?:\/[^/]+\/[^/]+)?:.+)?$/;

/** The Envoy listener that has a route table. */
export const listenerOfTable = (table: string): string =>
  table === fallbackTable ? ingressHttps : (trafficName.exec(table)?.[1] ?? table);

/** The IP addresses that a listener is bound to. */
export const addressesIn = (listener: Listener | undefined): readonly string[] =>
  [listener?.address, ...(listener?.additional_addresses ?? []).map(({ address }) => address)].flatMap(
    (one) => one?.socket_address?.address ?? [],
  );

/** `namespace/name` of the Gateway of a class that has a listener or route table; undefined for the listeners of the settings and of `gatewayRef`. */
export const gatewayOf = (name: string): string | undefined => ownerName.exec(name)?.[1];

const ownerName = /^([^/]+\/[^/]+)\/(?:http|https|tcp|udp)-\d+(?:\/([^/]+\/[^/]+))?(?::(.+))?$/;

/**
 * Scheme and port of a listener or route table: `http`, or `http on port 8080`; for Gateways of classes also the
 * Gateway, and the listener with this route table: `https on port 443, Gateway infra/edge, listener web`. Unique.
 */
export function reachOf(name: string, ports?: GatewayPorts): string {
  const parsed = parseListenerName(name);
  const port = ports?.get(name) ?? parsed?.port;
  const [, gateway, set, listener] = ownerName.exec(name) ?? [];
  return [
    `${parsed?.family ?? name}${port === undefined ? "" : ` on port ${port}`}`,
    ...(gateway ? [`Gateway ${gateway}`] : []),
    ...(set ? [`ListenerSet ${set}`] : []),
    ...(listener ? [`listener ${listener}`] : []),
  ].join(", ");
}

/** The name of the Envoy listener for a port of the Gateway, or, if the Gateway lacks that port, of Envoy. */
export function nameAt(port: number, ports: GatewayPorts): string | undefined {
  const all = [...ports];
  const found = all.find(([, own]) => own === port) ?? all.find(([, own]) => envoyPort(own) === port);
  return found?.[0];
}

/** Names of listeners, sorted by port. */
export const inOrder = (names: Iterable<string>, ports?: GatewayPorts): string[] =>
  [...names].sort((a, b) => (ports?.get(a) ?? 0) - (ports?.get(b) ?? 0));

/** A description of the ports of some listeners: `80 (http, Envoy's 8080)`. */
export const describePorts = (names: Iterable<string>, ports: GatewayPorts): string =>
  inOrder(names, ports)
    .map((name) => {
      const port = ports.get(name) ?? 0;
      return `${port} (${parseListenerName(name)?.family}, Envoy's ${envoyPort(port)})`;
    })
    .join(", ");
