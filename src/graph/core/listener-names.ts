/** The Envoy listeners for plain HTTP and for TLS. With a Gateway they use its lowest port of each protocol. */
export const ingressHttp = "ingress_http";
export const ingressHttps = "ingress_https";
/** The route table for clients without SNI, under the fallback certificate. */
export const fallbackTable = "ingress_fallbackcert";
