import type { CorsPolicy } from "../../graph/policies/cors.js";
import { type ChainFilter, configOf, type FilterConfigs, facts, type WrittenPolicy } from "./policy.js";

const types = "type.googleapis.com/envoy.extensions.filters.http.cors.v3" as const;

const filter: ChainFilter = {
  name: "envoy.filters.http.cors",
  stage: "preflight",
  write: () => ({ "@type": `${types}.Cors` }),
};

const written = (policy: CorsPolicy): { readonly filters: FilterConfigs } => ({
  filters: {
    [filter.name]: {
      "@type": `${types}.CorsPolicy`,
      allow_origin_string_match: policy.origins.map(({ kind, value }) =>
        kind === "exact" ? { exact: value, ignore_case: true } : { safe_regex: { regex: value } },
      ),
      allow_methods: policy.methods.join(","),
      ...(policy.headers.length > 0 ? { allow_headers: policy.headers.join(",") } : {}),
      ...(policy.exposed.length > 0 ? { expose_headers: policy.exposed.join(",") } : {}),
      ...(policy.maxAge === undefined ? {} : { max_age: String(policy.maxAge) }),
      allow_credentials: policy.credentials,
      allow_private_network_access: policy.privateNetwork,
      ...(policy.answersOthers ? { forward_not_matching_preflights: false } : {}),
    },
  },
});

export const cors: WrittenPolicy<"cors"> = {
  filter,
  write: { host: written, route: written },
  describe(shown) {
    const policy = configOf(shown, filter.name, `${types}.CorsPolicy`);
    if (!policy) return [];
    const origins = (policy.allow_origin_string_match ?? []).map(
      ({ exact, safe_regex }) => exact ?? `/${safe_regex?.regex}/`,
    );
    const rest = [
      policy.allow_headers && `headers ${policy.allow_headers}`,
      policy.expose_headers && `exposes ${policy.expose_headers}`,
      policy.max_age && `max-age ${policy.max_age}`,
      policy.allow_credentials && "with credentials",
      policy.allow_private_network_access && "private networks",
    ].filter(Boolean);
    return facts({
      CORS: [`origins ${origins.join(" ")}`, `methods ${policy.allow_methods}`, ...rest].join(", "),
    });
  },
};
