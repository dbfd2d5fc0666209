import type { Cluster, ClusterLoadAssignment, FilterChain, Listener } from "../gen/envoy.js";
import { ingressHttps } from "../graph/core/listener-names.js";
import type { Fact } from "../xds/policies/policy.js";
import { chainFacts, tcpBackends } from "./chain.js";
import type { ChangeKind, ConfigChange, Place } from "./change.js";
import { type EnvoyConfig, endpointsOf, managerOf } from "./config.js";
import { diffHosts } from "./diff-hosts.js";
import { type Detail, differences, factDifferences } from "./leaves.js";
import { addressesIn, reachOf } from "./listener-names.js";
import { serviceOf } from "./names.js";
import { type CommonNames, clusterNames, listenerNames, renamed } from "./rename.js";

/** Renames clusters and listeners of two configurations so that corresponding ones have the same name. */
export function aligned(before: EnvoyConfig, after: EnvoyConfig): readonly [EnvoyConfig, EnvoyConfig] {
  const [clusterNamed, listenerNamed] = [clusterNames(before, after), listenerNames(before, after)];
  return [
    withNames(before, new Map([...clusterNamed.before, ...listenerNamed.before])),
    withNames(after, new Map([...clusterNamed.after, ...listenerNamed.after])),
  ];
}

/** The changes for traffic between two `aligned` configurations, without names of objects and routes. */
export function diff(a: EnvoyConfig, b: EnvoyConfig): ConfigChange[] {
  return [
    ...compare("listener", listeners(a), listeners(b), frameDetails),
    ...diffServerNames(a, b),
    ...compare("certificate", a.secrets, b.secrets, differences),
    ...diffHosts(a, b),
    ...compare("cluster", clusters(a), clusters(b), differences),
    ...diffEndpoints(a, b),
  ];
}

function withNames(config: EnvoyConfig, names: CommonNames): EnvoyConfig {
  const keys = <T>(map: ReadonlyMap<string, T>): Map<string, T> =>
    new Map([...map].map(([name, value]) => [names.get(name) ?? name, renamed(value, names)]));
  return {
    listeners: keys(config.listeners),
    tables: keys(config.tables),
    clusters: keys(config.clusters),
    endpoints: keys(config.endpoints),
    secrets: config.secrets,
  };
}

/** Compares items by name. `details` gets undefined for the side without the item. */
function compare<T>(
  kind: ChangeKind,
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  details: (before: T | undefined, after: T | undefined) => Detail[],
): ConfigChange[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((name): ConfigChange[] => {
    const [a, b] = [before.get(name), after.get(name)];
    if (a === undefined || b === undefined) {
      const contents = kind === "cluster" || kind === "certificate" ? [] : details(a, b);
      return [{ kind, name, change: a === undefined ? "added" : "removed", details: contents }];
    }
    const found = details(a, b);
    return found.length > 0 ? [{ kind, name, change: "changed", details: found }] : [];
  });
}

/** Listeners without their filter chains for server names. */
function listeners({ listeners: all }: EnvoyConfig): Map<string, Listener> {
  return new Map(
    [...all].map(([name, listener]) => [
      name,
      {
        ...listener,
        filter_chains: (listener.filter_chains ?? []).filter((chain) => !chain.filter_chain_match),
      },
    ]),
  );
}

function frameDetails(before: Listener | undefined, after: Listener | undefined): Detail[] {
  const passedOn = chainDetails(before && tcpChain(before), after && tcpChain(after));
  if (before && after) return [...differences(withoutTcp(before), withoutTcp(after)), ...passedOn];
  const port = (before ?? after)?.address?.socket_address?.port_value;
  const places = addressesIn(before ?? after).map((address) => `${address}:${port}`);
  return [{ what: "address", [before ? "before" : "after"]: places.join(", ") }, ...passedOn];
}

/** The filter chain for all connections of a plain TCP listener. */
const tcpChain = ({ filter_chains = [] }: Listener): FilterChain | undefined =>
  filter_chains.find((chain) => !managerOf(chain));

const withoutTcp = ({ filter_chains = [], ...listener }: Listener): Listener => ({
  ...listener,
  filter_chains: filter_chains.filter(managerOf),
});

/** The filter chain of TLS connections for a server name. */
interface ServerName {
  readonly place: Place;
  readonly chain: FilterChain;
}

/** Filter chains by server name, with the port unless they belong to the main listener. */
function serverNames({ listeners: all }: EnvoyConfig): Map<string, ServerName> {
  const found = new Map<string, ServerName>();
  for (const [listener, { filter_chains = [] }] of all) {
    const port = listener === ingressHttps ? "" : ` (${reachOf(listener)})`;
    for (const { name: _, filter_chain_match: match, ...chain } of filter_chains)
      for (const domain of match ? (match.server_names ?? ["*"]) : [])
        found.set(domain + port, { place: { domain, listener }, chain });
  }
  return found;
}

function diffServerNames(before: EnvoyConfig, after: EnvoyConfig): ConfigChange[] {
  const [a, b] = [serverNames(before), serverNames(after)];
  const details = (x: ServerName | undefined, y: ServerName | undefined): Detail[] =>
    chainDetails(x?.chain, y?.chain);
  return compare("server name", a, b, details).map((change) => ({
    ...change,
    ...(b.get(change.name) ?? a.get(change.name))?.place,
  }));
}

function chainDetails(before: FilterChain | undefined, after: FilterChain | undefined): Detail[] {
  const facts = factDifferences(describeChain(before), describeChain(after));
  if (!before || !after) return facts;
  const [a, b] = [filtersOf(before), filtersOf(after)];
  const changes = [
    ...facts,
    ...a.filter((name) => !b.includes(name)).map((name): Detail => ({ what: "filter", before: name })),
    ...b.filter((name) => !a.includes(name)).map((name): Detail => ({ what: "filter", after: name })),
  ];
  return changes.length > 0 ? changes : differences(before, after);
}

const filtersOf = (chain: FilterChain): string[] =>
  [...(managerOf(chain)?.http_filters ?? []), ...(chain.filters ?? [])].map(({ name = "" }) => name);

function describeChain(chain: FilterChain | undefined): Fact[] {
  if (!chain) return [];
  const backends = tcpBackends(chain).map(({ cluster, weight }) => `${cluster} (weight ${weight})`);
  return [
    ...chainFacts(chain),
    ...(backends.length > 0 ? [{ what: "TCP to", value: backends.join(", ") }] : []),
  ];
}

/** Clusters without their names and the source of their endpoints. */
function clusters({ clusters: all }: EnvoyConfig): Map<string, Cluster> {
  return new Map(
    [...all].map(([name, cluster]) => {
      const { name: _, type, alt_stat_name, eds_cluster_config, load_assignment, ...rest } = cluster;
      // The way in which addresses are delivered does not matter.
      return [name, type === "EDS" || type === "STATIC" || type === undefined ? rest : { ...rest, type }];
    }),
  );
}

function diffEndpoints(before: EnvoyConfig, after: EnvoyConfig): ConfigChange[] {
  const changes = new Map<string, ConfigChange>();
  for (const name of [...before.clusters.keys()].sort()) {
    if (!after.clusters.has(name)) continue;
    const [a, b] = [addresses(endpointsOf(before, name)), addresses(endpointsOf(after, name))];
    const details = [
      ...a.filter((one) => !b.includes(one)).map((one): Detail => ({ what: "endpoint", before: one })),
      ...b.filter((one) => !a.includes(one)).map((one): Detail => ({ what: "endpoint", after: one })),
    ];
    // The clusters of one service have the same endpoints.
    const service = serviceOf(name);
    if (details.length > 0)
      changes.set(service, { kind: "endpoints", name: service, change: "changed", details });
  }
  return [...changes.values()];
}

/** Each endpoint with its attributes; all except address and locality are Envoy's fields. */
function addresses(assignment: ClusterLoadAssignment | undefined): string[] {
  return (assignment?.endpoints ?? []).flatMap(({ locality, load_balancing_weight: weight, lb_endpoints }) =>
    (lb_endpoints ?? []).map(({ endpoint: { address, ...endpoint } = {}, ...rest }) => {
      const { address: ip, port_value } = address?.socket_address ?? {};
      const place = locality?.sub_zone ? ` of ${locality.sub_zone}` : "";
      const share = weight === undefined ? "" : ` (weight ${weight})`;
      const fields = { ...endpoint, ...rest };
      const more = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : "";
      return `${ip}:${port_value}${place}${share}${more}`;
    }),
  );
}
