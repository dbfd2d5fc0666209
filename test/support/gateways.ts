import { type Manifest, service } from "./backend.js";

const group = "gateway.networking.k8s.io";
export const controllerName = "isoline.dev/gateway-controller";

/** Settings for Gateways of classes with the addresses 10.80.0.0/24. */
export const classSettings: Manifest = {
  gateway: { controllerName, staticAddresses: ["10.80.0.0/24"] },
};

export const gatewayClass = (name = "isoline", controller = controllerName): Manifest => ({
  apiVersion: `${group}/v1`,
  kind: "GatewayClass",
  metadata: { name },
  spec: { controllerName: controller },
});

/** A listener that allows routes of all namespaces. */
export const classListener = (
  name: string,
  protocol: string,
  port: number,
  more: Manifest = {},
): Manifest => ({
  name,
  protocol,
  port,
  allowedRoutes: { namespaces: { from: "All" } },
  ...more,
});

/** A Gateway in the namespace `infra` with one address, which allows ListenerSets of all namespaces. */
export const gatewayAt = (
  name: string,
  address: string,
  listeners: readonly Manifest[],
  more: Manifest = {},
): Manifest => ({
  apiVersion: `${group}/v1`,
  kind: "Gateway",
  metadata: { namespace: "infra", name },
  spec: {
    gatewayClassName: "isoline",
    addresses: [{ value: address }],
    allowedListeners: { namespaces: { from: "All" } },
    listeners,
    ...more,
  },
});

/** A route in the namespace `shop`, attached to Gateways in `infra` (`name` or `name#listener`). */
export const routeOf = (
  kind: string,
  name: string,
  parents: readonly string[],
  backend: string,
  spec: Manifest = {},
): Manifest => ({
  apiVersion: `${group}/${kind === "TCPRoute" || kind === "UDPRoute" ? "v1alpha2" : "v1"}`,
  kind,
  metadata: { namespace: "shop", name },
  spec: {
    parentRefs: parents.map((parent) => {
      const [gateway, sectionName] = parent.split("#");
      return { namespace: "infra", name: gateway, ...(sectionName ? { sectionName } : {}) };
    }),
    rules: [{ backendRefs: [{ name: backend, port: 80 }] }],
    ...spec,
  },
});

const www = { hostnames: ["www.test"] };

/**
 * Three Gateways with the host `www.test`: `public` and `private` on port 80 of their addresses, `admin` on port 8080. `public` also has TCP, UDP and TLS that
 * is passed through; `private` has a ListenerSet.
 */
export function threeGateways(): Manifest[] {
  return [
    gatewayClass(),
    gatewayAt("public", "10.80.0.1", [
      classListener("http", "HTTP", 80),
      classListener("dns", "UDP", 53),
      classListener("db", "TCP", 5432),
      classListener("pass", "TLS", 8443, { hostname: "*.pass.test", tls: { mode: "Passthrough" } }),
    ]),
    gatewayAt("private", "10.80.0.2", [classListener("http", "HTTP", 80)]),
    gatewayAt("admin", "10.80.0.3", [classListener("http", "HTTP", 8080)]),
    {
      apiVersion: `${group}/v1`,
      kind: "ListenerSet",
      metadata: { namespace: "shop", name: "more" },
      spec: {
        parentRef: { namespace: "infra", name: "private" },
        listeners: [classListener("own", "HTTP", 8081, { hostname: "set.test" })],
      },
    },
    ...["web", "inner", "admin", "db", "tls"].map((name) => service("shop", name)),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace: "shop", name: "dns" },
      spec: { ports: [{ port: 53, protocol: "UDP" }] },
    },
    routeOf("HTTPRoute", "outer", ["public"], "web", www),
    routeOf("HTTPRoute", "inner", ["private"], "inner", www),
    routeOf("HTTPRoute", "admin", ["admin"], "admin", www),
    routeOf("HTTPRoute", "set", [], "web", {
      hostnames: ["set.test"],
      parentRefs: [{ kind: "ListenerSet", name: "more" }],
    }),
    routeOf("TLSRoute", "pass", ["public#pass"], "tls", { hostnames: ["a.pass.test"] }),
    routeOf("TCPRoute", "db", ["public#db"], "db"),
    routeOf("UDPRoute", "dns", ["public#dns"], "dns", {
      rules: [{ backendRefs: [{ name: "dns", port: 53 }] }],
    }),
  ];
}
