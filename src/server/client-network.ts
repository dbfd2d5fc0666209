import ipaddr from "ipaddr.js";

/**
 * The key by which failures of an address are counted: an IPv4 address (also in IPv6 notation) as a whole, an IPv6
 * address by its /64, because one client owns all addresses of it. Other texts stay unchanged.
 */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(":")}::/64`;
}
