import { type GatewayView, readGateway, viewOf } from "../graph/api/gateway/gateway.js";
import { isUnder, widerThan } from "../graph/api/gateway/hostnames.js";
import { isOfValidation, parentOf } from "../graph/api/gateway/problems.js";
import { readTcpListeners } from "../graph/api/gateway/tcp.js";
import { readUdpStreams } from "../graph/api/gateway/udp.js";
import { portKey } from "../graph/backends/backend.js";
import { validatorOf } from "../graph/core/claims.js";
import {
  endpointsName,
  endpointsUnit,
  hostUnit,
  listenersUnit,
  routesKey,
  type UnitKey,
} from "../graph/core/keys.js";
import type { Reader } from "../graph/core/reader.js";
import { type RouteOrigin, readOrigins } from "../graph/core/route-origins.js";
import { StoreReader } from "../graph/core/store-reader.js";
import { indexIn } from "../schema/field-path.js";
import { type Finding, type Ref, refOf } from "../schema/meta.js";
import { isGatewayRoute } from "../schema/object.js";
import { type SettingsSpec, settingsRef } from "../schema/settings.js";
import type { Store } from "../store/store.js";
import type { GatewaySeat } from "./gateway-seat.js";
import { gatewayOf, type MainGateway } from "./listener-names.js";
import { serviceOf } from "./names.js";

/** The contents of a store that its compiled configuration lacks. */
export interface Origins {
  /** The origin of each route of a virtual host, in the order of the routes. */
  routes(table: string, host: string): readonly RouteOrigin[];
  /** The Gateway of the setting `gatewayRef`; undefined without one. */
  mainGateway(): MainGateway | undefined;
  /** The listener of a Gateway that a host has on an Envoy listener or route table; undefined without a Gateway. */
  seat(place: string, host: string): GatewaySeat | undefined;
  /** What an Envoy listener for TCP or UDP sends to; undefined if no route of a Gateway has it. */
  stream(listener: string): StreamOrigin | undefined;
}

/** The route of a TCP or UDP listener. */
export interface StreamOrigin extends RouteOrigin {
  /** The Services of a UDPRoute as `namespace/name`, with their weights. Those of a TCPRoute are clusters. */
  readonly services?: readonly { readonly service: string; readonly weight: number }[];
}

type Objects = Pick<Store, "object" | "claimants" | "cache" | "unit">;
type Platform = Pick<Reader, "checkKeyPair">;

/** Reads origins from a store; valid while its objects do not change. */
export function originsIn(store: Objects, settings: SettingsSpec, platform: Platform): Origins {
  const reader = new StoreReader(store, settings, platform);
  return {
    routes: (table, host) => {
      const origins = store.unit(hostUnit(host))?.origins ?? [];
      return readOrigins(origins.find((one) => one.table === table)?.routes ?? "[]");
    },
    mainGateway: () => {
      const view = readGateway(reader);
      const ports = new Map(
        view?.listeners.flatMap(({ envoy, spec }) => (envoy === undefined ? [] : [[envoy, spec.port]])),
      );
      return view && { name: nameOf(view.gateway), ports };
    },
    seat: (place, host) => {
      const [namespace, name = ""] = gatewayOf(place)?.split("/") ?? [];
      const view = namespace === undefined ? readGateway(reader) : viewOf(namespace, name, reader);
      return view && seatIn(view, place, host);
    },
    stream: (listener) => {
      const datagrams = readUdpStreams(reader).find((one) => one.listener === listener);
      const from = datagrams?.from ?? readTcpListeners(reader).get(listener)?.from;
      if (from === undefined) return undefined;
      const services = datagrams?.backends.map(({ namespace, service, weight }) => ({
        service: `${namespace}/${service}`,
        weight,
      }));
      return { ref: from, field: "spec.rules[0]", ...(services ? { services } : {}) };
    },
  };
}

const nameOf = ({ meta }: { readonly meta: { readonly namespace: string; readonly name: string } }): string =>
  `${meta.namespace}/${meta.name}`;

/** The listener with the closest hostname among those of a place. */
function seatIn({ gateway, listeners }: GatewayView, place: string, host: string): GatewaySeat | undefined {
  const [found] = listeners
    .filter(
      ({ ready, site, envoy, hostname }) =>
        ready &&
        (site === place || envoy === place) &&
        (hostname === "" || hostname === host || isUnder(host, hostname)),
    )
    .sort((a, b) => b.hostname.length - a.hostname.length);
  if (!found) return undefined;
  const { owner, spec } = found;
  return {
    gateway: nameOf(gateway),
    listener: spec.name,
    ...(owner.kind === "ListenerSet" ? { listenerSet: nameOf(owner) } : {}),
    port: spec.port,
  };
}

/** The objects that claim a host, and findings about the objects behind it. */
export interface Claims {
  readonly claimants: readonly Ref[];
  /** Why the host may not be served. */
  readonly findings: readonly Finding[];
  /** All findings about one of the objects. */
  findingsOn(ref: Ref): readonly Finding[];
  /** Findings about the endpoints of a cluster. */
  findingsBehind(cluster: string): readonly Finding[];
}

export function claimsOn(store: Pick<Store, "object" | "claimants" | "unit">, host: string): Claims {
  // Findings that depend on the time are omitted, because there is no clock here.
  const findingsOf = (unit: UnitKey): readonly Finding[] =>
    (store.unit(unit)?.findings ?? []).filter(({ unlessBetween }) => !unlessBetween);
  const validationOf = (ref: Ref): readonly Finding[] => {
    const route = store.object(ref);
    if (!route || !isGatewayRoute(route)) return [];
    return findingsOf(validatorOf(route)).filter((one) => one.about === ref && isOfValidation(one));
  };
  const routeFindings = (name: string): readonly Finding[] =>
    store.claimants(routesKey(name)).flatMap(validationOf);
  const own = findingsOf(hostUnit(host)).filter((finding) => !isOfValidation(finding));
  return {
    claimants: store.claimants(hostUnit(host)).filter((ref) => ref !== settingsRef),
    get findings() {
      const wider = widerThan(host);
      const unattached = wider.flatMap(routeFindings).filter((finding) => parentOf(finding) !== undefined);
      const listeners = findingsOf(listenersUnit).filter((finding) =>
        isOnListener(finding, [host, ...wider], store),
      );
      return [...own, ...routeFindings(host), ...unattached, ...listeners];
    },
    findingsOn: (ref) => [...own.filter(({ about }) => about === ref), ...validationOf(ref)],
    findingsBehind: (cluster) => {
      const [namespace = "", name = "", number] = serviceOf(cluster).split("/");
      const service = store.object(refOf("Service", namespace, name));
      const ports = service?.kind === "Service" ? (service.spec.ports ?? []) : [];
      const port = ports.find((one) => String(one.port) === number);
      return port
        ? findingsOf(endpointsUnit(endpointsName({ namespace, service: name, port: portKey(port) })))
        : [];
    },
  };
}

/** Whether a finding is about a Gateway listener for one of these hosts. */
function isOnListener(
  { about, path = "" }: Finding,
  hosts: readonly string[],
  store: Pick<Store, "object">,
): boolean {
  const gateway = store.object(about);
  const index = indexIn(path, "spec.listeners");
  if (gateway?.kind !== "Gateway" || index === undefined) return false;
  return hosts.includes(gateway.spec.listeners[index]?.hostname.toLowerCase() || "*");
}
