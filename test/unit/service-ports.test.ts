import { describe, expect, it } from "vitest";
import { parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import type { Resource, Store } from "../../src/store/store.js";
import { httpProxy, ingressRoute, type Manifest, tlsSecret } from "../support/backend.js";
import { compileAll, dump } from "../support/compile.js";
import { gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";

const number = 443;
const tcp = { name: "https", port: number, protocol: "TCP" };
const udp = { name: "h3", port: number, protocol: "UDP" };
const sctp = { name: "sctp", port: number, protocol: "SCTP" };
/** All orders of ports of a Service with one port number. */
const orders = [
  [tcp, udp],
  [udp, tcp],
  [sctp, udp, tcp],
  [udp, { name: "https", port: number }],
];

const served = (ports: readonly Manifest[]): readonly Manifest[] => [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "default", name: "both" },
    spec: { ports: [...ports, { name: "web", port: 80, protocol: "TCP" }] },
  },
  {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace: "default", name: "both-1", labels: { "kubernetes.io/service-name": "both" } },
    addressType: "IPv4",
    ports: [
      ...ports.map(({ name, protocol }) => ({ name, protocol, port: protocol === "UDP" ? 1 : 9443 })),
      { name: "web", port: 8080 },
    ],
    endpoints: [{ addresses: ["10.0.0.1"] }],
  },
];

const root = { virtualhost: { fqdn: "both.test" } };
const secured = { virtualhost: { fqdn: "both.test", tls: { secretName: "secure" } } };
const services = [{ name: "both", port: number }];
const ingress = (port: Manifest): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { namespace: "default", name: "both" },
  spec: { defaultBackend: { service: { name: "both", port } } },
});
const listeners = gateway(
  onPort(8080, "http", "HTTP"),
  onPort(9000, "tcp", "TCP"),
  onPort(8443, "tls", "TLS", { tls: { mode: "Passthrough" } }),
);
const backendRefs = [{ name: "both", port: number }];
const route = (kind: string, section: string, spec: Manifest): readonly Manifest[] => [
  ...listeners,
  gatewayRoute(kind, "both", spec, section),
];

const uses: Readonly<Record<string, readonly Manifest[]>> = {
  HTTPProxy: [httpProxy("default", "both", { ...root, routes: [{ services }] })],
  "HTTPProxy tcpproxy": [httpProxy("default", "both", { ...secured, tcpproxy: { services } })],
  IngressRoute: [ingressRoute("default", "both", { ...root, routes: [{ match: "/", services }] })],
  "IngressRoute tcpproxy": [ingressRoute("default", "both", { ...secured, tcpproxy: { services } })],
  "Ingress by number": [ingress({ number })],
  "Ingress by name": [ingress({ name: "https" })],
  HTTPRoute: route("HTTPRoute", "http", { rules: [{ backendRefs }] }),
  GRPCRoute: route("GRPCRoute", "http", { rules: [{ backendRefs }] }),
  "HTTPRoute mirror": route("HTTPRoute", "http", {
    rules: [
      {
        filters: [{ type: "RequestMirror", requestMirror: { backendRef: backendRefs[0] } }],
        backendRefs: [{ name: "both", port: 80 }],
      },
    ],
  }),
  TCPRoute: route("TCPRoute", "tcp", { rules: [{ backendRefs }] }),
  TLSRoute: route("TLSRoute", "tls", { rules: [{ backendRefs }] }),
  ExtensionService: [
    {
      apiVersion: "projectcontour.io/v1alpha1",
      kind: "ExtensionService",
      metadata: { namespace: "default", name: "ext" },
      spec: { services, protocol: "h2c" },
    },
  ],
};

function compile(objects: readonly Manifest[], settings: Manifest = {}): Store {
  const parsed = [tlsSecret("default", "secure"), ...objects].flatMap((manifest) => {
    const read = parseObject(manifest);
    return "object" in read ? [read.object] : [];
  });
  return compileAll([parseSettings({ ...gatewaySettings, ...settings }).settings, ...parsed]);
}

const portsOf = ({ json }: Resource): number[] =>
  [...json.matchAll(/"port_value":(\d+)/g)].map(([, port]) => Number(port));
const errorsOf = (store: Store): string[] =>
  [...store.findings()].filter(({ severity }) => severity === "error").map(({ message }) => message);

describe("a Service with several protocols on one port number", () => {
  describe.each(Object.keys(uses))("%s", (use) => {
    const objects = uses[use] ?? [];

    it("is reached over TCP, whatever the order of its ports", () => {
      const dumps = orders.map((ports) => {
        const store = compile([...served(ports), ...objects]);
        const endpoints = [...store.resources("endpoints")].filter(({ name }) => !name.endsWith("/web"));
        expect(errorsOf(store)).toEqual([]);
        expect(endpoints.flatMap(portsOf)).toEqual([9443]);
        return dump(store);
      });
      expect(new Set(dumps).size).toBe(1);
    });

    it("is an error if no port with the number is TCP", () => {
      const store = compile([...served([{ ...udp, name: "https" }, sctp]), ...objects]);
      expect(errorsOf(store).join()).toMatch(use.startsWith("IngressRoute") ? /not found|missing/ : /"UDP"/);
    });
  });

  it.each(orders)("has its health checks over TCP with a healthPort (%#)", (...ports) => {
    const store = compile([
      ...served(ports),
      httpProxy("default", "both", {
        ...root,
        routes: [
          { services: [{ name: "both", port: 80, healthPort: number }], healthCheckPolicy: { path: "/up" } },
        ],
      }),
    ]);
    expect(errorsOf(store)).toEqual([]);
    expect([...store.resources("endpoints")].flatMap(portsOf)).toEqual([8080, 9443]);
  });

  it("has no healthPort if no port with the number is TCP", () => {
    const services = [{ name: "both", port: 80, healthPort: number }];
    const routes = [{ services, healthCheckPolicy: { path: "/up" } }];
    const store = compile([...served([udp]), httpProxy("default", "both", { ...root, routes })]);
    expect(errorsOf(store).join()).toContain('port "443" on service "default/both" not matched');
  });

  it("uses the port number of its cluster IP in mode `service`", () => {
    const objects = uses.HTTPProxy ?? [];
    const stores = orders.map((ports) => compile([...served(ports), ...objects], { endpoints: "service" }));
    for (const store of stores) expect([...store.resources("endpoints")].flatMap(portsOf)).toEqual([number]);
  });

  it("uses the TCP ports of Endpoints and of slices without port names", () => {
    const unnamed = [
      { port: number, protocol: "UDP" },
      { port: number, protocol: "TCP" },
    ];
    const [service] = served(unnamed);
    const endpoints = {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { namespace: "default", name: "both" },
      subsets: [
        {
          addresses: [{ ip: "10.0.0.1" }],
          ports: [
            { port: 1, protocol: "UDP" },
            { port: 9443, protocol: "TCP" },
            { port: 2, protocol: "SCTP" },
          ],
        },
      ],
    };
    const store = compile([service ?? {}, endpoints, ...(uses.HTTPProxy ?? [])]);
    expect([...store.resources("endpoints")].flatMap(portsOf)).toEqual([9443]);
  });
});
