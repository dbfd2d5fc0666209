import type { HttpFilter } from "../gen/envoy.js";
import type { SettingsSpec } from "../schema/settings.js";
import { filterNames } from "./filter-names.js";
import { cookieScript, cookieSource } from "./policies/cookie.js";

const types = "type.googleapis.com/envoy.extensions" as const;

/** Content types that are compressed, as in Contour. */
export const compressedTypes = [
  "text/html",
  "text/plain",
  "text/css",
  "application/javascript",
  "application/x-javascript",
  "text/javascript",
  "text/x-javascript",
  "text/ecmascript",
  "text/js",
  "text/jscript",
  "text/x-js",
  "application/ecmascript",
  "application/x-json",
  "application/xml",
  "application/json",
  "image/svg+xml",
  "text/xml",
  "application/xhtml+xml",
  "application/grpc-web",
  "application/grpc-web+proto",
  "application/grpc-web+json",
  "application/grpc-web+thrift",
  "application/grpc-web-text",
  "application/grpc-web-text+proto",
  "application/grpc-web-text+thrift",
];

const libraries = {
  gzip: { name: "gzip", typed_config: { "@type": `${types}.compression.gzip.compressor.v3.Gzip` } },
  brotli: { name: "brotli", typed_config: { "@type": `${types}.compression.brotli.compressor.v3.Brotli` } },
  zstd: { name: "zstd", typed_config: { "@type": `${types}.compression.zstd.compressor.v3.Zstd` } },
} as const;

function compressor(algorithm: keyof typeof libraries): HttpFilter {
  return {
    name: "envoy.filters.http.compressor",
    typed_config: {
      "@type": `${types}.filters.http.compressor.v3.Compressor`,
      compressor_library: libraries[algorithm],
      response_direction_config: {
        common_config: { content_type_matcher: compressedTypes.map((exact) => ({ exact })) },
      },
    },
  };
}

/**
 * Compares Host and SNI. All TLS hosts share one route table, so without it a client could open a connection under
 * the rules of one host (client certificates, say) and ask for another. The script and its answer are constants: the host that
 * a client names stands in neither.
 */
const misdirected = `function envoy_on_request(handle)
  local host = string.lower(handle:headers():get(":authority") or "")
  host = string.gsub(host, ":%d+$", "")
  host = string.gsub(host, "%.$", "")
  if string.lower(handle:streamInfo():requestedServerName()) ~= host then
    handle:respond({[":status"] = "421"}, "misdirected request")
  end
end
`;

const misdirectedFilter: HttpFilter = {
  name: filterNames.misdirected,
  typed_config: {
    "@type": `${types}.filters.http.lua.v3.Lua`,
    default_source_code: { inline_string: misdirected },
  },
};

const cookieFilter: HttpFilter = {
  name: filterNames.cookieRewrite,
  typed_config: {
    "@type": `${types}.filters.http.lua.v3.Lua`,
    source_codes: { [cookieScript]: { inline_string: cookieSource } },
  },
};

/** What HTTP filters of one filter chain do beside what all do. */
export interface FilterOptions {
  /** Refuse requests whose Host is not the server name of the connection. */
  readonly checkSni?: boolean;
  /** Some routes rewrite cookies. The script is long, so that chains of other hosts go without it. */
  readonly cookies?: boolean;
  readonly jwt?: HttpFilter;
  readonly authorization?: HttpFilter;
  readonly rateLimits?: HttpFilter;
}

/**
 * The HTTP filters in order. For plain HTTP the set does not depend on routes: no route change is a listener change.
 * - the SNI check comes before anything that answers or spends;
 * - the compressor sees a response last, after every filter below has had its say;
 * - CORS answers preflights before later filters ask who the client is;
 * - what is cheap to refuse (local rate limits, addresses) is refused before tokens are verified and servers asked;
 * - the router is last, as Envoy demands.
 */
export function httpFilters(settings: SettingsSpec, options: FilterOptions): readonly HttpFilter[] {
  const { checkSni, cookies, jwt, authorization, rateLimits } = options;
  return [
    ...(checkSni ? [misdirectedFilter] : []),
    ...(settings.compression === "disabled" ? [] : [compressor(settings.compression)]),
    {
      name: "envoy.filters.http.grpc_web",
      typed_config: { "@type": `${types}.filters.http.grpc_web.v3.GrpcWeb` },
    },
    {
      name: "envoy.filters.http.grpc_stats",
      typed_config: {
        "@type": `${types}.filters.http.grpc_stats.v3.FilterConfig`,
        emit_filter_state: true,
        enable_upstream_stats: true,
      },
    },
    { name: filterNames.cors, typed_config: { "@type": `${types}.filters.http.cors.v3.Cors` } },
    {
      name: filterNames.localRateLimit,
      typed_config: {
        "@type": `${types}.filters.http.local_ratelimit.v3.LocalRateLimit`,
        stat_prefix: "http",
      },
    },
    ...(cookies ? [cookieFilter] : []),
    { name: filterNames.ipFilter, typed_config: { "@type": `${types}.filters.http.rbac.v3.RBAC` } },
    ...(jwt ? [jwt] : []),
    ...(authorization ? [authorization] : []),
    ...(rateLimits ? [rateLimits] : []),
    { name: "router", typed_config: { "@type": `${types}.filters.http.router.v3.Router` } },
  ];
}
