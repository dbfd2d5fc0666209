import { describe, expect, it } from "vitest";
import { type Reachable, readHost } from "../../src/graph/backends/address.js";
import type { Cluster } from "../../src/graph/backends/cluster.js";
import type { JwksServer } from "../../src/graph/policies/jwt.js";
import { parseObject } from "../../src/schema/object.js";
import { defaultSettings, parseSettings } from "../../src/schema/settings.js";
import type { Resource } from "../../src/store/store.js";
import { clusterName, writeCluster } from "../../src/xds/cluster.js";
import { writeJwksCluster } from "../../src/xds/extension-cluster.js";
import {
  endpointSlice,
  extensionService,
  hostProxy,
  httpProxy,
  type Manifest,
  service,
} from "../support/backend.js";
import { compileAll } from "../support/compile.js";

type Whole<T> = { readonly [K in keyof Required<T>]: T[K] };

/** A node with every field. A new field of the type is missing here, and does not compile. */
const cluster: Whole<Cluster> = {
  namespace: "shop",
  service: "web",
  port: 443,
  endpoints: "shop/web/https",
  healthPort: undefined,
  mode: undefined,
  externalName: undefined,
  protocol: "tls",
  proxyProtocol: undefined,
  sni: undefined,
  validation: undefined,
  loadBalancing: "round-robin",
  healthCheck: undefined,
  idleConnectionMs: undefined,
  connectTimeoutMs: undefined,
  circuitBreakers: undefined,
  slowStart: undefined,
  weightedLocalities: undefined,
  clientCertificate: undefined,
};
const check = {
  kind: "http",
  path: "/up",
  host: "h",
  intervalSeconds: 1,
  timeoutSeconds: 1,
  unhealthyThreshold: 1,
  healthyThreshold: 1,
} as const;
const slow = { windowMs: 1000, aggression: 1, minWeightPercent: 10 };

function reachable(host: string): Reachable {
  const reached = readHost(host, { namespace: "shop", settings: defaultSettings });
  if ("problem" in reached) throw new Error(reached.problem);
  return reached.host;
}

/** Values that differ from those of `cluster` and from each other in their effect. */
const others: { readonly [K in keyof Required<Cluster>]: readonly Partial<Cluster>[] } = {
  namespace: [{ namespace: "other" }],
  service: [{ service: "other" }],
  port: [{ port: 80 }],
  // Determined by the name (the port) and `healthPort`, which distinguish it.
  endpoints: [],
  healthPort: [{ healthPort: 81 }, { healthPort: 82 }],
  // Determined by the Service, whose name distinguishes it.
  mode: [],
  externalName: [{ externalName: reachable("a.test") }, { externalName: reachable("b.test") }],
  protocol: [{ protocol: "h2" }, { protocol: "h2c" }],
  proxyProtocol: [{ proxyProtocol: true }],
  sni: [{ sni: "a.test" }, { sni: "b.test" }],
  validation: [
    { validation: { ca: "a", subjectNames: ["a"] } },
    { validation: { ca: "a", subjectNames: ["a", "b"] } },
    { validation: { ca: "b", subjectNames: ["a"] } },
  ],
  loadBalancing: [
    { loadBalancing: "random" },
    { loadBalancing: "least-request" },
    { loadBalancing: "ring-hash" },
  ],
  healthCheck: [
    { healthCheck: check },
    { healthCheck: { ...check, kind: "tcp" } },
    ...(["path", "host"] as const).map((key) => ({ healthCheck: { ...check, [key]: "/other" } })),
    ...(["intervalSeconds", "timeoutSeconds", "unhealthyThreshold", "healthyThreshold"] as const).map(
      (key) => ({ healthCheck: { ...check, [key]: 7 } }),
    ),
    { healthCheck: { ...check, expectedStatuses: [{ start: 200, end: 204 }] } },
  ],
  idleConnectionMs: [{ idleConnectionMs: 0 }, { idleConnectionMs: 5 }],
  connectTimeoutMs: [{ connectTimeoutMs: 1000 }, { connectTimeoutMs: 5000 }],
  circuitBreakers: (
    ["maxConnections", "maxPendingRequests", "maxRequests", "maxRetries", "perHostMaxConnections"] as const
  ).map((key) => ({ circuitBreakers: { [key]: 7 } })),
  slowStart: [
    { slowStart: slow },
    { slowStart: { ...slow, windowMs: 2000 } },
    { slowStart: { ...slow, aggression: 2 } },
    { slowStart: { ...slow, minWeightPercent: 20 } },
  ],
  weightedLocalities: [{ weightedLocalities: true }],
  clientCertificate: [
    { clientCertificate: { secret: "a/a" } },
    { clientCertificate: { secret: "a/b" } },
    {
      clientCertificate: {
        secret: "a/a",
        pair: { certificate: "c", privateKey: "k", facts: [], usual: true },
      },
    },
  ],
};

const nameOf = (changes: Partial<Cluster>): string => {
  const node = { ...cluster, ...changes } as Cluster;
  return clusterName(node, { ...defaultSettings, secrets: node.clientCertificate?.pair ? "inline" : "sds" });
};

const inSettings = (manifests: readonly Manifest[]): readonly Resource[] => {
  const objects = manifests.flatMap((manifest) => {
    const read = parseObject(manifest);
    return "object" in read ? [read.object] : [];
  });
  const store = compileAll([parseSettings({ allowLoopbackEndpoints: true }).settings, ...objects]);
  return [...store.resources("cluster"), ...store.resources("endpoints")];
};

describe("the name of a cluster", () => {
  it("differs for every effective difference", () => {
    const names = [{}, ...Object.values(others).flat()].map(nameOf);
    expect(new Set(names).size).toBe(names.length);
  });

  it("stays the same for a field without effect: a server name without TLS", () => {
    const plain = { ...cluster, protocol: undefined } as unknown as Cluster;
    const named = { ...plain, sni: "a.test" };
    const name = clusterName(plain, defaultSettings);
    expect(clusterName(named, defaultSettings)).toBe(name);
    expect(writeCluster(named, name, defaultSettings)).toEqual(writeCluster(plain, name, defaultSettings));
  });

  it("differs for the health port of a route, and each port has its own health checks", () => {
    const ports = [80, 81, 82].map((port) => ({ name: `p${port}`, port }));
    const web = { ...service("shop", "web"), spec: { ports } };
    const slice = endpointSlice("shop", "web", 8080);
    const to = (healthPort: number): Manifest => ({
      healthCheckPolicy: { path: "/up" },
      conditions: [{ prefix: `/${healthPort}` }],
      services: [{ name: "web", port: 80, healthPort }],
    });
    const routes = [80, 81, 82].map(to);
    const found = (order: readonly Manifest[]): readonly Resource[] =>
      inSettings([
        web,
        { ...slice, ports: ports.map(({ name, port }) => ({ name, port: port + 8000 })) },
        httpProxy("shop", "web", { virtualhost: { fqdn: "web.test" }, routes: order }),
      ]);
    const clusters = found(routes).filter(({ name, type }) => type === "cluster" && name.startsWith("shop/"));
    expect(clusters.map(({ endpoints }) => endpoints).sort()).toEqual([
      "shop/web/p80",
      "shop/web/p80/p81",
      "shop/web/p80/p82",
    ]);
    expect(found(routes.toReversed())).toEqual(found(routes));
  });

  it("differs for every difference of a key set server", () => {
    const server: Whole<JwksServer> = {
      scheme: "https",
      host: reachable("keys.test"),
      port: 443,
      family: "auto",
      validation: { ca: "a", subjectNames: ["a"] },
    };
    const changed: { readonly [K in keyof Required<JwksServer>]: Partial<JwksServer> } = {
      scheme: { scheme: "http" },
      host: { host: reachable("other.test") },
      port: { port: 8443 },
      family: { family: "v4" },
      validation: { validation: { ca: "b", subjectNames: ["a"] } },
    };
    const names = [{}, ...Object.values(changed)].map(
      (changes) => writeJwksCluster({ ...server, ...changes } as JwksServer, defaultSettings).name,
    );
    expect(new Set(names).size).toBe(names.length);
  });
});

it("separates the endpoints of an ExtensionService from those of a Service in a namespace called extension", () => {
  const thief = { ...service("extension", "infra"), spec: { ports: [{ name: "auth", port: 80 }] } };
  const slice = endpointSlice("extension", "infra", 6666);
  const objects = [
    ...extensionService("auth", 9000),
    thief,
    { ...slice, ports: [{ name: "auth", port: 6666 }] },
    hostProxy("thief.test", "infra", "extension"),
  ];
  for (const order of [objects, objects.toReversed()]) {
    const found = inSettings(order);
    const extension = found.find(({ name }) => name === "extension/infra/auth");
    const endpoints = found.find(({ type, name }) => type === "endpoints" && name === extension?.endpoints);
    expect(endpoints?.json).toContain('"port_value":9000');
    expect(endpoints?.json).not.toContain("6666");
  }
});

it("identifies one port: a Service whose ports share a number and protocol, or a name, is refused", () => {
  const problems = (...ports: readonly Manifest[]): readonly (string | undefined)[] => {
    const read = parseObject({ ...service("shop", "web"), spec: { ports } });
    return "findings" in read ? read.findings.map(({ path, message }) => `${path} ${message}`) : [];
  };
  const tcp = { name: "a", port: 80 };
  expect(problems(tcp, { name: "b", port: 80, protocol: "TCP" })).toEqual([
    "spec.ports[1].port must be a number that no other TCP port has, found 80",
  ]);
  expect(problems(tcp, { name: "a", port: 81 })).toEqual([
    'spec.ports[1].name must be a name that no other port has, found "a"',
  ]);
  expect(problems(tcp, { name: "b", port: 80, protocol: "UDP" })).toEqual([]);
  expect(problems({ port: 80 }, { port: 81 })).toEqual([]);
});
