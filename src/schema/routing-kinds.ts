/** Route kinds of the Gateway API in Contour's processing order: when matches are equal, the later kind is used. */
export const routeKinds = ["HTTPRoute", "TLSRoute", "GRPCRoute", "TCPRoute", "UDPRoute"] as const;

/** The kinds that define routes for hosts. */
export const routingKinds = ["HTTPProxy", "IngressRoute", "Ingress", ...routeKinds] as const;
