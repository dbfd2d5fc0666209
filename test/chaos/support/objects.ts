import type { Server } from "node:http";
import { createServer } from "node:http";
import { certificateText } from "../../bench/certificates.js";
import { hostProxy, service as loopbackService, type Manifest } from "../../support/backend.js";

/** Backends by name, each with its own address: EndpointSlices of a real API server must not contain 127.0.0.1. */
export const backends = { a: "10.99.0.1", b: "10.99.0.2", c: "10.99.0.3" } as const;
export type Backend = keyof typeof backends;
export const backendNames = Object.keys(backends) as Backend[];
const backendPort = 8080;

/** Servers that answer with their names. */
export async function startBackends(): Promise<() => void> {
  const servers = await Promise.all(
    Object.entries(backends).map(
      ([name, address]) =>
        new Promise<Server>((done) => {
          const server = createServer({ keepAliveTimeout: 120_000 }, (asked, answer) => {
            asked.resume();
            answer.end(name);
          });
          server.listen(backendPort, address, () => done(server));
        }),
    ),
  );
  return () => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  };
}

/** Fields that a real API server sets itself are omitted. */
export function applied({ metadata, ...object }: Manifest): Manifest {
  const { creationTimestamp: _, ...kept } = metadata as Manifest;
  return { ...object, metadata: kept };
}

/** The endpoints of a Service. */
export const sliceTo = (name: string, to: Backend): Manifest => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { namespace: "default", name, labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  ports: [{ name: "http", port: backendPort, protocol: "TCP" }],
  endpoints: [{ addresses: [backends[to]], conditions: { ready: true } }],
});

/** A Service with its endpoints. */
export const serviceTo = (name: string, to: Backend): readonly Manifest[] => [
  applied(loopbackService("default", name)),
  sliceTo(name, to),
];

/** An HTTPProxy of a host, with one Service for all paths. */
export const hostTo = (host: string, to: string): Manifest => applied(hostProxy(host, to));

/** The same over TLS, with a Secret. */
export function tlsHostTo(host: string, to: string, secretName: string): Manifest {
  const { spec, ...object } = hostTo(host, to);
  const { routes } = spec as Manifest;
  return { ...object, spec: { virtualhost: { fqdn: host, tls: { secretName } }, routes } };
}

/** A TLS Secret with a name and a certificate of the tests. */
export const secretNamed = (name: string): Manifest => ({
  apiVersion: "v1",
  kind: "Secret",
  type: "kubernetes.io/tls",
  metadata: { namespace: "default", name },
  data: certificateText("secure"),
});

/** Three hosts: one stays unchanged, one has moving endpoints, one is switched between Services. */
export const usual = {
  objects: [
    ...serviceTo("a", "a"),
    ...serviceTo("b", "b"),
    ...serviceTo("moving", "a"),
    hostTo("steady.test", "a"),
    hostTo("moving.test", "moving"),
    hostTo("switched.test", "a"),
  ],
  asked: { "steady.test": "a", "moving.test": "a", "switched.test": "a" },
} as const;

/**
 * Services without references. A list that lacks many objects of a kind is held if the kind has ten or more; with
 * fewer it is an ordinary edit.
 */
export const otherServices: readonly Manifest[] = Array.from({ length: 12 }, (_, i) =>
  serviceTo(`other-${i}`, "a"),
).flat();
