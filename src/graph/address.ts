import ipaddr from "ipaddr.js";

export const isIP = (text: string): boolean =>
  ipaddr.isValid(text) || ipaddr.isValid(text.replace(/^\[|\]$/g, ""));

const octet = "(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)";
/** Dotted quads that are plainly none of the ranges below; anything else is for the parser to tell. */
const plainIPv4 = new RegExp(
  `^(?!0|169\\.254\\.)(?:1\\d\\d|2[01]\\d|22[0-3]|[1-9]?\\d)(?:\\.(?:0|(?!0)${octet})){3}$`,
);

/**
 * Whether an endpoint may be sent traffic: no link-local, multicast or unspecified address (CVE-2021-25740 and the
 * cloud metadata services). Kubernetes itself refuses loopback in EndpointSlices; from files it is allowed.
 */
export function isRoutable(address: string): boolean {
  if (plainIPv4.test(address)) return true;
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return !["linkLocal", "multicast", "broadcast", "unspecified"].includes(parsed.range());
}
