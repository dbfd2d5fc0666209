/** Applications as Kubernetes objects, JSON Lines: a Service, its EndpointSlice and an HTTPProxy with three routes each. */
export function applications(count: number): string {
  const namespaces = Math.max(1, Math.floor(count / 50));
  const lines: string[] = [];
  const add = (object: object): void => {
    lines.push(JSON.stringify(object));
  };
  for (let k = 0; k < namespaces; k++)
    add({ apiVersion: "v1", kind: "Namespace", metadata: { name: `team-${k}` } });
  for (let i = 0; i < count; i++) for (const object of application(i, `team-${i % namespaces}`)) add(object);
  return lines.join("\n");
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
