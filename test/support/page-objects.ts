import { application } from "../bench/apps.js";
import { httpProxy, type Manifest, service } from "./backend.js";

const slice = (namespace: string, name: string, ready: number, waiting = 0): Manifest => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: `${name}-x`, namespace, labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  endpoints: Array.from({ length: ready + waiting }, (_, i) => ({
    addresses: [`10.8.${name.length}.${i + 10}`],
    conditions: { ready: i < ready },
  })),
});

const app = (namespace: string, name: string, ready: number, waiting = 0): Manifest[] => [
  service(namespace, name),
  slice(namespace, name, ready, waiting),
];

/** Five hosts: a shop with a canary of so many percent, a redirect, one without endpoints. */
export function fiveHosts(canary = 10): Manifest[] {
  const shop = httpProxy("shop", "storefront", {
    virtualhost: { fqdn: "shop.example.com" },
    routes: [
      {
        conditions: [{ prefix: "/checkout" }],
        services: [{ name: "checkout", port: 80 }],
        timeoutPolicy: { response: "30s" },
      },
      {
        conditions: [{ prefix: "/api" }, { header: { name: "x-beta", exact: "yes" } }],
        services: [{ name: "catalog-next", port: 80 }],
      },
      {
        conditions: [{ prefix: "/api" }],
        services: [
          { name: "catalog", port: 80, weight: 100 - canary },
          { name: "catalog-next", port: 80, weight: canary },
        ],
      },
      { conditions: [{ prefix: "/sale" }], requestRedirectPolicy: { path: "/offers", statusCode: 302 } },
      { services: [{ name: "web", port: 80 }] },
    ],
  });
  const plain = (host: string, namespace: string, name: string): Manifest =>
    httpProxy(namespace, name, { virtualhost: { fqdn: host }, routes: [{ services: [{ name, port: 80 }] }] });
  return [
    ...app("shop", "web", 3),
    ...app("shop", "catalog", 4),
    ...app("shop", "catalog-next", 1, 1),
    ...app("shop", "checkout", 2),
    shop,
    ...app("accounts", "login", 2),
    plain("login.example.com", "accounts", "login"),
    ...app("media", "images", 3),
    plain("images.example.com", "media", "images"),
    ...app("media", "video", 2, 1),
    plain("video.example.com", "media", "video"),
    service("ops", "grafana"),
    plain("grafana.example.com", "ops", "grafana"),
  ];
}

/** So many applications with a host each, and so many proxies that are not valid, over 40 namespaces. */
export function manyHosts(hosts: number, errors = 0): string {
  const lines: string[] = [];
  const namespace = (i: number): string => `team-${i % 40}`;
  for (let i = 0; i < hosts; i++)
    for (const object of application(i, namespace(i))) lines.push(JSON.stringify(object));
  for (let i = 0; i < errors; i++) {
    const routes = i % 3 === 0 ? [{ services: [{ name: "gone", port: 80 }] }] : [{ services: [] }];
    const tls = i % 3 === 1 ? { tls: { secretName: "missing" } } : {};
    const fqdn = `broken-${i}.example.com`;
    lines.push(
      JSON.stringify(httpProxy(namespace(i), `broken-${i}`, { virtualhost: { fqdn, ...tls }, routes })),
    );
  }
  return lines.join("\n");
}
