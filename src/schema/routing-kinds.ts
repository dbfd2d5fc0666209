/** Route kinds of the Gateway API in Contour's processing order: when matches are equal, the later kind is used. */
export const routeKinds = ["HTTPRoute", "TLSRoute", "GRPCRoute", "TCPRoute", "UDPRoute"] as const;

/** The kinds that decide which parents a route of the Gateway API has, and the listeners of these. */
export const parentKinds: ReadonlySet<string> = new Set([
  "GatewayClass",
  "Gateway",
  "ListenerSet",
  "Namespace",
  "Settings",
]);

/** The kinds that define routes for hosts. */
export const routingKinds = ["HTTPProxy", "IngressRoute", "Ingress", ...routeKinds] as const;
