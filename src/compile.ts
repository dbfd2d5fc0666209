import { buildEndpoints } from "./graph/endpoints.js";
import { readExtensionService } from "./graph/extension-service.js";
import { frontsOf, judgeGateway, judgeRoute } from "./graph/gateway/judge.js";
import { readTcpListeners } from "./graph/gateway/tcp.js";
import { readGlobalServices } from "./graph/global-services.js";
import { fallbackTable, ingressHttp, ingressHttps } from "./graph/listener-names.js";
import { createReport, type Reader, type Report } from "./graph/reader.js";
import { isInline, type KeyPair, readKeyPair, secretName } from "./graph/secret.js";
import type { Cluster, JwksServer, VirtualHost } from "./graph/types.js";
import { buildVirtualHost } from "./graph/virtual-host.js";
import type { Ref } from "./schema/meta.js";
import type { SettingsSpec } from "./schema/settings.js";
import type { Compiled, ReadKey, Resource, UnitKey } from "./store/store.js";
import { readsSource } from "./xds/access-log.js";
import { writeSecret } from "./xds/certificate.js";
import { clusterName, writeCluster } from "./xds/cluster.js";
import { writeEndpoints } from "./xds/endpoints.js";
import { writeExtension, writeJwksCluster } from "./xds/extension-cluster.js";
import {
  type ChainContext,
  writeFallbackChain,
  writeFilterChain,
  writeTcpChain,
} from "./xds/filter-chain.js";
import { routeTable, usualFronts, writeListeners } from "./xds/listener.js";
import { writeVirtualHost } from "./xds/route.js";
import { writeSentinelCluster } from "./xds/stats-listener.js";

/**
 * To be raised whenever some objects compile to something else than before: stores outlive upgrades, and what is in them
 * is compiled anew when this differs. `test/golden/compiler.test.ts` holds it to that.
 */
export const compilerVersion = 9;

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
    const message = `the compiler failed on ${unit}: ${error instanceof Error ? error.message : String(error)}`;
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
    if (last && isSameCluster(last, cluster)) return lastName;
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

/** Whether two nodes are plainly the same; of those with inner objects it may say no. */
function isSameCluster(a: Cluster, b: Cluster): boolean {
  for (const field in a) if (a[field as keyof Cluster] !== b[field as keyof Cluster]) return false;
  for (const field in b) if (!(field in a)) return false;
  return true;
}

function compileVirtualHost(host: string, reader: Reader, report: Report): readonly Resource[] {
  const { settings } = reader;
  const vhost = buildVirtualHost(host, reader, report);
  const { written: clusters, nameOf, clusterOf } = clusterNames(settings);
  const written: Resource[] = [];
  const sourced = readsSource(settings.accessLog);
  const table = (group: string, routes: VirtualHost["http"], secure: boolean, authorized = secure): void => {
    if (routes.length === 0) return;
    const node = writeVirtualHost({ host, secure, authorized, sourced, nameOf }, vhost.policies, routes);
    written.push({ type: "virtual-host", group, name: host, json: JSON.stringify(node) });
  };
  const secureTables = (listener: string, part: VirtualHost): void => {
    if (!part.tls && !part.tcp) return;
    const context: ChainContext = {
      listener,
      settings,
      services: readGlobalServices(reader),
      pair: part.tls && certificate(part.tls.secret, reader),
      tcpClusters: part.tcp?.map(({ cluster }) => nameOf(cluster)),
      clusterOf,
    };
    const chain = writeFilterChain(part, context);
    if (!chain) return;
    written.push(chain);
    if (part.tcp) return;
    table(listener, part.https, true);
    if (!part.fallback) return;
    table(fallbackTable, part.https, true);
    const pair = certificate(part.fallback, reader);
    written.push(routeTable(fallbackTable), writeFallbackChain(part, { ...context, pair }));
  };
  const asked = settings.globalExtAuth !== undefined;
  table(ingressHttp, vhost.http, false, asked);
  secureTables(ingressHttps, vhost);
  for (const [listener, part] of vhost.elsewhere ?? []) {
    table(listener, part.http, false, asked);
    secureTables(listener, part);
  }
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
function certificate(secret: string, reader: Reader): KeyPair | undefined {
  const { pair } = readKeyPair(reader, secretName(secret, ""));
  if (pair && isInline(pair, reader)) return pair;
  reader.need(`secret:${secret}`);
  return undefined;
}
