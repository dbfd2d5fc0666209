import ipaddr from "ipaddr.js";

export const isIP = (text: string): boolean =>
  ipaddr.isValid(text) || ipaddr.isValid(text.replace(/^\[|\]$/g, ""));

const octet = "(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)";
/** Dotted quads that are plainly none of the ranges below; anything else is for the parser to tell. */
const plainIPv4 = new RegExp(
  `^(?!0|169\\.254\\.)(?:1\\d\\d|2[01]\\d|22[0-3]|[1-9]?\\d)(?:\\.(?:0|(?!0)${octet})){3}$`,
);

// Envoy refuses the shorthands that ipaddr.js takes (127.1, 0x7f.0.0.1, 010.0.0.1) and zones.
const isPlain = (address: string): boolean =>
  address.includes(":")
    ? ipaddr.IPv6.isValid(address) && !address.includes("%")
    : ipaddr.IPv4.isValidFourPartDecimal(address);

/**
 * Whether an endpoint may be sent traffic: no link-local, multicast or unspecified address (CVE-2021-25740 and the
 * cloud metadata services). Kubernetes itself refuses loopback in EndpointSlices; from files it is allowed.
 */
export function isRoutable(address: string): boolean {
  if (plainIPv4.test(address)) return true;
  if (!isPlain(address)) return false;
  const parsed = ipaddr.process(address);
  return !["linkLocal", "multicast", "broadcast", "unspecified"].includes(parsed.range());
}

/** Whether an address (`isRoutable`) is of Envoy's own machine. */
export const isOwnAddress = (address: string): boolean => ipaddr.process(address).range() === "loopback";
