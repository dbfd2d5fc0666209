import type { FilterChain, Listener, RouteConfiguration, VirtualHost } from "../gen/envoy.js";

/** The entry for a name: an exact one, or the longest `*.suffix`. */
function byName<T>(name: string, entries: Iterable<readonly [string, T]>): readonly [string, T] | undefined {
  let best: readonly [string, T] | undefined;
  for (const entry of entries) {
    const [pattern] = entry;
    if (pattern === name) return entry;
    if (isSuffixOf(pattern, name) && pattern.length > (best?.[0].length ?? 0)) best = entry;
  }
  return best;
}

/** Whether `*.x` covers a name; in Envoy the star matches any number of labels. */
const isSuffixOf = (pattern: string, name: string): boolean =>
  pattern.startsWith("*") &&
  pattern.length > 1 &&
  name.length >= pattern.length &&
  name.endsWith(pattern.slice(1));

/** The filter chain for a server name: exact, then the longest wildcard, then the chain without server names. */
export function selectChain(listener: Listener, serverName: string): FilterChain | undefined {
  const chains = listener.filter_chains ?? [];
  const named = chains.flatMap((chain) =>
    (chain.filter_chain_match?.server_names ?? []).map((name) => [name, chain] as const),
  );
  const found = byName(serverName, named);
  return found?.[1] ?? chains.find((chain) => !chain.filter_chain_match?.server_names?.length);
}

export interface SelectedHost {
  readonly virtualHost: VirtualHost;
  /** The matching one of its domains. */
  readonly domain: string;
}

/** The virtual host of a name: exact, then the longest `*.suffix`, then the longest `prefix.*`, then `*`. */
export function selectVirtualHost(table: RouteConfiguration, host: string): SelectedHost | undefined {
  const domains = (table.virtual_hosts ?? []).flatMap((virtualHost) =>
    (virtualHost.domains ?? []).map((domain) => [domain.toLowerCase(), virtualHost] as const),
  );
  const prefixes = domains
    .filter(
      ([domain]) =>
        /.\*$/.test(domain) && host.length >= domain.length && host.startsWith(domain.slice(0, -1)),
    )
    .sort(([a], [b]) => b.length - a.length);
  const found = byName(host, domains) ?? prefixes[0] ?? domains.find(([domain]) => domain === "*");
  return found && { domain: found[0], virtualHost: found[1] };
}
