import type { Server } from "node:http";
import { createServer } from "node:http";
import { certificateText } from "../../bench/certificates.js";
import { hostProxy, service as loopbackService, type Manifest } from "../../support/backend.js";

/** Backends by name, each on an address of its own: EndpointSlices of a real API server may not hold 127.0.0.1. */
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

/** What a real API server sets itself is left out. */
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

/** An HTTPProxy of a host, all of it on one Service. */
export const hostTo = (host: string, to: string): Manifest => applied(hostProxy(host, to));

/** The same over TLS, with a Secret. */
export function tlsHostTo(host: string, to: string, secretName: string): Manifest {
  const { spec, ...object } = hostTo(host, to);
  const { routes } = spec as Manifest;
  return { ...object, spec: { virtualhost: { fqdn: host, tls: { secretName } }, routes } };
}

/** A TLS Secret of a name, with a certificate of the tests. */
export const secretNamed = (name: string): Manifest => ({
  apiVersion: "v1",
  kind: "Secret",
  type: "kubernetes.io/tls",
  metadata: { namespace: "default", name },
  data: certificateText("secure"),
});

/** Three hosts: one that stays as it is, one whose endpoints move, one that is switched between Services. */
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
 * Services that nothing refers to. Of a kind with ten objects or more a list that lacks much is held; of a kind with few, that is an
 * ordinary edit.
 */
export const otherServices: readonly Manifest[] = Array.from({ length: 12 }, (_, i) =>
  serviceTo(`other-${i}`, "a"),
).flat();
