import type { Manifest } from "./backend.js";
import { each, lines, type Poison, route, serviceWith, slice, tenant, v1beta1, web } from "./poison.js";

const check = (fields: Manifest): readonly Manifest[] =>
  route({ healthCheckPolicy: { path: "/", ...fields } });
const subject = (subjectName: string, subjectNames: readonly string[]): readonly Manifest[] =>
  route({
    services: [{ ...web[0], protocol: "tls", validation: { caSecret: "ca", subjectName, subjectNames } }],
  });

export const clusters: readonly Poison[] = [
  ...each("health check path", [...lines, "", "no-slash", "/a b"], (path) => check({ path })),
  ...each("health check host", [...lines, "a b"], (value) => check({ host: value })),
  ...each("IngressRoute health check path", lines, (path) =>
    v1beta1({ services: [{ ...web[0], healthCheck: { path } }] }),
  ),
  ...each("IngressRoute health check host", lines, (value) =>
    v1beta1({ services: [{ ...web[0], healthCheck: { path: "/", host: value } }] }),
  ),
  ...each("health check interval", ["0", "-1", "4294967295", "1e12"], (seconds) =>
    check({
      intervalSeconds: Number(seconds),
      timeoutSeconds: Number(seconds),
      healthyThresholdCount: Number(seconds),
    }),
  ),
  ...each("subject name", [...lines, "s".repeat(250)], (name) => subject(name, [name, ...lines])),
  ...each("load balancer strategy", ["bogus", "constructor", "__proto__"], (strategy) =>
    route({ loadBalancerPolicy: { strategy } }),
  ),
  ...each("IngressRoute strategy", ["constructor", "__proto__"], (strategy) =>
    v1beta1({ services: [{ ...web[0], strategy }] }),
  ),
  ...each("appProtocol", ["constructor", "__proto__", "a\r\nb"], (appProtocol) =>
    serviceWith({ ports: [{ name: "http", port: 80, appProtocol }] }),
  ),
  ...each("Service port", ["70000", "0", "-1"], (port) => serviceWith({ ports: [{ port: Number(port) }] })),
  ...each("Service port name", ["a/b", "a\r\nb", "__proto__", "\ud800"], (name) =>
    serviceWith({ ports: [{ name, port: 80 }] }),
  ),
  ...each("cluster IP", ["x", "127.1", "[::1]", "fe80::1%eth0", "None", "a\r\nb", "\ud800"], (clusterIP) =>
    serviceWith({ clusterIP }, { "isoline.dev/endpoints": "service" }),
  ),
  ...each("circuit breaker", ["0", "-1", "4294967296", "1e100", "x"], (value) =>
    serviceWith(
      {},
      { "projectcontour.io/max-connections": value, "projectcontour.io/per-host-max-connections": value },
    ),
  ),
  ...each("external name", ["localhost", "127.1", "", "a\r\nb", "*.test", "x".repeat(300)], (externalName) =>
    serviceWith({ type: "ExternalName", externalName }),
  ),
];

const addresses = [
  "web.local",
  "",
  "127.1",
  "0x7f.0.0.1",
  "2130706433",
  "010.0.0.1",
  "10.0.0.1:80",
  "fe80::1",
  "fe80::1%eth0",
  "2001:db8::1%eth0",
  "[2001:db8::1]",
  "::ffff:10.0.0.1",
  "::10.0.0.1",
  "0.0.0.0",
  "169.254.169.254",
  "a\r\nb",
  "@pipe",
  "/run/pipe",
  "\ud800",
];

export const endpoints: readonly Poison[] = [
  ...each("IPv4 address", addresses, (address) => slice("IPv4", [address])),
  ...each("IPv6 address", addresses, (address) => slice("IPv6", [address])),
  { name: "host name as address", objects: slice("FQDN", ["web.local"]) },
  { name: "one address twice", objects: slice("IPv6", ["2001:db8::1", "2001:db8:0::1", "2001:db8::1"]) },
  ...each("endpoint port", ["70000", "0", "-1", "1.5"], (port) =>
    slice("IPv4", ["10.0.0.1"], { ports: [{ name: "http", port: Number(port) }] }),
  ),
  ...each("Endpoints address", addresses, (ip) => [
    ...slice("IPv4", []),
    {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { namespace: tenant, name: "web" },
      subsets: [{ addresses: [{ ip }], ports: [{ name: "http", port: 9 }] }],
    },
  ]),
];
