const gatewayGroup = "gateway.networking.k8s.io";

/** The namespaces of applications, about 50 applications each. */
const namespacesOf = (count: number): number => Math.max(1, Math.floor(count / 50));

/** Applications as Kubernetes objects, JSON Lines: a Service, its EndpointSlice and an HTTPProxy with three routes each. */
export const applications = (count: number): string => linesOf(count, [], application);

/** The settings with which Gateways of `gatewayApplications` are served. */
export const gatewaySettings = {
  gateway: { controllerName: "isoline.dev/gateway-controller", addressPool: "10.200.0.0/16" },
};

/** The same applications with HTTPRoutes of three rules, on some Gateways with a listener for plain HTTP each. */
export function gatewayApplications(count: number, gateways: number): string {
  const apiVersion = `${gatewayGroup}/v1`;
  const { controllerName } = gatewaySettings.gateway;
  const allowedRoutes = { namespaces: { from: "All" } };
  const listeners = [{ name: "http", protocol: "HTTP", port: 80, allowedRoutes }];
  const shared = [
    { apiVersion, kind: "GatewayClass", metadata: { name: "isoline" }, spec: { controllerName } },
    ...Array.from({ length: gateways }, (_, k) => ({
      apiVersion,
      kind: "Gateway",
      metadata: { name: `gateway-${k}`, namespace: "infra" },
      spec: { gatewayClassName: "isoline", listeners },
    })),
  ];
  return linesOf(count, shared, (i, namespace) => {
    const [service, slice] = application(i, namespace);
    return [service, slice, httpRoute(i, namespace, `gateway-${i % gateways}`)];
  });
}

function linesOf(
  count: number,
  shared: readonly object[],
  objectsOf: (i: number, namespace: string) => readonly (object | undefined)[],
): string {
  const namespaces = namespacesOf(count);
  const all = [
    ...Array.from({ length: namespaces }, (_, k) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: `team-${k}` },
    })),
    ...shared,
    ...Array.from({ length: count }, (_, i) => objectsOf(i, `team-${i % namespaces}`)).flat(),
  ];
  return all.map((object) => JSON.stringify(object)).join("\n");
}

/** The routes of `application`, as far as the Gateway API has them. */
function httpRoute(i: number, namespace: string, gateway: string): object {
  const name = `app-${i}`;
  const backendRefs = [{ name, port: 80 }];
  const path = (value: string): object => ({ path: { type: "PathPrefix", value } });
  const urlRewrite = { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } };
  return {
    apiVersion: `${gatewayGroup}/v1`,
    kind: "HTTPRoute",
    metadata: { name, namespace, creationTimestamp: "2026-01-01T00:00:00Z", generation: 1 },
    spec: {
      hostnames: [`${name}.${namespace}.example.com`],
      parentRefs: [{ name: gateway, namespace: "infra" }],
      rules: [
        { backendRefs },
        { matches: [path("/api/v1")], backendRefs, timeouts: { request: "15s" } },
        {
          matches: [{ ...path("/api/v2"), headers: [{ name: "x-canary", value: "yes" }] }],
          backendRefs,
          filters: [{ type: "URLRewrite", urlRewrite }],
        },
      ],
    },
  };
}

/** The three objects of one application; `timeout` is that of its second route. */
export function application(i: number, namespace: string, timeout = "15s"): readonly object[] {
  const name = `app-${i}`;
  const metadata = { name, namespace, creationTimestamp: "2026-01-01T00:00:00Z", generation: 1 };
  const services = [{ name, port: 80 }];
  const subnet = `${(i >> 8) & 255}.${i & 255}`;
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: {
        clusterIP: `10.0.${subnet}`,
        ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }],
      },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, name: `${name}-x`, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      endpoints: [100, 101, 102].map((net) => ({
        addresses: [`10.${net}.${subnet}`],
        conditions: { ready: true },
      })),
    },
    {
      apiVersion: "projectcontour.io/v1",
      kind: "HTTPProxy",
      metadata,
      spec: {
        virtualhost: { fqdn: `${name}.${namespace}.example.com` },
        routes: [
          { conditions: [{ prefix: "/" }], services },
          { conditions: [{ prefix: "/api/v1" }], services, timeoutPolicy: { response: timeout } },
          {
            conditions: [{ prefix: "/api/v2" }, { header: { name: "x-canary", exact: "yes" } }],
            services,
            pathRewritePolicy: { replacePrefix: [{ replacement: "/" }] },
          },
        ],
      },
    },
  ];
}
