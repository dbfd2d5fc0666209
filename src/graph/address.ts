import ipaddr from "ipaddr.js";

export const isIP = (text: string): boolean =>
  ipaddr.isValid(text) || ipaddr.isValid(text.replace(/^\[|\]$/g, ""));

/**
 * Whether an endpoint may be sent traffic: no link-local, multicast or unspecified address (CVE-2021-25740 and the
 * cloud metadata services). Kubernetes itself refuses loopback in EndpointSlices; from files it is allowed.
 */
export function isRoutable(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return !["linkLocal", "multicast", "broadcast", "unspecified"].includes(parsed.range());
}
