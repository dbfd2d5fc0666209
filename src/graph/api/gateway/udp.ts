import type { Ref } from "../../../schema/meta.js";
import { portKey } from "../../backends/backend.js";
import { tcpUnit } from "../../core/keys.js";
import { byAge } from "../../core/order.js";
import { objectsOf, type Reader } from "../../core/reader.js";
import { parentsOf } from "./attach.js";
import { resolveService } from "./backends.js";
import { addressesOf } from "./gateway.js";
import type { RouteObject } from "./gateway-listener.js";
import { envoyPort } from "./ports.js";
import { type GatewayRouteContext, routeContext } from "./problems.js";
import { isListening } from "./taken-ports.js";

/** One Service that gets datagrams. */
interface UdpBackend {
  readonly namespace: string;
  readonly service: string;
  /** In the form of `EndpointsName`. */
  readonly port: string;
  readonly weight: number;
}

/** The backends of a UDPRoute. */
interface UdpBackends {
  /** Those with a weight. */
  readonly backends: readonly UdpBackend[];
  /** The weight of the backends that can't be used: their share of datagrams is dropped. */
  readonly lost: number;
}

/** The configuration of a UDP listener. */
export interface UdpStream {
  /** The name of the Envoy listener. */
  readonly listener: string;
  /** The route whose first rule it is. */
  readonly from: Ref;
  readonly addresses: readonly string[];
  readonly port: number;
  readonly backends: readonly UdpBackend[];
  readonly lost: number;
}

/** The UDP listeners of Gateways. The oldest route of a listener gets its datagrams. */
export function readUdpStreams(reader: Reader): readonly UdpStream[] {
  const found = new Map<string, UdpStream>();
  for (const route of objectsOf("UDPRoute", reader.claimants(tcpUnit), reader).sort(byAge)) {
    const { backends, lost } = readUdpBackends(route, routeContext(route, reader));
    if (backends.length === 0) continue;
    for (const { attached, view } of parentsOf(route, reader))
      for (const { listener } of attached) {
        const { envoy, spec } = listener;
        if (!envoy || found.has(envoy) || !isListening(listener, view, reader)) continue;
        const addresses = addressesOf(view, reader)?.list ?? [reader.settings.http.address];
        const port = view.isMain ? envoyPort(spec.port) : spec.port;
        if (addresses.length > 0)
          found.set(envoy, { listener: envoy, from: route.ref, addresses, port, backends, lost });
      }
  }
  return [...found.values()];
}

/** The backends of a UDPRoute. A route with several rules has none, as for a TCPRoute. */
export function readUdpBackends(route: RouteObject, context: GatewayRouteContext): UdpBackends {
  const [rule, more] = route.spec.rules;
  if (!rule || more) return { backends: [], lost: 0 };
  const backends: UdpBackend[] = [];
  let lost = 0;
  for (const [i, { weight, ...ref }] of rule.backendRefs.entries()) {
    const resolved = resolveService(context, ref, `spec.rules[0].backendRefs[${i}]`, "UDP");
    if (!resolved) lost += weight;
    else if (weight > 0) {
      const { namespace, name } = resolved.service.meta;
      backends.push({ namespace, service: name, port: portKey(resolved.port), weight });
    }
  }
  return { backends, lost };
}
