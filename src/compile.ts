import { buildEndpoints } from "./graph/endpoints.js";
import { createReport, type Reader, type Report } from "./graph/reader.js";
import { readKeyPair } from "./graph/secret.js";
import type { Cluster, VirtualHost } from "./graph/types.js";
import { buildVirtualHost } from "./graph/virtual-host.js";
import type { Ref } from "./schema/meta.js";
import type { Compiled, ReadKey, Resource, UnitKey } from "./store/store.js";
import { clusterName, writeCluster } from "./xds/cluster.js";
import { writeEndpoints } from "./xds/endpoints.js";
import { writeFilterChain, writeSecret } from "./xds/filter-chain.js";
import { ingressHttp, ingressHttps, writeListeners } from "./xds/listener.js";
import { writeVirtualHost } from "./xds/route.js";
import { writeSentinelCluster } from "./xds/stats-listener.js";

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
    writeEndpoints(key, buildEndpoints(key, reader, report)),
  ],
  secret: (key: string, reader: Reader): readonly Resource[] => {
    const slash = key.indexOf("/");
    const { pair } = readKeyPair(reader, { namespace: key.slice(0, slash), name: key.slice(slash + 1) });
    return pair ? [writeSecret(key, pair)] : [];
  },
  listeners: (_: string, { settings }: Reader): readonly Resource[] => [
    ...writeListeners(settings),
    writeSentinelCluster(),
  ],
} as const;

function compileVirtualHost(host: string, reader: Reader, report: Report): readonly Resource[] {
  const vhost = buildVirtualHost(host, reader, report);
  const clusters = new Map<string, Resource>();
  let last: Cluster | undefined;
  let lastName = "";
  const nameOf = (cluster: Cluster): string => {
    // Most hosts send all their routes to one cluster.
    if (last && isSameCluster(last, cluster)) return lastName;
    last = cluster;
    lastName = clusterName(cluster, reader.settings);
    if (!clusters.has(lastName)) clusters.set(lastName, writeCluster(cluster, lastName, reader.settings));
    return lastName;
  };
  const written: Resource[] = [];
  const table = (group: string, routes: VirtualHost["http"], secure: boolean): void => {
    if (routes.length === 0) return;
    const node = writeVirtualHost(host, routes, secure, ({ cluster }) => nameOf(cluster));
    written.push({ type: "virtual-host", group, name: host, json: JSON.stringify(node) });
  };
  table(ingressHttp, vhost.http, false);
  const chain = writeFilterChain(
    vhost,
    reader.settings,
    certificate(vhost, reader),
    vhost.tcp?.map(({ cluster }) => nameOf(cluster)),
  );
  if (chain) {
    written.push(chain);
    if (!vhost.tcp) table(ingressHttps, vhost.https, true);
  }
  return [...clusters.values(), ...written];
}

/** Whether two nodes are plainly the same; of those with inner objects it may say no. */
function isSameCluster(a: Cluster, b: Cluster): boolean {
  for (const field in a) if (a[field as keyof Cluster] !== b[field as keyof Cluster]) return false;
  for (const field in b) if (!(field in a)) return false;
  return true;
}

/** The key pair to put into the listener; with SDS none, and its own unit is asked for. */
function certificate({ tls }: VirtualHost, reader: Reader): ReturnType<typeof readKeyPair>["pair"] {
  if (!tls) return undefined;
  if (reader.settings.secrets === "sds") {
    reader.need(`secret:${tls.secret}`);
    return undefined;
  }
  const slash = tls.secret.indexOf("/");
  return readKeyPair(reader, { namespace: tls.secret.slice(0, slash), name: tls.secret.slice(slash + 1) })
    .pair;
}
