import { buildEndpoints } from "./graph/endpoints.js";
import { createReport, type Reader, type Report } from "./graph/reader.js";
import { readKeyPair } from "./graph/secret.js";
import type { Cluster, VirtualHost } from "./graph/types.js";
import { buildVirtualHost } from "./graph/virtual-host.js";
import type { Ref } from "./schema/meta.js";
import type { Compiled, ReadKey, Resource, UnitKey } from "./store/store.js";
import { writeCluster } from "./xds/cluster.js";
import { writeEndpoints } from "./xds/endpoints.js";
import { writeFilterChain, writeSecret } from "./xds/filter-chain.js";
import { ingressHttp, ingressHttps, writeListeners } from "./xds/listener.js";
import { writeVirtualHost } from "./xds/route.js";
import { writeSentinelCluster } from "./xds/stats-listener.js";

/** Compiles one unit from what it reads. A fault of ours costs this unit alone and is a finding. */
export function compileUnit(unit: UnitKey, open: (reads: Set<ReadKey>) => Reader): Compiled {
  const reads = new Set<ReadKey>();
  const reader = open(reads);
  const report = createReport();
  const resources = guarded(unit, reader, report);
  return { unit, resources, findings: report.findings, reads: [...reads] };
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
  const nameOf = (cluster: Cluster): string => {
    const written = writeCluster(cluster, reader.settings);
    clusters.set(written.name, written);
    return written.name;
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
