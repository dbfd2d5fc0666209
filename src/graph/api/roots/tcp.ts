import { clientCertificate, readCluster } from "../../backends/backend.js";
import type { Cluster } from "../../backends/cluster.js";
import type { TcpBackend } from "../../core/nodes.js";
import type { Reader } from "../../core/reader.js";

interface Service {
  readonly name: string;
  readonly port: number;
}

/** How an API reads the services of `spec.tcpproxy`. */
interface TcpServices<S extends Service> {
  readonly namespace: string;
  readonly services: readonly S[];
  /** The cluster options of a service. */
  optionsOf?(service: S): Parameters<typeof readCluster>[4];
  /** Returns the cluster, possibly with more options; undefined if it can't be used and the reason is reported. */
  checked?(service: S, cluster: Cluster, path: string): Cluster | undefined;
  readonly weightOf: (service: S) => number;
  /** Reports why the client certificate for services can't be used. */
  badCertificate(message: string): undefined;
  /** Reports why a service has no cluster. */
  unresolved(service: S, error: string | undefined, path: string): undefined;
}

/** The backends for TCP connections of a host; undefined if one of the services can't be used. */
export function readTcpServices<S extends Service>(
  api: TcpServices<S>,
  reader: Reader,
): readonly TcpBackend[] | undefined {
  const certificate = clientCertificate(reader);
  if (certificate.error) return api.badCertificate(certificate.error);
  const found: TcpBackend[] = [];
  for (const [i, service] of api.services.entries()) {
    const path = `spec.tcpproxy.services[${i}]`;
    const options = { ...api.optionsOf?.(service), ...certificate.options };
    const { cluster, error } = readCluster(reader, api.namespace, service.name, service.port, options);
    if (!cluster) return api.unresolved(service, error, path);
    const checked = api.checked ? api.checked(service, cluster, path) : cluster;
    if (!checked) return undefined;
    found.push({ cluster: checked, weight: api.weightOf(service) });
  }
  return found;
}
