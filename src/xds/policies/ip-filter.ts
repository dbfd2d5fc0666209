import type { NetworkFilter, Principal, Typed } from "../../gen/envoy.js";
import type { IpFilter, IpRange } from "../../graph/policies/ip-filter.js";
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

function rules({ allow, ranges, except = [] }: IpFilter, http: boolean): Rules {
  const principalOf = ({ remote, address, prefixLength }: IpRange): Principal => {
    const range = { address_prefix: address, prefix_len: prefixLength };
    return remote && http ? { remote_ip: range } : { direct_remote_ip: range };
  };
  const listed = ranges.map(principalOf);
  const principals =
    except.length > 0
      ? [
          {
            and_ids: {
              ids: [{ or_ids: { ids: listed } }, { not_id: { or_ids: { ids: except.map(principalOf) } } }],
            },
          },
        ]
      : listed;
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
  const except = Object.values(shown.policies ?? {}).flatMap(
    ({ principals = [] }) => principals[0]?.and_ids?.ids?.[1]?.not_id?.or_ids?.ids ?? [],
  ).length;
  const but = except > 0 ? ` without ${except} ranges of these` : "";
  return `${shown.action === "DENY" ? "all except" : "only"} ${ranges.join(", ")}${but}`;
}

/** The same addresses, as values. */
export const addressesOf = (shown: Rules | undefined): AddressFilter | undefined =>
  shown && {
    action: shown.action === "DENY" ? "deny" : "allow",
    ranges: rangesOf(shown).map(({ range }) => range),
  };

/** The ranges of a filter. For an allow list with exceptions: the allowed ranges. */
const rangesOf = ({ policies = {} }: Rules): readonly { range: string; isPeer: boolean }[] =>
  Object.values(policies).flatMap(({ principals = [] }) =>
    (principals[0]?.and_ids?.ids?.[0]?.or_ids?.ids ?? principals).map(({ remote_ip, direct_remote_ip }) => {
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
