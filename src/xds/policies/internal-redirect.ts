import type { InternalRedirectPolicy } from "../../gen/envoy.js";
import type { InternalRedirect } from "../../graph/policies/internal-redirect.js";
import type { Written } from "./written.js";

const types = "type.googleapis.com/envoy.extensions.internal_redirect" as const;

const safeCrossScheme = {
  name: "envoy.internal_redirect_predicates.safe_cross_scheme",
  typed_config: { "@type": `${types}.safe_cross_scheme.v3.SafeCrossSchemeConfig` },
} as const;

const previousRoutes = {
  name: "envoy.internal_redirect_predicates.previous_routes",
  typed_config: { "@type": `${types}.previous_routes.v3.PreviousRoutesConfig` },
} as const;

export function writeInternalRedirect(policy: InternalRedirect): Written {
  const predicates = [
    ...(policy.crossScheme === "SafeOnly" ? [safeCrossScheme] : []),
    ...(policy.denyRepeated ? [previousRoutes] : []),
  ];
  const written: InternalRedirectPolicy = {
    ...(policy.maximum ? { max_internal_redirects: policy.maximum } : {}),
    ...(policy.codes.length > 0 ? { redirect_response_codes: policy.codes } : {}),
    ...(predicates.length > 0 ? { predicates } : {}),
    ...(policy.crossScheme === "Never" ? {} : { allow_cross_scheme_redirect: true }),
  };
  return { action: { internal_redirect_policy: written } };
}
