import type {
  Cluster,
  ClusterLoadAssignment,
  Listener,
  RouteConfiguration,
  VirtualHost,
} from "../gen/envoy.js";
import { jsonOf, type ResourceSet } from "../link/resource-set.js";
import type { Snapshot } from "../link/snapshot.js";
import type { Table } from "../link/table.js";
import type { RequestConfig } from "./config.js";
import { selectVirtualHost } from "./select.js";

/** Headers whose values are often credentials. */
const sensitive = /authorization|cookie|token|secret|password|api-?key|credential/i;
export const notShown = "(not shown)";

/** Whether the values of a header must be hidden. */
export const isSensitiveHeader = (name: string): boolean => sensitive.test(name);

/** Parses a fragment and hides the values of headers that may be credentials. */
export const parseShown = <T>(json: string): T =>
  JSON.parse(json, (key, value: unknown) =>
    key === "header" && isHeader(value) && isSensitiveHeader(value.key)
      ? { ...value, value: notShown }
      : value,
  ) as T;

const isHeader = (value: unknown): value is { readonly key: string } =>
  typeof value === "object" && value !== null && "key" in value && typeof value.key === "string";

const find = <T>(set: ResourceSet, name: string): T | undefined => {
  const resource = set.get(name);
  const json = resource && jsonOf(resource);
  return json === undefined ? undefined : (JSON.parse(json) as T);
};

/**
 * The served configuration that applies to a request for a host. Other hosts have only names, and clusters are parsed
 * on request: the whole configuration, parsed, would be many times the size of its text.
 */
export function configFor({ sets, tables }: Pick<Snapshot, "sets" | "tables">, host: string): RequestConfig {
  const listeners = new Map<string, Listener>();
  for (const name of sets.listeners.names()) {
    const listener = find<Listener>(sets.listeners, name);
    if (listener) listeners.set(name, listener);
  }
  const names = [host, host.replace(/\.$/, "")];
  return {
    listeners,
    tables: new Map([...wholeTables(tables)].map(([name, hosts]) => [name, tableFor(name, hosts, names)])),
    clusters: { get: (name) => find<Cluster>(sets.clusters, name) },
    endpoints: { get: (name) => find<ClusterLoadAssignment>(sets.endpoints, name) },
  };
}

/** The JSON of each virtual host of each route table, in the order of their names, also for sharded tables. */
export function wholeTables(
  tables: ReadonlyMap<string, Table>,
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const whole = new Map<string, Map<string, string>>();
  for (const [part, { hosts }] of tables) {
    const name = part.replace(/\/[01]+$/, "");
    const found = whole.get(name) ?? new Map<string, string>();
    whole.set(name, found);
    for (const host of hosts) found.set(host.name, host.json);
  }
  for (const [name, hosts] of whole)
    whole.set(name, new Map([...hosts].sort(([a], [b]) => (a < b ? -1 : 1))));
  return whole;
}

function tableFor(
  name: string,
  hosts: ReadonlyMap<string, string>,
  names: readonly string[],
): RouteConfiguration {
  const stubs: VirtualHost[] = [...hosts.keys()].map((host) => ({ name: host, domains: [host] }));
  const chosen = new Set(
    names.map((host) => selectVirtualHost({ virtual_hosts: stubs }, host)?.virtualHost.name),
  );
  const virtual_hosts = stubs.map((stub) =>
    chosen.has(stub.name) ? parseShown<VirtualHost>(hosts.get(stub.name ?? "") ?? "{}") : stub,
  );
  return { name, virtual_hosts };
}
