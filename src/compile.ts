import { readTcpListeners } from "./graph/api/gateway/tcp.js";
import { listenerSpecsOf, validateGateway, validateRoute } from "./graph/api/gateway/validate.js";
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
import type { HttpsTerms, HttpTerms, Site } from "./graph/core/nodes.js";
import { createReport, type Reader, type Report } from "./graph/core/reader.js";
import { writeOrigins } from "./graph/core/route-origins.js";
import { buildVirtualHost } from "./graph/core/virtual-host.js";
import { readGlobalServices } from "./graph/policies/global-services.js";
import type { JwksServer } from "./graph/policies/jwt.js";
import { isSame } from "./schema/same.js";
import type { SettingsSpec } from "./schema/settings.js";
import { messageOf } from "./schema/words.js";
import type { Compiled, Resource, TableOrigins } from "./store/store.js";
import { readsSource } from "./xds/access-log.js";
import { writeSecret } from "./xds/certificate.js";
import { clusterName, writeCluster } from "./xds/cluster.js";
import { writeEndpoints } from "./xds/endpoints.js";
import { writeExtension, writeJwksCluster } from "./xds/extension-cluster.js";
import {
  type ChainContext,
  writeClosedChain,
  writeFallbackChain,
  writeFilterChain,
  writeTcpChain,
  writeTcpHostChain,
} from "./xds/filter-chain.js";
import { defaultListeners, routeTable, writeListeners } from "./xds/listener.js";
import { writeVirtualHost } from "./xds/route.js";
import { writeSentinelCluster } from "./xds/stats-listener.js";

/**
 * Must be raised when any object compiles to a different result than before: stores outlive upgrades, and a store with
 * another version is recompiled. `test/golden/compiler.test.ts` enforces this.
 */
export const compilerVersion = 14;

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
    case "route":
      validateRoute(unit.ref, reader, report);
      return [];
    case "tcp":
      return compileTcpListeners(reader);
  }
}

function compileListeners(reader: Reader, report: Report): readonly Resource[] {
  const gateway = validateGateway(reader, report);
  const listeners = gateway ? listenerSpecsOf(gateway) : defaultListeners(reader.settings);
  return [
    ...writeListeners(listeners, reader.settings, readGlobalServices(reader, report)),
    writeSentinelCluster(),
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

function compileVirtualHost(host: string, reader: Reader, report: Report): Output {
  const { settings } = reader;
  const { sites, closed, websockets } = buildVirtualHost(host, reader, report);
  const { written: clusters, nameOf, clusterOf } = clusterNames(settings);
  const written: Resource[] = [];
  const origins: TableOrigins[] = [];
  const sourced = readsSource(settings.accessLog);
  const table = (
    group: string,
    { policies, kind }: Pick<HttpTerms | HttpsTerms, "policies" | "kind">,
    routes: Site["routes"],
  ): void => {
    const secure = kind === "https";
    const authorized = secure || settings.globalExtAuth !== undefined;
    const node = writeVirtualHost({ host, secure, authorized, sourced, nameOf }, policies, routes);
    written.push({ type: "virtual-host", group, name: host, json: JSON.stringify(node) });
    const text = writeOrigins(routes);
    origins.push({ table: group, routes: origins.find((one) => one.routes === text)?.routes ?? text });
  };
  for (const [listener, { terms, routes }] of sites) {
    const services = readGlobalServices(reader);
    const context: ChainContext = { host, listener, settings, services, websockets, clusterOf };
    if (terms.kind === "tcp") {
      const names = terms.backends.map(({ cluster }) => nameOf(cluster));
      const tcp = writeTcpHostChain(terms, names, {
        ...context,
        pair: certificate(terms.tls?.secret, reader),
      });
      written.push(tcp);
    }
    if (routes.length === 0 || terms.kind === "tcp" || terms.kind === "none") continue;
    table(listener, terms, routes);
    if (terms.kind === "http") continue;
    written.push(
      writeFilterChain(terms, routes, { ...context, pair: certificate(terms.tls.secret, reader) }),
    );
    if (!terms.fallback) continue;
    table(fallbackTable, terms, routes);
    const pair = certificate(terms.fallback, reader);
    written.push(routeTable(fallbackTable), writeFallbackChain(terms.fallback, { ...context, pair }));
  }
  for (const [listener, kind] of closed)
    if (kind === "tcp") written.push(writeClosedChain(host, { listener, settings }));
    else table(listener, { kind: "http", policies: {} }, []);
  const resources = [...clusters.values(), ...written];
  return origins.length > 0 ? { resources, origins } : { resources };
}

function compileTcpListeners(reader: Reader): readonly Resource[] {
  const { settings } = reader;
  const { written: clusters, nameOf } = clusterNames(settings);
  const chains = [...readTcpListeners(reader)].map(([listener, backends]) => {
    const names = backends.map(({ cluster }) => nameOf(cluster));
    return writeTcpChain(backends, names, { listener, settings });
  });
  return [...clusters.values(), ...chains];
}

/** The key pair of a Secret for inline use. With SDS it is undefined, and the unit of the Secret is needed. */
function certificate(secret: string | undefined, reader: Reader): KeyPair | undefined {
  if (secret === undefined) return undefined;
  const { pair } = readKeyPair(reader, secretName(secret, ""));
  if (pair && isInline(pair, reader)) return pair;
  reader.need(secretUnit(secret));
  return undefined;
}
