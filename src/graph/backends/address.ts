import ipaddr from "ipaddr.js";
import { memoized } from "../../schema/memoized.js";
import { isSubdomain } from "../../schema/names.js";
import type { SettingsSpec } from "../../schema/settings.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Block = readonly [network: Address, bits: number];

declare const checked: unique symbol;
/**
 * An address, or a DNS name in lower case, that Envoy may connect to. Only this module makes one, and every socket
 * address of a cluster is one: unchecked text of a tenant can't get there.
 */
export type Reachable = string & { readonly [checked]: true };

/** The namespace of the object that contains an address, and the settings. */
export interface Asker {
  readonly namespace: string;
  readonly settings: Pick<SettingsSpec, "allowLoopbackEndpoints" | "forbiddenHosts" | "xdsCluster">;
}

/** A permitted address or name, or the problem as the end of a sentence. */
export type Reached = { readonly host: Reachable } | { readonly problem: string };

const block = (text: string): Block => {
  const [network, bits] = ipaddr.parseCIDR(text);
  return [network, bits];
};

/** Addresses of metadata and platform services of clouds, except those in 169.254.0.0/16 and fe80::/10. */
const metadataBlocks: readonly Block[] = [
  "100.100.100.200/32", // Alibaba Cloud
  "168.63.129.16/32", // Azure
  "192.0.0.192/32", // Oracle Cloud Classic
  "fd00:ec2::/32", // AWS: metadata, credentials of pods, DNS, time
  "fd20:ce::254/128", // Google Cloud
  "fd00:c1::a9fe:a9fe/128", // Oracle Cloud
  "fd00:42::42/128", // Scaleway
  "fd00:a9fe:a9fe::1/128", // Akamai
  "fd00:100::100:200/128", // Alibaba Cloud
].map(block);

/**
 * IPv6 blocks that contain an IPv4 address, and its first byte: mapped and compatible addresses (RFC 4291 §2.5.5),
 * translated ones (RFC 2765), NAT64 (RFC 6052 §2.1, RFC 8215) and 6to4 (RFC 3056).
 */
const embeddings: readonly (readonly [block: Block, at: number])[] = [
  [block("::ffff:0:0/96"), 12],
  [block("::/96"), 12],
  [block("::ffff:0:0:0/96"), 12],
  [block("64:ff9b::/96"), 12],
  [block("64:ff9b:1::/48"), 12],
  [block("2002::/16"), 2],
];

/** Ranges of ipaddr.js that are never a backend. */
const refusedRanges: ReadonlyMap<string, string> = new Map([
  ["linkLocal", "is a link-local address"],
  ["multicast", "is a multicast address"],
  ["broadcast", "is a broadcast address"],
  ["unspecified", "is an unspecified address, which refers to Envoy's own machine"],
]);

/** Names for the loopback addresses in /etc/hosts of common systems and on Contour's site. */
const loopbackNames = new Set([
  "localhost",
  "localhost.localdomain",
  "localhost4",
  "localhost6",
  "localhost6.localdomain6",
  "ip6-localhost",
  "ip6-loopback",
  "loopback",
  "local.projectcontour.io",
]);
/** Also with a search domain of Google Cloud and AWS. */
const metadataName = /^(?:metadata|instance-data)(?:\.(?:[^.]+\.)*internal)?$/;
const metadataNames = new Set(["metadata.goog", "metadata.tencentyun.com"]);

/** The end of a text that resolvers parse as an address in another spelling, such as 127.1, 0x7f.1 or 2130706433. */
const numericEnd = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

export const isIP = (text: string): boolean => ipaddr.isValid(text) || ipaddr.isValid(unbracketed(text));

const unbracketed = (host: string): string => host.replace(/^\[|\]$/g, "");

/** Whether Envoy parses a text as an IP address: no shorthands (127.1, 0x7f.0.0.1, 010.0.0.1), no zones. */
const isPlain = (address: string): boolean =>
  address.includes(":")
    ? ipaddr.IPv6.isValid(address) && !address.includes("%")
    : ipaddr.IPv4.isValidFourPartDecimal(address);

const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
/** Private addresses (RFC 1918), as most backends have: only the rules of the settings concern these. */
const privateIPv4 = new RegExp(
  `^(?:10\\.${octet}|172\\.(?:1[6-9]|2\\d|3[01])|192\\.168)\\.${octet}\\.${octet}$`,
);

/**
 * Checks an IP address that Envoy is to connect to. It must not be on Envoy's own machine (which has the admin
 * interface), on the link, a metadata service of a cloud, this control plane, or forbidden by the settings.
 */
export function readAddress(address: string, asker: Asker): Reached {
  const { xdsCluster, forbiddenHosts } = asker.settings;
  const isUsual = forbiddenHosts.length === 0 && privateIPv4.test(address) && address !== xdsCluster;
  const problem = isUsual ? undefined : addressProblem(address, asker);
  return problem === undefined ? { host: address as Reachable } : { problem };
}

function addressProblem(address: string, { namespace, settings }: Asker): string | undefined {
  if (!isPlain(address)) return "is not an IP address in a form that Envoy accepts";
  const parsed = ipaddr.parse(address);
  for (const each of [parsed, ...embedded(parsed)]) {
    const range = each.range();
    if (range === "loopback" && !isLoopbackAllowed(namespace, settings))
      return `is a loopback address${notAllowed(namespace)}`;
    const refused = refusedRanges.get(range);
    if (refused) return refused;
    if (metadataBlocks.some((one) => isIn(each, one))) return "is an address of a cloud's metadata service";
    if (blocksOf(settings.forbiddenHosts).some((one) => isIn(each, one)))
      return "is in the setting forbiddenHosts";
    if (isPlain(settings.xdsCluster) && sameAddress(each, settings.xdsCluster))
      return "is the address of this control plane";
  }
  return undefined;
}

const blocksOf = memoized((hosts: readonly string[]) => hosts.filter((one) => one.includes("/")).map(block));

const isIn = (address: Address, [network, bits]: Block): boolean =>
  address.kind() === network.kind() && address.match(network, bits);

const sameAddress = (address: Address, other: string): boolean =>
  address.toString() === ipaddr.process(other).toString();

/** The IPv4 addresses that an IPv6 address contains; none for `::` and `::1`. */
function embedded(address: Address): ipaddr.IPv4[] {
  if (address.kind() === "ipv4" || ["unspecified", "loopback"].includes(address.range())) return [];
  return embeddings.flatMap(([network, at]) =>
    isIn(address, network) ? [new ipaddr.IPv4(address.toByteArray().slice(at, at + 4))] : [],
  );
}

const notAllowed = (namespace: string): string =>
  `, which the setting allowLoopbackEndpoints does not allow in namespace ${namespace}`;

const isLoopbackAllowed = (
  namespace: string,
  { allowLoopbackEndpoints: allowed }: Asker["settings"],
): boolean => allowed === true || (Array.isArray(allowed) && allowed.includes(namespace));

/** Checks a host that Envoy is to connect to, as in a URL: a DNS name, which is resolved later, or an IP address. */
export function readHost(text: string, asker: Asker): Reached {
  const host = unbracketed(text.toLowerCase()).replace(/\.$/, "");
  if (isPlain(host)) return readAddress(host, asker);
  const problem = nameProblem(host, asker);
  return problem === undefined ? { host: host as Reachable } : { problem };
}

function nameProblem(host: string, { namespace, settings }: Asker): string | undefined {
  if (numericEnd.test(host)) return "is an address in a form that Envoy does not accept; write it in full";
  if (!isSubdomain(host)) return "is not a DNS name";
  if (isLoopbackName(host) && !isLoopbackAllowed(namespace, settings))
    return `is a name of the loopback address${notAllowed(namespace)}`;
  if (metadataName.test(host) || metadataNames.has(host)) return "is a name of a cloud's metadata service";
  const short = inCluster(host);
  if (short === "kubernetes" || short === "kubernetes.default") return "is a name of the API server";
  if (short === inCluster(settings.xdsCluster.toLowerCase())) return "is a name of this control plane";
  if (settings.forbiddenHosts.some((one) => covers(one, host))) return "is in the setting forbiddenHosts";
  return undefined;
}

const isLoopbackName = (host: string): boolean => loopbackNames.has(host) || host.endsWith(".localhost");

/** The name `name.namespace` for all in-cluster names of a Service; other names unchanged. */
const inCluster = (host: string): string => host.replace(/^([^.]+\.[^.]+)\.svc(?:\..*)?$/, "$1");

const covers = (pattern: string, host: string): boolean =>
  pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : inCluster(pattern) === inCluster(host);
