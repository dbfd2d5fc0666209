import { filterNames } from "../filter-names.js";
import type { Written } from "./written.js";

/** A route needs a token of the provider; the filter has one requirement under each provider's name. */
export const writeJwtProvider = (provider: string): Written => ({
  filters: {
    [filterNames.jwt]: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig",
      requirement_name: provider,
    },
  },
});
