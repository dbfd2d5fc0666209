import type { Cluster, ClusterLoadAssignment, Listener, RouteConfiguration, Secret } from "../gen/envoy.js";
import type { XdsType } from "../link/snapshot.js";
import { isRecord } from "../schema/issues.js";
import { type EnvoyConfig, wholeTables } from "./config.js";

/** What an Envoy runs with, by its own word. */
export interface ConfigDump {
  /** Without what its bootstrap holds. */
  readonly config: EnvoyConfig;
  /** The version that it accepted last, of types that it asks for whole. */
  readonly versions: Readonly<Partial<Record<XdsType, string>>>;
  /** What it refuses, and why. */
  readonly refusals: readonly { readonly what: string; readonly why: string }[];
  /** Whether it asks for endpoints apart from clusters. */
  readonly hasEndpoints: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => (isRecord(value) ? value : {});
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isRecord) : []);

function named<T>(resources: readonly Fields[], nameField = "name"): Map<string, T> {
  const found = new Map<string, T>();
  for (const { "@type": _, ...fields } of resources) {
    const name = fields[nameField];
    if (typeof name === "string") found.set(name, fields as T);
  }
  return found;
}

/** Reads `GET /config_dump?include_eds` of an Envoy's admin interface. @throws Error for anything else. */
export function readConfigDump(value: unknown): ConfigDump {
  const configs = isRecord(value) && Array.isArray(value.configs) ? listOf(value.configs) : undefined;
  if (!configs) throw new Error("the answer to /config_dump is no configuration of an Envoy");
  const sectionOf = (name: string): Fields =>
    configs.find((one) => String(one["@type"]).endsWith(`.${name}`)) ?? {};
  const clusters = sectionOf("ClustersConfigDump");
  const listeners = sectionOf("ListenersConfigDump");
  const routes = sectionOf("RoutesConfigDump");
  const secrets = sectionOf("SecretsConfigDump");
  const endpoints = sectionOf("EndpointsConfigDump");
  const dynamicListeners = listOf(listeners.dynamic_listeners);
  const of = (list: unknown, member: string): Fields[] => listOf(list).map((one) => fieldsOf(one[member]));
  const version = (section: Fields): string | undefined =>
    typeof section.version_info === "string" ? section.version_info : undefined;
  const whole = { clusters: version(clusters), listeners: version(listeners) };
  return {
    config: {
      listeners: named<Listener>(
        dynamicListeners.map((one) => fieldsOf(fieldsOf(one.active_state).listener)),
      ),
      tables: wholeTables(named<RouteConfiguration>(of(routes.dynamic_route_configs, "route_config"))),
      clusters: named<Cluster>(of(clusters.dynamic_active_clusters, "cluster")),
      endpoints: named<ClusterLoadAssignment>(
        of(endpoints.dynamic_endpoint_configs, "endpoint_config"),
        "cluster_name",
      ),
      secrets: named<Secret>(of(secrets.dynamic_active_secrets, "secret")),
    },
    versions: Object.fromEntries(Object.entries(whole).filter(([, text]) => text !== undefined)),
    refusals: refusalsIn([
      ...dynamicListeners.map((one) => ["listener", one] as const),
      ...listOf(clusters.dynamic_active_clusters).map((one) => ["cluster", one] as const),
      ...listOf(clusters.dynamic_warming_clusters).map((one) => ["cluster", one] as const),
      ...listOf(routes.dynamic_route_configs).map((one) => ["route table", one] as const),
      ...listOf(secrets.dynamic_active_secrets).map((one) => ["certificate", one] as const),
      ...listOf(secrets.dynamic_warming_secrets).map((one) => ["certificate", one] as const),
    ]),
    hasEndpoints: listOf(endpoints.dynamic_endpoint_configs).length > 0,
  };
}

function refusalsIn(all: readonly (readonly [kind: string, state: Fields])[]): ConfigDump["refusals"] {
  return all.flatMap(([kind, state]) => {
    const { details } = fieldsOf(state.error_state);
    if (typeof details !== "string") return [];
    const name = state.name ?? fieldsOf(state.cluster).name ?? fieldsOf(state.route_config).name ?? "";
    return [{ what: `${kind} ${String(name)}`, why: details }];
  });
}

/** Keys and certificates: Envoy does not show them, and a server shows digests of them. */
const unseen = new Set(["inline_bytes", "inline_string", "private_key", "password"]);
/** Values that the first name of an enum stands for, of fields that a server writes: Envoy leaves them out. */
const firstNames: Readonly<Record<string, string>> = {
  action: "ALLOW",
  append_action: "APPEND_IF_EXISTS_OR_ADD",
  codec_client_type: "HTTP1",
  codec_type: "AUTO",
  denominator: "HUNDRED",
  dns_lookup_family: "AUTO",
  priority: "DEFAULT",
  resource_api_version: "AUTO",
  response_code: "MOVED_PERMANENTLY",
  server_header_transformation: "OVERWRITE",
  transport_api_version: "AUTO",
  type: "STATIC",
};
const duration = /^(\d+(?:\.\d+)?)s$/;

/**
 * A configuration in one form, whether Envoy or a server has written it: Envoy writes no fields with their defaults, and durations and large numbers
 * in its own way. Of endpoints only addresses count, as Envoy shows those that it resolved, with their health.
 */
export function canonical(config: EnvoyConfig, withEndpoints: boolean): EnvoyConfig {
  const each = <T>(map: ReadonlyMap<string, T>): Map<string, T> =>
    new Map([...map].map(([name, value]) => [name, (plain(value) ?? {}) as T]));
  return {
    listeners: each(config.listeners),
    tables: each(config.tables),
    clusters: each(config.clusters),
    endpoints: withEndpoints
      ? new Map([...config.endpoints].map(([name, one]) => [name, addressesAlone(one)]))
      : new Map(),
    secrets: new Map([...config.secrets.keys()].map((name) => [name, { name }])),
  };
}

function plain(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => plain(item) ?? {});
    return items.length > 0 ? items : undefined;
  }
  if (isRecord(value)) {
    const fields = Object.entries(value).flatMap(([name, inner]) => {
      const kept = unseen.has(name) ? undefined : plain(inner, name);
      return kept === undefined ? [] : [[name, kept] as const];
    });
    // In one order, so that the same content is the same text.
    fields.sort(([a], [b]) => (a < b ? -1 : 1));
    return fields.length > 0 ? Object.fromEntries(fields) : undefined;
  }
  if (value === false || value === 0 || value === "" || value === null || value === undefined)
    return undefined;
  if (typeof value !== "string") return value;
  if (firstNames[key] === value) return undefined;
  const [, seconds] = duration.exec(value) ?? [];
  if (seconds !== undefined) return Number(seconds) === 0 ? undefined : `${Number(seconds)}s`;
  return /^\d{1,15}$/.test(value) ? Number(value) : value;
}

function addressesAlone({ cluster_name, endpoints = [] }: ClusterLoadAssignment): ClusterLoadAssignment {
  const addresses = endpoints
    .flatMap(({ lb_endpoints = [] }) => lb_endpoints)
    .flatMap(({ endpoint }) => {
      const { address, port_value } = endpoint?.address?.socket_address ?? {};
      return address === undefined ? [] : [{ address, port_value: port_value ?? 0 }];
    })
    .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : a.port_value - b.port_value));
  return {
    ...(cluster_name === undefined ? {} : { cluster_name }),
    endpoints: [
      { lb_endpoints: addresses.map((one) => ({ endpoint: { address: { socket_address: one } } })) },
    ],
  };
}
