import { readTcpListeners } from "./graph/api/gateway/tcp.js";
import { readUdpStreams, type UdpStream } from "./graph/api/gateway/udp.js";
import {
  listenerSpecsOf,
  validatedBy,
  validateGateway,
  validateRoute,
} from "./graph/api/gateway/validate.js";
import { reportNginxConfig } from "./graph/api/ingress-nginx/config.js";
import { readNginxStreams } from "./graph/api/ingress-nginx/streams.js";
import type { Cluster } from "./graph/backends/cluster.js";
import { buildEndpoints } from "./graph/backends/endpoints.js";
import { readExtensionService } from "./graph/backends/extension-service.js";
import { isInline, type KeyPair, readKeyPair, secretName } from "./graph/certificates/secret.js";
import {
  endpointsName,
  isClaimedUnit,
  type ReadKey,
  readUnit,
  secretUnit,
  type Unit,
  type UnitKey,
} from "./graph/core/keys.js";
import { fallbackTable } from "./graph/core/listener-names.js";
import type { HttpsTerms, HttpTerms, ListenerPlace, Route, Site, TcpTerms, Tls } from "./graph/core/nodes.js";
import { createReport, type Reader, type Report } from "./graph/core/reader.js";
import { writeOrigins } from "./graph/core/route-origins.js";
import { buildVirtualHost } from "./graph/core/virtual-host.js";
import { readGlobalServices } from "./graph/policies/global-services.js";
import type { JwksServer } from "./graph/policies/jwt.js";
import type { Ref } from "./schema/meta.js";
import { isSame } from "./schema/same.js";
import type { SettingsSpec } from "./schema/settings.js";
import { messageOf } from "./schema/words.js";
import type { Compiled, Resource, TableOrigins } from "./store/store.js";
import { readsSource } from "./xds/access-log.js";
import { writeSecret } from "./xds/certificate.js";
import { closedCluster } from "./xds/closed-cluster.js";
import { clusterName, writeCluster } from "./xds/cluster.js";
import { writeEndpoints } from "./xds/endpoints.js";
import { writeExtension, writeJwksCluster } from "./xds/extension-cluster.js";
import {
  type ChainContext,
  writeClosedChains,
  writeDoorChains,
  writeFallbackChain,
  writeFilterChains,
  writeTcpChain,
  writeTcpHostChains,
} from "./xds/filter-chain.js";
import {
  defaultListeners,
  type ListenerSpec,
  routeTable,
  writeListeners,
  writeTrafficListeners,
} from "./xds/listener.js";
import { altSvcOf, quicProblem } from "./xds/quic.js";
import { writeVirtualHost } from "./xds/route.js";
import { writeSentinelCluster } from "./xds/stats-listener.js";
import { writeUdp } from "./xds/udp.js";

/**
 * Must be raised when any object compiles to a different result than before: stores outlive upgrades, and a store with
 * another version is recompiled. `test/golden/compiler.test.ts` enforces this.
 */
export const compilerVersion = 22;

/** A reader that records all reads. */
export interface RecordingReader extends Reader {
  readonly reads: readonly ReadKey[];
}

/** Compiles one unit. A bug in the compiler becomes a finding and affects only this unit. */
export function compileUnit(unit: UnitKey, reader: RecordingReader): Compiled {
  const report = createReport();
  const { resources, origins } = guarded(unit, reader, report);
  const { findings } = report;
  const { reads } = reader;
  return origins ? { unit, resources, origins, findings, reads } : { unit, resources, findings, reads };
}

type Output = Pick<Compiled, "resources" | "origins">;

function guarded(unit: UnitKey, reader: Reader, report: Report): Output {
  try {
    const parsed = readUnit(unit);
    return parsed.kind === "vhost"
      ? compileVirtualHost(parsed.host, reader, report)
      : { resources: compile(parsed, reader, report) };
  } catch (error) {
    const message = `the compiler failed on ${unit}: ${messageOf(error)}`;
    const owners = isClaimedUnit(unit) ? reader.claimants(unit) : [];
    for (const about of owners) report.error(about, "InternalError", "CompilerFault", message);
    return { resources: [] };
  }
}

function compile(
  unit: Exclude<Unit, { kind: "vhost" }>,
  reader: Reader,
  report: Report,
): readonly Resource[] {
  switch (unit.kind) {
    case "endpoints": {
      const endpoints = buildEndpoints(unit.of, reader, report);
      return [writeEndpoints(endpointsName(unit.of), endpoints, reader.settings)];
    }
    case "secret": {
      const { pair } = readKeyPair(reader, secretName(unit.secret, ""));
      return pair ? [writeSecret(unit.secret, pair)] : [];
    }
    case "extension":
      return compileExtension(unit, reader, report);
    case "listeners":
      return compileListeners(reader, report);
    case "gateway":
      return compileGateway(unit, reader, report);
    case "route":
      validateRoute(unit.ref, reader, report);
      return [];
    case "tcp":
      return compileTcpListeners(reader, report);
  }
}

function compileListeners(reader: Reader, report: Report): readonly Resource[] {
  const { gatewayRef } = reader.settings;
  const gateway = gatewayRef && validateGateway(gatewayRef.namespace, gatewayRef.name, reader, report);
  if (reader.settings.ingressNginx) reportNginxConfig(reader, report);
  const listeners = gateway ? listenerSpecsOf(gateway, reader) : defaultListeners(reader.settings);
  return [
    ...writeListeners(listeners, reader.settings, readGlobalServices(reader, report)),
    ...compileNginxStreams(listeners, reader, report),
    writeSentinelCluster(),
  ];
}

/** The listeners of ingress-nginx's TCP and UDP services. */
function compileNginxStreams(
  listeners: readonly ListenerSpec[],
  reader: Reader,
  report: Report,
): readonly Resource[] {
  const { settings } = reader;
  if (!settings.ingressNginx) return [];
  const { stats, health, metrics } = settings;
  const own = [...listeners, stats, health, metrics].flatMap(({ port }) => port ?? []);
  const { tcp, udp } = readNginxStreams(reader, report, new Set(own));
  const { written: clusters, nameOf } = clusterNames(settings);
  const chains = tcp.map(({ listener, cluster }) =>
    writeTcpChain([{ cluster, weight: 1 }], [nameOf(cluster)], { listener, settings, idleMs: 600_000 }),
  );
  const specs = tcp.map(({ listener, port, decodes }): ListenerSpec => {
    return { name: listener, family: "tcp", port, proxyProtocol: decodes };
  });
  return [
    ...writeTrafficListeners(specs, settings, readGlobalServices(reader)),
    ...clusters.values(),
    ...chains,
    ...udp.flatMap((stream) => compileUdp(stream, reader, report)),
  ];
}

function compileUdp(stream: UdpStream, reader: Reader, report: Report): readonly Resource[] {
  const found = stream.backends.map((backend) => ({
    ...backend,
    endpoints: buildEndpoints(backend, reader, report, "UDP"),
  }));
  return writeUdp(stream, found, reader.settings);
}

/** The listeners of a Gateway of a class, with a route table for each that ends TLS for HTTP. The Gateway of the settings has the usual listeners. */
function compileGateway(
  { namespace, name }: Extract<Unit, { kind: "gateway" }>,
  reader: Reader,
  report: Report,
): readonly Resource[] {
  const { gatewayRef } = reader.settings;
  if (gatewayRef?.namespace === namespace && gatewayRef.name === name) return [];
  const view = validateGateway(namespace, name, reader, report);
  if (!view) return [];
  const tables = view.listeners.flatMap(({ site, spec, ready }) =>
    ready && site !== undefined && spec.protocol === "HTTPS" ? routeTable(site) : [],
  );
  return [
    ...writeTrafficListeners(listenerSpecsOf(view, reader), reader.settings, readGlobalServices(reader)),
    ...tables,
  ];
}

function compileExtension(
  { namespace, name }: Extract<Unit, { kind: "extension" }>,
  reader: Reader,
  report: Report,
): readonly Resource[] {
  const extension = readExtensionService(reader, namespace, name, report);
  if (!extension) return [];
  const found = extension.services.map((backend) => ({
    ...backend,
    endpoints: buildEndpoints({ ...backend, namespace: extension.namespace }, reader, report),
  }));
  return writeExtension(extension, found, reader.settings);
}

/** Collects the clusters of a host by name. */
function clusterNames(settings: SettingsSpec): {
  written: Map<string, Resource>;
  nameOf(cluster: Cluster): string;
  clusterOf(server: JwksServer): string;
} {
  const written = new Map<string, Resource>();
  let last: Cluster | undefined;
  let lastName = "";
  const nameOf = (cluster: Cluster): string => {
    // The routes of most hosts have the same cluster.
    if (last && isSame(last, cluster)) return lastName;
    last = cluster;
    lastName = clusterName(cluster, settings);
    if (!written.has(lastName)) written.set(lastName, writeCluster(cluster, lastName, settings));
    return lastName;
  };
  const clusterOf = (server: JwksServer): string => {
    const cluster = writeJwksCluster(server, settings);
    written.set(cluster.name, cluster);
    return cluster.name;
  };
  return { written, nameOf, clusterOf };
}

/** A bug in the validation of a route must not stop the host, which may be another tenant's. */
function validateRoutes(host: string, reader: Reader, report: Report): void {
  for (const ref of validatedBy(host, reader))
    try {
      validateRoute(ref, reader, report);
    } catch (error) {
      const message = `the compiler failed on ${ref}: ${messageOf(error)}`;
      report.error(ref, "InternalError", "CompilerFault", message);
    }
}

function compileVirtualHost(host: string, reader: Reader, report: Report): Output {
  const { settings } = reader;
  validateRoutes(host, reader, report);
  const { sites, closed, websockets } = buildVirtualHost(host, reader, report);
  const writer = new HostWriter(host, reader, report, websockets);
  for (const [listener, site] of sites)
    if (site.place) writer.placed(listener, site, site.place);
    else writer.site(listener, site);
  for (const [listener, kind] of closed)
    if (kind === "tcp") writer.written.push(...writeClosedChains(host, { listener, settings }));
    else writer.table(listener, { kind: "http", policies: {} }, []);
  const resources = [...writer.clusters.written.values(), ...writer.written];
  return writer.origins.length > 0 ? { resources, origins: writer.origins } : { resources };
}

/** What a connection for hosts of another listener gets: the client is to open one of its own. */
const misdirected = (owner: Ref): Route => ({
  match: { path: { kind: "prefix", value: "/" }, headers: [], queries: [] },
  action: { kind: "respond", status: 421 },
  policies: {},
  insecure: "serve",
  spansLabels: true,
  from: owner,
  field: "spec.listeners",
});

/** Collects what one host makes. */
class HostWriter {
  readonly clusters: ReturnType<typeof clusterNames>;
  readonly written: Resource[] = [];
  readonly origins: TableOrigins[] = [];
  readonly #sourced: boolean;

  constructor(
    private readonly host: string,
    private readonly reader: Reader,
    private readonly report: Report,
    private readonly websockets: true | undefined,
  ) {
    this.clusters = clusterNames(reader.settings);
    this.#sourced = readsSource(reader.settings.accessLog);
  }

  /** The host in one route table. */
  table(
    group: string,
    { policies, kind }: Pick<HttpTerms | HttpsTerms, "policies" | "kind">,
    routes: Site["routes"],
    altSvc?: string,
  ): void {
    const { host, origins, reader } = this;
    const secure = kind === "https";
    const authorized = secure || reader.settings.globalExtAuth !== undefined;
    const { nameOf } = this.clusters;
    const context = { host, secure, authorized, sourced: this.#sourced, altSvc, nameOf };
    const json = JSON.stringify(writeVirtualHost(context, policies, routes));
    this.written.push({ type: "virtual-host", group, name: host, json });
    const text = writeOrigins(routes);
    origins.push({ table: group, routes: origins.find((one) => one.routes === text)?.routes ?? text });
  }

  #context(listener: string, websockets: true | undefined): ChainContext {
    const { host, reader } = this;
    const { clusterOf } = this.clusters;
    const services = readGlobalServices(reader);
    return { host, listener, settings: reader.settings, services, websockets, clusterOf };
  }

  /** The host on one Envoy listener, as hosts of HTTPProxies are. */
  site(listener: string, { terms, routes }: Site): void {
    const { reader } = this;
    const context = this.#context(listener, this.websockets);
    if (terms.kind === "tcp") this.#tcp(terms, context);
    if (routes.length === 0 || terms.kind === "tcp" || terms.kind === "none") return;
    this.table(listener, terms, routes, this.#altSvc(listener, terms));
    if (terms.kind === "http") return;
    const own = { ...context, pair: certificate(terms.tls.secret, reader) };
    this.written.push(...writeFilterChains(terms, routes, own));
    this.#reportQuic(terms);
    if (!terms.fallback) return;
    this.table(fallbackTable, terms, routes);
    const pair = certificate(terms.fallback, reader);
    this.written.push(routeTable(fallbackTable), writeFallbackChain(terms.fallback, { ...context, pair }));
  }

  /** The host of a listener of a Gateway of a class: in the listener's own table, and with its door where it is the listener's hostname. */
  placed(site: string, { terms, routes }: Site, { envoy, door }: ListenerPlace): void {
    const context = this.#context(envoy, true);
    if (terms.kind === "none") this.written.push(...writeClosedChains(this.host, context));
    if (terms.kind === "tcp") this.#tcp(terms, context);
    if (terms.kind === "none" || terms.kind === "tcp") return;
    this.table(site, terms, routes, this.#altSvc(envoy, terms));
    if (terms.kind === "http" || !door) return;
    for (const other of door.others) this.table(other, terms, [misdirected(terms.owner)]);
    const pair = certificateOf(terms.tls, this.reader);
    this.written.push(...writeDoorChains(terms, site, { ...context, pair }));
    this.#reportQuic(terms);
  }

  #altSvc(listener: string, terms: HttpTerms | HttpsTerms): string | undefined {
    const has = terms.kind === "https" && quicProblem(terms.tls) === undefined;
    return has ? altSvcOf(listener, this.reader.settings) : undefined;
  }

  #reportQuic({ owner, tls }: HttpsTerms): void {
    const problem = this.reader.settings.http3.enabled && quicProblem(tls);
    if (problem)
      this.report.warn(owner, "TLSError", "NotOverHttp3", `${this.host} has no HTTP/3: ${problem}`);
  }

  #tcp(terms: TcpTerms, context: ChainContext): void {
    const names = terms.backends.map(({ cluster }) =>
      cluster ? this.clusters.nameOf(cluster) : closedCluster,
    );
    const pair = terms.tls && certificateOf(terms.tls, this.reader);
    this.written.push(...writeTcpHostChains(terms, names, { ...context, pair }));
  }
}

function compileTcpListeners(reader: Reader, report: Report): readonly Resource[] {
  const { settings } = reader;
  const { written: clusters, nameOf } = clusterNames(settings);
  const chains = [...readTcpListeners(reader)].map(([listener, { backends }]) => {
    const names = backends.map(({ cluster }) => (cluster ? nameOf(cluster) : closedCluster));
    return writeTcpChain(backends, names, { listener, settings });
  });
  const datagrams = readUdpStreams(reader).flatMap((stream) => compileUdp(stream, reader, report));
  return [...clusters.values(), ...chains, ...datagrams];
}

/** The same of the first of several certificates; all of them go by SDS. */
function certificateOf({ secret, moreSecrets = [] }: Tls, reader: Reader): KeyPair | undefined {
  if (moreSecrets.length === 0) return certificate(secret, reader);
  for (const one of [secret, ...moreSecrets]) reader.need(secretUnit(one));
  return undefined;
}

/** The key pair of a Secret for inline use. With SDS it is undefined, and the unit of the Secret is needed. */
function certificate(secret: string | undefined, reader: Reader): KeyPair | undefined {
  if (secret === undefined) return undefined;
  const { pair } = readKeyPair(reader, secretName(secret, ""));
  if (pair && isInline(pair, reader)) return pair;
  reader.need(secretUnit(secret));
  return undefined;
}
