import type { FilterChain } from "../gen/envoy.js";
import { addressesOf } from "../xds/policies/ip-filter.js";
import type { Protections } from "../xds/policies/policy.js";
import { typed } from "../xds/typed.js";

export type { AddressFilter, Protections } from "../xds/policies/policy.js";

const network = "type.googleapis.com/envoy.extensions.filters.network";

/** The address filter of a chain whose connections are passed through. */
export function chainProtections(chain: FilterChain): Protections {
  for (const { typed_config } of chain.filters ?? []) {
    const addresses = addressesOf(typed(typed_config, `${network}.rbac.v3.RBAC`)?.rules);
    if (addresses) return { addresses };
  }
  return {};
}
