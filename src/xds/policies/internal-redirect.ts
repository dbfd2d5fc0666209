import type { InternalRedirectPolicy } from "../../gen/envoy.js";
import type { InternalRedirect } from "../../graph/policies/internal-redirect.js";
import { facts, type WrittenPolicy } from "./policy.js";

const types = "type.googleapis.com/envoy.extensions.internal_redirect" as const;

const safeCrossScheme = {
  name: "envoy.internal_redirect_predicates.safe_cross_scheme",
  typed_config: { "@type": `${types}.safe_cross_scheme.v3.SafeCrossSchemeConfig` },
} as const;

const previousRoutes = {
  name: "envoy.internal_redirect_predicates.previous_routes",
  typed_config: { "@type": `${types}.previous_routes.v3.PreviousRoutesConfig` },
} as const;

function write(policy: InternalRedirect): InternalRedirectPolicy {
  const predicates = [
    ...(policy.crossScheme === "SafeOnly" ? [safeCrossScheme] : []),
    ...(policy.denyRepeated ? [previousRoutes] : []),
  ];
  return {
    ...(policy.maximum ? { max_internal_redirects: policy.maximum } : {}),
    ...(policy.codes.length > 0 ? { redirect_response_codes: policy.codes } : {}),
    ...(predicates.length > 0 ? { predicates } : {}),
    ...(policy.crossScheme === "Never" ? {} : { allow_cross_scheme_redirect: true }),
  };
}

export const internalRedirect: WrittenPolicy<"internalRedirect"> = {
  write: { route: (policy) => ({ action: { internal_redirect_policy: write(policy) } }) },
  describe({ route: { route } }) {
    const { internal_redirect_policy: policy } = route ?? {};
    const { max_internal_redirects: most = 1, redirect_response_codes: codes = [302] } = policy ?? {};
    return facts({ "internal redirects": policy && `at most ${most} of status ${codes.join(", ")}` });
  },
};
