// These patterns read user text. They match each character in only one way, so their time is linear in its length.
const label = "[a-z0-9](?:-*[a-z0-9])*";
const dnsName = `${label}(?:\\.${label})*`;

/** Whether text is a Kubernetes object name (RFC 1123 subdomain). */
export const isSubdomain = (value: string): boolean => value.length <= 253 && subdomain.test(value);
/** Whether text is a namespace name (RFC 1123 label). */
export const isLabel = (value: string): boolean => value.length <= 63 && dnsLabel.test(value);
/** Whether text is a Kubernetes object name, optionally with a leading `*.`. */
export const isWildcardSubdomain = (value: string): boolean =>
  value.length <= 253 && wildcardSubdomain.test(value);
/** A lower-case DNS name. */
export const subdomain = new RegExp(`^${dnsName}$`);
/** A lower-case DNS name, optionally with a leading `*.`. */
export const wildcardSubdomain = new RegExp(`^(?:\\*\\.)?${dnsName}$`);
const dnsLabel = new RegExp(`^${label}$`);
