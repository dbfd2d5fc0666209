import { type EnvoyConfig, managerOf } from "../explain/config.js";
import type {
  Cluster,
  FilterChain,
  HttpConnectionManager,
  Listener,
  Route,
  RouteConfiguration,
  Secret,
  VirtualHost,
} from "../gen/envoy.js";
import { protectionFilters } from "../xds/policies/index.js";

/** Addresses on this machine. */
export interface LocalPorts {
  /** Ports of 127.0.0.1 by listener name. */
  readonly listeners: ReadonlyMap<string, number>;
  /** Ports of 127.0.0.1 by cluster name; a cluster without a port has no endpoints. */
  readonly backends: ReadonlyMap<string, number>;
}

/** A configuration with all listeners and endpoints on 127.0.0.1, and without a control plane or external services. */
export function localConfig(
  config: EnvoyConfig,
  places: LocalPorts,
): { listeners: Listener[]; clusters: Cluster[] } {
  return {
    listeners: [...places.listeners].flatMap(([name, port]) => {
      const listener = config.listeners.get(name);
      return listener ? [localListener(listener, port, config)] : [];
    }),
    clusters: [...config.clusters.keys()].map((name) => localCluster(name, places.backends.get(name))),
  };
}

const address = (port: number): NonNullable<Listener["address"]> => ({
  socket_address: { address: "127.0.0.1", port_value: port },
});

/** HTTP/1.1 in plain text, whatever the real cluster uses: the echo servers support nothing else. */
const localCluster = (name: string, port: number | undefined): Cluster => ({
  name,
  type: "STATIC",
  connect_timeout: "2s",
  load_assignment: {
    cluster_name: name,
    endpoints: port === undefined ? [] : [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
  },
});

function localListener(listener: Listener, port: number, config: EnvoyConfig): Listener {
  const { name, listener_filters = [], filter_chains = [] } = listener;
  return {
    ...(name === undefined ? {} : { name }),
    address: address(port),
    listener_filters: listener_filters.filter(
      (filter) => filter.name !== "envoy.filters.listener.proxy_protocol",
    ),
    filter_chains: filter_chains.map((chain) => localChain(chain, config)),
  };
}

function localChain(chain: FilterChain, config: EnvoyConfig): FilterChain {
  const { name, filter_chain_match: match, transport_socket: socket, filters = [] } = chain;
  const manager = managerOf(chain);
  const kept = filters.filter((filter) => !/\.rbac$|\.rbac\./.test(filter.name ?? ""));
  return {
    ...(name === undefined ? {} : { name }),
    ...(match ? { filter_chain_match: match } : {}),
    ...(socket ? { transport_socket: localTls(socket, config.secrets) } : {}),
    filters: manager
      ? kept.map((filter) =>
          isManager(filter.typed_config)
            ? { ...filter, typed_config: localManager(manager, config) }
            : filter,
        )
      : kept.map((filter) => ({ ...filter, ...withoutLog(filter.typed_config) })),
  };
}

type Config = NonNullable<NonNullable<FilterChain["filters"]>[number]["typed_config"]>;

const isManager = (config: Config | undefined): boolean =>
  config?.["@type"].endsWith(".HttpConnectionManager") ?? false;

function withoutLog(config: Config | undefined): { readonly typed_config?: Config } {
  if (!config) return {};
  return {
    typed_config: Object.fromEntries(
      Object.entries(config).filter(([key]) => key !== "access_log"),
    ) as Config,
  };
}

/** Inline certificates in place of their names, and no client certificates. */
function localTls(
  socket: NonNullable<FilterChain["transport_socket"]>,
  secrets: ReadonlyMap<string, Secret>,
): NonNullable<FilterChain["transport_socket"]> {
  const config = socket.typed_config as Config & {
    readonly common_tls_context?: {
      readonly tls_certificate_sds_secret_configs?: readonly { readonly name?: string }[];
      readonly validation_context?: unknown;
    };
  };
  const {
    tls_certificate_sds_secret_configs: named,
    validation_context: _,
    ...context
  } = config.common_tls_context ?? {};
  const certificates = (named ?? []).flatMap(({ name = "" }) => secrets.get(name)?.tls_certificate ?? []);
  return {
    ...socket,
    typed_config: {
      ...config,
      require_client_certificate: false,
      common_tls_context: { ...context, ...(named ? { tls_certificates: certificates } : {}) },
    } as Config,
  };
}

function localManager(manager: HttpConnectionManager, { tables }: EnvoyConfig): Config {
  const { rds, scoped_routes, access_log: _, tracing: __, http_filters = [], ...rest } = manager;
  const table = tables.get(rds?.route_config_name ?? scoped_routes?.name ?? "");
  return {
    ...rest,
    route_config: table ? localTable(table) : {},
    http_filters: http_filters.filter(({ name }) => !protectionFilters.has(name ?? "")),
  } as unknown as Config;
}

const localTable = (table: RouteConfiguration): RouteConfiguration => ({
  ...table,
  virtual_hosts: (table.virtual_hosts ?? []).map(
    (host): VirtualHost => ({
      ...withoutFilterConfig(host),
      routes: (host.routes ?? []).map((route): Route => withoutFilterConfig(route)),
    }),
  ),
});

/** Envoy rejects the configuration of a filter that does not exist. */
function withoutFilterConfig<T extends Pick<Route, "typed_per_filter_config">>(owner: T): T {
  const configs = Object.entries(owner.typed_per_filter_config ?? {});
  return {
    ...owner,
    typed_per_filter_config: Object.fromEntries(configs.filter(([name]) => !protectionFilters.has(name))),
  };
}
