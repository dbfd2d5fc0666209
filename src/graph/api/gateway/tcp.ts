import type { Ref } from "../../../schema/meta.js";
import { tcpUnit } from "../../core/keys.js";
import type { TcpBackend } from "../../core/nodes.js";
import { byAge } from "../../core/order.js";
import { objectsOf, type Reader } from "../../core/reader.js";
import { parentsOf } from "./attach.js";
import { type BackendOptions, readTcpBackends } from "./backends.js";
import type { GatewayListener, RouteObject } from "./gateway-listener.js";
import { routeContext } from "./problems.js";

/** The configuration of a TCP listener. */
interface TcpStream {
  /** The route whose first rule it is. */
  readonly from: Ref;
  readonly backends: readonly TcpBackend[];
}

/**
 * The configuration of each TCP listener of Gateways, by Envoy listener. The oldest of its TCPRoutes gets the connections.
 */
export function readTcpListeners(reader: Reader): ReadonlyMap<string, TcpStream> {
  const found = new Map<string, TcpStream>();
  for (const route of objectsOf("TCPRoute", reader.claimants(tcpUnit), reader).sort(byAge)) {
    const listeners = parentsOf(route, reader)
      .flatMap(({ attached }) => attached)
      .filter(({ listener }) => listener.spec.protocol === "TCP");
    for (const { listener } of listeners) {
      if (!listener.envoy || found.has(listener.envoy)) continue;
      const backends = readTcpRule(route, reader);
      if (backends) found.set(listener.envoy, { from: route.ref, backends });
    }
  }
  return found;
}

/**
 * The backends of a TCPRoute or TLSRoute. A TCPRoute with several rules has none, as in Contour. With TLS that ends at
 * the listener, BackendTLSPolicies apply, and `certificate` is the Gateway's client certificate (`<namespace>/<name>`).
 */
export function readTcpRule(
  route: RouteObject,
  reader: Reader,
  terminated?: { readonly certificate: string | undefined },
): readonly TcpBackend[] | undefined {
  const [rule, more] = route.spec.rules;
  if (!rule || (more && route.kind === "TCPRoute")) return undefined;
  const context = routeContext(route, reader, undefined, terminated?.certificate);
  return readTcpBackends(context, rule.backendRefs, "spec.rules[0]", tcpOptions(terminated !== undefined));
}

/** Without TLS that ends at the listener, a backend gets the bytes of the client, whatever its `appProtocol` is. */
export const tcpOptions = (isTerminated: boolean): BackendOptions => ({
  withTls: isTerminated,
  isOpaque: !isTerminated,
});

/** Whether TLS ends at a listener, for the TLSRoutes and TCPRoutes there. */
export const terminatesTls = ({ spec: { protocol, tls } }: GatewayListener): boolean =>
  protocol === "TLS" && tls?.mode !== "Passthrough";
