import type { NetworkFilter, Typed } from "../../gen/envoy.js";
import type { IpFilter } from "../../graph/policies/ip-filter.js";
import {
  type AddressFilter,
  type ChainFilter,
  configOf,
  type FilterConfigs,
  facts,
  type WrittenPolicy,
} from "./policy.js";

const types = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3" as const;

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

/** For a filter chain without HTTP, where only the peer address of the connection is known. */
export const networkIpFilter = (filter: IpFilter, statPrefix: string): NetworkFilter => ({
  name: "envoy.filters.network.rbac",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC",
    stat_prefix: statPrefix,
    rules: rules(filter, false),
  },
});

const filter: ChainFilter = {
  name: "envoy.filters.http.rbac",
  stage: "address",
  write: () => ({ "@type": `${types}.RBAC` }),
};

/**
 * `direct_remote_ip` is the peer address of the connection; `remote_ip` uses `x-forwarded-for` as far as it is
 * trusted.
 */
const write = (policy: IpFilter): { readonly filters: FilterConfigs } => ({
  filters: { [filter.name]: { "@type": `${types}.RBACPerRoute`, rbac: { rules: rules(policy, true) } } },
});

/** The allowed or denied addresses of an HTTP or TCP filter, as text. */
export function describeAddresses(shown: Rules | undefined): string | undefined {
  if (!shown) return undefined;
  const ranges = rangesOf(shown).map(({ range, isPeer }) => `${range}${isPeer ? " (peer)" : ""}`);
  return `${shown.action === "DENY" ? "all except" : "only"} ${ranges.join(", ")}`;
}

/** The same as values. */
export const addressesOf = (shown: Rules | undefined): AddressFilter | undefined =>
  shown && {
    action: shown.action === "DENY" ? "deny" : "allow",
    ranges: rangesOf(shown).map(({ range }) => range),
  };

const rangesOf = ({ policies = {} }: Rules): readonly { range: string; isPeer: boolean }[] =>
  Object.values(policies).flatMap(({ principals = [] }) =>
    principals.map(({ remote_ip, direct_remote_ip }) => {
      const range = remote_ip ?? direct_remote_ip;
      return { range: `${range?.address_prefix}/${range?.prefix_len ?? 0}`, isPeer: !remote_ip };
    }),
  );

export const ipFilter: WrittenPolicy<"ipFilter"> = {
  filter,
  write: { host: write, route: write },
  describe: (shown) =>
    facts({
      addresses: describeAddresses(configOf(shown, filter.name, `${types}.RBACPerRoute`)?.rbac?.rules),
    }),
  protections(shown) {
    const addresses = addressesOf(configOf(shown, filter.name, `${types}.RBACPerRoute`)?.rbac?.rules);
    return addresses ? { addresses } : {};
  },
};
