import type { Manifest } from "./backend.js";
import { freePort } from "./http.js";

const group = "gateway.networking.k8s.io";
const gatewayName = { namespace: "infra", name: "edge" };

/** The setting that selects the Gateway of these tests. */
export const gatewaySettings: Manifest = { gatewayRef: gatewayName };

/** A listener of the Gateway on a free port: `port` is Envoy's port, 8000 above the port of the Gateway. */
export interface TestListener {
  readonly port: number;
  readonly spec: Manifest;
}

export async function listener(name: string, protocol: string, rest: Manifest = {}): Promise<TestListener> {
  const port = await freePort();
  return { port, spec: onPort(port, name, protocol, rest) };
}

/** A listener on a port of Envoy that may be shared with other listeners. */
export const onPort = (port: number, name: string, protocol: string, rest: Manifest = {}): Manifest => ({
  name,
  protocol,
  port: port - 8000,
  allowedRoutes: { namespaces: { from: "All" } },
  ...rest,
});

/** The Gateway and its class. */
export const gateway = (...listeners: readonly Manifest[]): readonly Manifest[] => [
  {
    apiVersion: `${group}/v1`,
    kind: "GatewayClass",
    metadata: { name: "contour" },
    spec: { controllerName: "projectcontour.io/gateway-controller" },
  },
  {
    apiVersion: `${group}/v1`,
    kind: "Gateway",
    metadata: gatewayName,
    spec: { gatewayClassName: "contour", listeners },
  },
];

/** A route in namespace `default`, attached to the Gateway or to one of its listeners (`#name`). */
export const gatewayRoute = (kind: string, name: string, spec: Manifest, section?: string): Manifest => ({
  apiVersion: `${group}/${kind === "TLSRoute" || kind === "TCPRoute" ? "v1alpha2" : "v1"}`,
  kind,
  metadata: { namespace: "default", name },
  spec: { parentRefs: [{ ...gatewayName, ...(section ? { sectionName: section } : {}) }], ...spec },
});

/** backendRefs to port 80 of Services, with equal weights. */
export const backendRefs = (...names: readonly string[]): readonly Manifest[] =>
  names.map((name) => ({ name, port: 80 }));
