import type { Compression } from "../../graph/policies/compression.js";
import { type ChainFilter, configOf, type FilterConfigs, facts, type WrittenPolicy } from "./policy.js";

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

const filter: ChainFilter = {
  name: "envoy.filters.http.compressor",
  stage: "compression",
  write: ({ settings: { compression } }) =>
    compression === "disabled"
      ? undefined
      : {
          "@type": `${types}.filters.http.compressor.v3.Compressor`,
          compressor_library: libraries[compression],
          response_direction_config: {
            common_config: { content_type_matcher: compressedTypes.map((exact) => ({ exact })) },
          },
        },
};

const perRoute = `${types}.filters.http.compressor.v3.CompressorPerRoute` as const;

/** The configuration of a route replaces that of its host. */
const write = (policy: Compression): { readonly filters: FilterConfigs } => ({
  filters: {
    [filter.name]:
      policy === "disabled"
        ? { "@type": perRoute, disabled: true }
        : { "@type": perRoute, overrides: { response_direction_config: {} } },
  },
});

export const compression: WrittenPolicy<"compression"> = {
  filter,
  write: { host: write, route: write },
  describe(shown) {
    const config = configOf(shown, filter.name, perRoute);
    return facts({ compression: config && (config.disabled ? "off" : "on") });
  },
};
