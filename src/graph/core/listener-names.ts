/** The Envoy listeners for plain HTTP and for TLS; with a Gateway, those of its lowest ports of each kind. */
export const ingressHttp = "ingress_http";
export const ingressHttps = "ingress_https";
/** The route table for clients without SNI, under the fallback certificate. */
export const fallbackTable = "ingress_fallbackcert";
