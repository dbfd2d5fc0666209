import type { RouteConfiguration } from "../gen/envoy.js";
import { ingressHttp, ingressHttps } from "../graph/listener-names.js";
import type { Finding } from "../schema/meta.js";
import { distance } from "../schema/spelling.js";
import type { RequestConfig } from "./config.js";
import type { Claims } from "./origins.js";
import { hostName, type Request } from "./request.js";
import { selectChain, selectVirtualHost } from "./select.js";

const maxNear = 3;
const maxFindings = 5;

/** Why a host may not be served, and which one may have been meant. */
export function hostHints(
  config: RequestConfig,
  { authority, scheme }: Request,
  claimsOn?: (host: string) => Claims,
): string[] {
  const host = hostName(authority);
  const claims = claimsOn?.(host);
  const found: string[] = [];
  if (claims?.claimants.length) {
    found.push(`${host} is claimed by ${claims.claimants.join(", ")}`);
    found.push(...claims.findings.slice(0, maxFindings).map(describeFinding));
  }
  const other = scheme === "http" ? "https" : "http";
  if (isServed(config, host, other)) found.push(`${host} is served over ${other}`);
  const near = nearHosts(config, host);
  if (near.length > 0) found.push(`nearest hosts: ${near.join(", ")}`);
  return found;
}

export const describeFinding = ({ about, path, message }: Finding): string =>
  `${about}${path ? ` ${path}` : ""}: ${message}`;

function isServed(config: RequestConfig, host: string, scheme: "http" | "https"): boolean {
  const table = config.tables.get(scheme === "http" ? ingressHttp : ingressHttps);
  if (table && selectVirtualHost(table, host)) return true;
  const listener = scheme === "https" ? config.listeners.get(ingressHttps) : undefined;
  return (
    listener !== undefined && selectChain(listener, host)?.filter_chain_match?.server_names !== undefined
  );
}

const namesOf = (table: RouteConfiguration): string[] =>
  (table.virtual_hosts ?? []).flatMap(({ domains = [] }) => domains);

/** Hosts that differ in a few letters, and those of the same name under another domain or the other way round. */
function nearHosts(config: RequestConfig, host: string): string[] {
  const names = new Set([...config.tables.values()].flatMap(namesOf));
  for (const chain of config.listeners.get(ingressHttps)?.filter_chains ?? [])
    for (const name of chain.filter_chain_match?.server_names ?? []) names.add(name);
  names.delete(host);
  const limit = Math.max(2, Math.floor(host.length / 4));
  return [...names]
    .filter((name) => Math.abs(name.length - host.length) <= limit)
    .map((name) => ({ name, letters: distance(host, name) }))
    .filter(({ letters }) => letters <= limit)
    .sort((a, b) => a.letters - b.letters || (a.name < b.name ? -1 : 1))
    .slice(0, maxNear)
    .map(({ name }) => name);
}
