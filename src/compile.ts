import { frontsOf, judgeGateway, judgeRoute } from "./graph/api/gateway/judge.js";
import { readTcpListeners } from "./graph/api/gateway/tcp.js";
import type { Cluster } from "./graph/backends/cluster.js";
import { buildEndpoints } from "./graph/backends/endpoints.js";
import { readExtensionService } from "./graph/backends/extension-service.js";
import { isInline, type KeyPair, readKeyPair, secretName } from "./graph/certificates/secret.js";
import { fallbackTable } from "./graph/core/listener-names.js";
import type { HttpsTerms, HttpTerms, Site } from "./graph/core/nodes.js";
import { createReport, type Reader, type Report } from "./graph/core/reader.js";
import { buildVirtualHost } from "./graph/core/virtual-host.js";
import { readGlobalServices } from "./graph/policies/global-services.js";
import type { JwksServer } from "./graph/policies/jwt.js";
import type { Ref } from "./schema/meta.js";
import { isSame } from "./schema/same.js";
import type { SettingsSpec } from "./schema/settings.js";
import { messageOf } from "./schema/words.js";
import type { Compiled, ReadKey, Resource, UnitKey } from "./store/store.js";
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
import { routeTable, usualFronts, writeListeners } from "./xds/listener.js";
import { writeVirtualHost } from "./xds/route.js";
import { writeSentinelCluster } from "./xds/stats-listener.js";

/**
 * To be raised whenever some objects compile to something else than before: stores outlive upgrades, and what is in them
 * is compiled anew when this differs. `test/golden/compiler.test.ts` holds it to that.
 */
export const compilerVersion = 12;

/** A reader that notes all that is read. */
export interface RecordingReader extends Reader {
  readonly reads: readonly ReadKey[];
}

/** Compiles one unit from what it reads. A fault of ours costs this unit alone and is a finding. */
export function compileUnit(unit: UnitKey, reader: RecordingReader): Compiled {
  const report = createReport();
  const resources = guarded(unit, reader, report);
  return { unit, resources, findings: report.findings, reads: reader.reads };
}

function guarded(unit: UnitKey, reader: Reader, report: Report): readonly Resource[] {
  const colon = unit.indexOf(":");
  const key = unit.slice(colon + 1);
  try {
    return stages[unit.slice(0, colon) as keyof typeof stages](key, reader, report);
  } catch (error) {
    const message = `the compiler failed on ${unit}: ${messageOf(error)}`;
    const owners: readonly Ref[] = reader.claimants(unit);
    for (const about of owners) report.error(about, "InternalError", "CompilerFault", message);
    return [];
  }
}

const stages = {
  vhost: compileVirtualHost,
  endpoints: (key: string, reader: Reader, report: Report): readonly Resource[] => [
    writeEndpoints(key, buildEndpoints(key, reader, report), reader.settings),
  ],
  secret: (key: string, reader: Reader): readonly Resource[] => {
    const { pair } = readKeyPair(reader, secretName(key, ""));
    return pair ? [writeSecret(key, pair)] : [];
  },
  extension: compileExtension,
  listeners: (_: string, reader: Reader, report: Report): readonly Resource[] => {
    const gateway = judgeGateway(reader, report);
    const fronts = gateway ? frontsOf(gateway) : usualFronts(reader.settings);
    return [
      ...writeListeners(fronts, reader.settings, readGlobalServices(reader, report)),
      writeSentinelCluster(),
    ];
  },
  route: (key: string, reader: Reader, report: Report): readonly Resource[] => {
    judgeRoute(key as Ref, reader, report);
    return [];
  },
  tcp: compileTcpListeners,
} as const;

function compileExtension(key: string, reader: Reader, report: Report): readonly Resource[] {
  const slash = key.indexOf("/");
  const extension = readExtensionService(reader, key.slice(0, slash), key.slice(slash + 1), report);
  if (!extension) return [];
  const found = extension.services.map((backend) => ({
    ...backend,
    endpoints: buildEndpoints(`${extension.namespace}/${backend.service}/${backend.port}`, reader, report),
  }));
  return writeExtension(extension, found, reader.settings);
}

/** Collects the clusters that a host names. */
function clusterNames(settings: SettingsSpec): {
  written: Map<string, Resource>;
  nameOf(cluster: Cluster): string;
  clusterOf(server: JwksServer): string;
} {
  const written = new Map<string, Resource>();
  let last: Cluster | undefined;
  let lastName = "";
  const nameOf = (cluster: Cluster): string => {
    // Most hosts send all their routes to one cluster.
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

function compileVirtualHost(host: string, reader: Reader, report: Report): readonly Resource[] {
  const { settings } = reader;
  const { sites, closed, websockets } = buildVirtualHost(host, reader, report);
  const { written: clusters, nameOf, clusterOf } = clusterNames(settings);
  const written: Resource[] = [];
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
  return [...clusters.values(), ...written];
}

function compileTcpListeners(_: string, reader: Reader): readonly Resource[] {
  const { settings } = reader;
  const { written: clusters, nameOf } = clusterNames(settings);
  const chains = [...readTcpListeners(reader)].map(([listener, backends]) => {
    const names = backends.map(({ cluster }) => nameOf(cluster));
    return writeTcpChain(backends, names, { listener, settings });
  });
  return [...clusters.values(), ...chains];
}

/** The key pair of a Secret to put in place; with SDS none, and its own unit is asked for. */
function certificate(secret: string | undefined, reader: Reader): KeyPair | undefined {
  if (secret === undefined) return undefined;
  const { pair } = readKeyPair(reader, secretName(secret, ""));
  if (pair && isInline(pair, reader)) return pair;
  reader.need(`secret:${secret}`);
  return undefined;
}
