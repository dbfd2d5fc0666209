import type { RouteAuthorization } from "../../graph/policies/index.js";
import { filterNames } from "../filter-names.js";
import type { FilterConfigs, Written } from "./written.js";

const type = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute";

/** Nobody is asked about requests to a route. */
export const noAuthorization: FilterConfigs = {
  [filterNames.authorization]: { "@type": type, disabled: true },
};

export const writeAuthorization = (policy: RouteAuthorization): Written => ({
  filters:
    "disabled" in policy
      ? noAuthorization
      : {
          [filterNames.authorization]: {
            "@type": type,
            check_settings: { context_extensions: policy.context },
          },
        },
});
