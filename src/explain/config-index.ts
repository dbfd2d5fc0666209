import type { FilterChain, Listener, VirtualHost } from "../gen/envoy.js";
import { fallbackTable, ingressHttp, ingressHttps } from "../graph/core/listener-names.js";
import type { Place } from "./change.js";
import type { EnvoyConfig, RequestConfig } from "./config.js";
import { parseListenerName, reachOf } from "./listener-names.js";
import { selectChain, selectVirtualHost } from "./select.js";

/** A host on one listener. */
export interface ReachedHost {
  readonly table: string;
  /** The name of its virtual host, on at least one side. */
  readonly host: string;
  /** The host that requests use: for a wildcard, a name that no other virtual host has. */
  readonly asked: string;
  readonly scheme: "http" | "https";
}

/** Scheme and port of a listener, as text. */
export const labelOf = (listener: string): string =>
  listener === fallbackTable ? "https without a server name" : reachOf(listener);

/** A place as text, as in `ConfigChange.host`. */
export const placeLabel = ({ domain, listener }: Place): string => `${domain} (${labelOf(listener)})`;

/** Whether clients reach a listener over TLS. */
export const isTls = (listener: string): boolean =>
  listener === fallbackTable || parseListenerName(listener)?.family === "https";

/** The part of a configuration that applies to a request for one site. */
export interface SiteConfig {
  readonly config: RequestConfig;
  readonly virtualHost: VirtualHost | undefined;
}

/** Finds the configuration of a request without a scan of all hosts. */
export class ConfigIndex {
  readonly #hosts = new Map<string, ReadonlyMap<string, VirtualHost>>();
  readonly #chains = new Map<string, ReadonlyMap<string, FilterChain>>();

  constructor(private readonly config: EnvoyConfig) {
    for (const [name, { virtual_hosts = [] }] of config.tables)
      this.#hosts.set(
        name,
        new Map(
          virtual_hosts.flatMap((host) => (host.domains ?? []).map((domain) => [domain, host] as const)),
        ),
      );
    for (const [name, { filter_chains = [] }] of config.listeners)
      this.#chains.set(
        name,
        new Map(
          filter_chains.flatMap((chain) =>
            (chain.filter_chain_match?.server_names ?? []).map((server) => [server, chain] as const),
          ),
        ),
      );
  }

  /** Names of the virtual hosts of a table. */
  names(table: string): string[] {
    return (this.config.tables.get(table)?.virtual_hosts ?? []).flatMap(({ name }) => name ?? []);
  }

  has(table: string, domain: string): boolean {
    return this.#hosts.get(table)?.has(domain) ?? false;
  }

  virtualHost(table: string, host: string): VirtualHost | undefined {
    const routes = this.config.tables.get(table);
    return this.#hosts.get(table)?.get(host) ?? (routes && selectVirtualHost(routes, host)?.virtualHost);
  }

  /** The filter chain and virtual host of a site, under the name of the main listener of its scheme. */
  at({ table, asked, scheme }: ReachedHost): SiteConfig {
    const name = table === fallbackTable ? ingressHttps : table;
    const listener = this.config.listeners.get(name);
    const serverName = scheme === "https" && table !== fallbackTable ? asked : "";
    const chain = this.#chains.get(name)?.get(serverName) ?? (listener && selectChain(listener, serverName));
    const virtualHost = this.virtualHost(table, asked);
    const routes = this.config.tables.get(table);
    const listeners = new Map<string, Listener>();
    if (listener)
      listeners.set(scheme === "https" ? ingressHttps : ingressHttp, {
        ...listener,
        filter_chains: chain ? [chain] : [],
      });
    const { clusters, endpoints } = this.config;
    const tables = new Map(
      routes ? [[table, { ...routes, virtual_hosts: virtualHost ? [virtualHost] : [] }]] : [],
    );
    return { config: { listeners, tables, clusters, endpoints }, virtualHost };
  }
}

/** Every host of either side, on each of its listeners. */
export function* sitesOf(
  before: EnvoyConfig,
  after: EnvoyConfig,
  a: ConfigIndex,
  b: ConfigIndex,
): Iterable<ReachedHost> {
  for (const table of new Set([...before.tables.keys(), ...after.tables.keys()])) {
    const scheme = isTls(table) ? "https" : "http";
    for (const host of new Set([...a.names(table), ...b.names(table)])) {
      const asked = askedFor(host, (name) => a.has(table, name) || b.has(table, name));
      yield { table, host, asked, scheme };
    }
  }
}

function askedFor(host: string, isTaken: (name: string) => boolean): string {
  if (!host.includes("*")) return host;
  for (let i = 0; ; i++) {
    const label = i === 0 ? "any" : `any${i}`;
    const name = host === "*" ? `${label}.invalid` : host.replace("*", label);
    if (!isTaken(name)) return name;
  }
}
