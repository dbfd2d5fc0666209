/** Names of HTTP filters, which configuration for a route or host goes by, and of the one that compares Host and SNI. */
export const filterNames = {
  authorization: "envoy.filters.http.ext_authz",
  cookieRewrite: "envoy.filters.http.lua",
  cors: "envoy.filters.http.cors",
  ipFilter: "envoy.filters.http.rbac",
  jwt: "envoy.filters.http.jwt_authn",
  misdirected: "isoline.misdirected_request",
  localRateLimit: "envoy.filters.http.local_ratelimit",
  rateLimit: "envoy.filters.http.ratelimit",
} as const;
