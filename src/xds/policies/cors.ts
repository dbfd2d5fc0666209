import type { CorsPolicy } from "../../graph/policies/cors.js";
import { filterNames } from "../filter-names.js";
import type { FilterConfigs } from "./written.js";

export const corsConfig = (policy: CorsPolicy): FilterConfigs => ({
  [filterNames.cors]: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
    allow_origin_string_match: policy.origins.map(({ kind, value }) =>
      kind === "exact" ? { exact: value, ignore_case: true } : { safe_regex: { regex: value } },
    ),
    allow_methods: policy.methods.join(","),
    ...(policy.headers.length > 0 ? { allow_headers: policy.headers.join(",") } : {}),
    ...(policy.exposed.length > 0 ? { expose_headers: policy.exposed.join(",") } : {}),
    ...(policy.maxAge === undefined ? {} : { max_age: String(policy.maxAge) }),
    allow_credentials: policy.credentials,
    allow_private_network_access: policy.privateNetwork,
  },
});
