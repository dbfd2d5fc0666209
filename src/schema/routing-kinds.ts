/** Kinds of routes of the Gateway API, in the order in which Contour reads them: of the same matches those of a later kind count. */
export const routeKinds = ["HTTPRoute", "TLSRoute", "GRPCRoute", "TCPRoute", "UDPRoute"] as const;

/** Kinds whose objects have routes for hosts. */
export const routingKinds = ["HTTPProxy", "IngressRoute", "Ingress", ...routeKinds] as const;
