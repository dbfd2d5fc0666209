import { settingsRef } from "../../../schema/settings.js";
import { findServicePort, portKey, readCluster } from "../../backends/backend.js";
import type { Cluster } from "../../backends/cluster.js";
import { secretName } from "../../certificates/secret.js";
import type { Reader, Report } from "../../core/reader.js";
import type { UdpStream } from "../gateway/udp.js";

/** A port whose TCP connections go to a Service. */
export interface NginxTcpStream {
  /** The name of the Envoy listener. */
  readonly listener: string;
  readonly port: number;
  readonly cluster: Cluster;
  /** Clients send the PROXY protocol. */
  readonly decodes: boolean;
}

export interface NginxStreams {
  readonly tcp: readonly NginxTcpStream[];
  readonly udp: readonly UdpStream[];
}

type Key = "tcpServicesConfigMap" | "udpServicesConfigMap";

interface Entry {
  readonly port: number;
  readonly namespace: string;
  readonly service: string;
  readonly servicePort: number | string;
  readonly decodes: boolean;
  readonly encodes: boolean;
}

/**
 * Reads the ConfigMaps of TCP and UDP services: `PORT: NAMESPACE/SERVICE:PORT[:PROXY][:PROXY]`. An entry that is not
 * valid, or without its Service, has no listener, as in ingress-nginx. `taken` has the TCP ports of other listeners.
 */
export function readNginxStreams(reader: Reader, report: Report, taken: ReadonlySet<number>): NginxStreams {
  const tcp = entriesOf("tcpServicesConfigMap", reader, report).flatMap(
    (entry): readonly NginxTcpStream[] => {
      const { port, namespace, service, servicePort, decodes, encodes } = entry;
      if (taken.has(port)) return lost("tcpServicesConfigMap", port, "another listener has the port", report);
      const { cluster, error } = readCluster(reader, namespace, service, servicePort);
      if (!cluster) return lost("tcpServicesConfigMap", port, error ?? "", report);
      // Bytes go to the Service as they come, whatever protocol its annotations name.
      const { protocol: _, ...plain } = cluster;
      const to: Cluster = encodes ? { ...plain, proxyProtocol: true } : plain;
      return [{ listener: `nginx-tcp-${port}`, port, cluster: to, decodes }];
    },
  );
  const udp = entriesOf("udpServicesConfigMap", reader, report).flatMap((entry): readonly UdpStream[] => {
    const { port, namespace, service, servicePort } = entry;
    const { found, error } = findServicePort(reader, namespace, service, servicePort, "UDP");
    if (!found) return lost("udpServicesConfigMap", port, error ?? "", report);
    const backends = [{ namespace, service, port: portKey(found), weight: 1 }];
    const addresses = [reader.settings.http.address] as const;
    return [{ listener: `nginx-udp-${port}`, from: settingsRef, addresses, port, backends, lost: 0 }];
  });
  return { tcp, udp };
}

function lost(key: Key, port: number | string, problem: string, report: Report): readonly never[] {
  const message = `${key}: port ${JSON.stringify(String(port).slice(0, 80))} is not served: ${problem}`;
  report.warn(settingsRef, "SpecError", "NginxOptionNoEffect", message, `ingressNginx.${key}`);
  return [];
}

function entriesOf(key: Key, reader: Reader, report: Report): readonly Entry[] {
  const name = reader.settings.ingressNginx?.[key];
  if (!name) return [];
  const target = secretName(name, "default");
  const object = reader.get("ConfigMap", target.namespace, target.name);
  if (!object) {
    const message = `ConfigMap ${name} not found: none of its ports is served`;
    report.error(settingsRef, "SpecError", "ConfigMapNotFound", message, `ingressNginx.${key}`);
    return [];
  }
  return Object.entries(object.spec.data)
    .flatMap(([port, text]) => readEntry(key, port, text, report))
    .sort((a, b) => a.port - b.port);
}

function readEntry(key: Key, port: string, text: string, report: Report): readonly Entry[] {
  const number = Number(port);
  if (port === "ca.crt") return [];
  if (!/^[1-9]\d{0,4}$/.test(port) || number > 65_535)
    return lost(key, port, "it is no number of a port", report);
  const [, namespace, service, servicePort = "", decode = "", encode = ""] =
    /^([a-z0-9][-a-z0-9]*)\/([a-z0-9][-.a-z0-9]*):([-a-z0-9]+)(?::([a-z]*))?(?::([a-z]*))?$/i.exec(
      text.trim(),
    ) ?? [];
  if (!namespace || !service)
    return lost(key, port, "the value must be NAMESPACE/SERVICE:PORT, and may end with :PROXY:PROXY", report);
  const isTcp = key === "tcpServicesConfigMap";
  return [
    {
      port: number,
      namespace,
      service,
      servicePort: /^\d+$/.test(servicePort) ? Number(servicePort) : servicePort,
      decodes: isTcp && decode.toUpperCase() === "PROXY",
      encodes: isTcp && encode.toUpperCase() === "PROXY",
    },
  ];
}
