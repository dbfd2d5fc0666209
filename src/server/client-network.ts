import ipaddr from "ipaddr.js";

/**
 * What an address is counted by: an IPv4 address, also one that is written as IPv6, by itself; an IPv6 address by its /64, because one
 * client has all addresses of it. Any other text stays as it is.
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
