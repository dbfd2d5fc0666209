import type { NetworkFilter, Typed } from "../../gen/envoy.js";
import type { IpFilter } from "../../graph/policies/ip-filter.js";
import { filterNames } from "../filter-names.js";
import type { FilterConfigs, Written } from "./written.js";

type Rules = NonNullable<Typed<"type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC">["rules"]>;

function rules({ allow, ranges }: IpFilter, http: boolean): Rules {
  const principals = ranges.map(({ remote, address, prefixLength }) => {
    const range = { address_prefix: address, prefix_len: prefixLength };
    return remote && http ? { remote_ip: range } : { direct_remote_ip: range };
  });
  return {
    action: allow ? "ALLOW" : "DENY",
    policies: { "ip-rules": { permissions: [{ any: true }], principals } },
  };
}

/** For a filter chain without HTTP, where the connection's other end is all that is known of a client. */
export const networkIpFilter = (filter: IpFilter, statPrefix: string): NetworkFilter => ({
  name: "envoy.filters.network.rbac",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC",
    stat_prefix: statPrefix,
    rules: rules(filter, false),
  },
});

/** `direct_remote_ip` is the connection's other end; `remote_ip` heeds `x-forwarded-for` as far as it is trusted. */
export const ipFilterConfig = (filter: IpFilter): FilterConfigs => ({
  [filterNames.ipFilter]: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute",
    rbac: { rules: rules(filter, true) },
  },
});

export const writeIpFilter = (filter: IpFilter): Written => ({ filters: ipFilterConfig(filter) });
