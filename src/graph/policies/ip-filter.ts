import ipaddr from "ipaddr.js";
import type { Policy } from "./policy.js";

/** Addresses that are allowed (`allow`) or denied. */
export interface IpFilter {
  readonly allow: boolean;
  readonly ranges: readonly IpRange[];
  /** Exceptions: addresses in `ranges` that are not allowed. */
  readonly except?: readonly IpRange[];
}

export interface IpRange {
  /** True: the client's address that trusted proxies report; false: the address of the connection. */
  readonly remote: boolean;
  /** The network's first address. */
  readonly address: string;
  readonly prefixLength: number;
}

interface IpFilterFields {
  readonly source: "Peer" | "Remote";
  readonly cidr: string;
}

interface IpFilterProblem {
  readonly reason: "IncompatibleIPAddressFilters" | "InvalidCIDR";
  readonly message: string;
  /** Field path in the object that contains both policies. */
  readonly field: string;
}

/**
 * Reads `ipAllowPolicy` or `ipDenyPolicy`. One invalid range refuses the whole policy: a policy without that range
 * would allow or deny other clients than intended.
 */
function readIpFilter(
  allow: readonly IpFilterFields[] | undefined,
  deny: readonly IpFilterFields[] | undefined,
): { filter?: IpFilter; problems: readonly IpFilterProblem[] } {
  if (allow?.length && deny?.length) {
    const message = "cannot specify both `ipAllowPolicy` and `ipDenyPolicy`";
    return {
      problems: [{ reason: "IncompatibleIPAddressFilters", message, field: ".ipAllowPolicy" }],
    };
  }
  const fields = allow?.length ? allow : deny;
  if (!fields?.length) return { problems: [] };
  const name = allow?.length ? "ipAllowPolicy" : "ipDenyPolicy";
  const problems: IpFilterProblem[] = [];
  const ranges: IpRange[] = [];
  for (const [i, { source, cidr }] of fields.entries()) {
    const range = readRange(cidr);
    if (range) ranges.push({ remote: source === "Remote", ...range });
    else {
      const message = `${cidr} failed to parse: write an IP address or CIDR range such as 10.0.0.0/8`;
      problems.push({ reason: "InvalidCIDR", message, field: `.${name}[${i}].cidr` });
    }
  }
  return problems.length > 0 ? { problems } : { filter: { allow: Boolean(allow?.length), ranges }, problems };
}

/** The network of a range, with the host bits cleared; a bare address is a range of one address. */
export function readRange(cidr: string): { address: string; prefixLength: number } | undefined {
  const [address = "", length, ...rest] = cidr.split("/");
  if (rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) return undefined;
  const v4 = ipaddr.IPv4.isValidFourPartDecimal(address);
  if (!v4 && (!ipaddr.IPv6.isValid(address) || address.includes("%"))) return undefined;
  const bits = v4 ? 32 : 128;
  const prefixLength = length === undefined ? bits : Number(length);
  if (prefixLength > bits) return undefined;
  const network = (v4 ? ipaddr.IPv4 : ipaddr.IPv6).networkAddressFromCIDR(`${address}/${prefixLength}`);
  return { address: network.toString(), prefixLength };
}

/** `ipAllowPolicy` and `ipDenyPolicy` of a virtual host or route. */
export const ipFilter: Policy<{ host: IpFilter; route: IpFilter }, true> = {
  protects: true,
  fields: { host: ["ipAllowPolicy", "ipDenyPolicy"], route: ["ipAllowPolicy", "ipDenyPolicy"] },
  read: {
    host({ virtualhost, fail }) {
      const { filter, problems } = readIpFilter(virtualhost?.ipAllowPolicy, virtualhost?.ipDenyPolicy);
      for (const { reason, message, field } of problems) fail("IPFilterError", reason, message, field);
      if (problems.length === 0 || problems.some(({ reason }) => reason === "IncompatibleIPAddressFilters"))
        return filter;
      const message =
        "Spec.VirtualHost.IPAllowFilterPolicy or Spec.VirtualHost.IPDenyFilterPolicy is invalid";
      return fail("IPFilterError", "IPFilterPolicyNotValid", message);
    },
    route({ route, fail }) {
      const { filter, problems } = readIpFilter(route.ipAllowPolicy, route.ipDenyPolicy);
      for (const { reason, message, field } of problems) fail("IPFilterError", reason, message, field);
      return filter;
    },
  },
};
