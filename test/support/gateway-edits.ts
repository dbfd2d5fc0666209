import { readFileSync } from "node:fs";
import { certificateFile } from "./backend.js";
import { parseCase } from "./compile.js";
import { fc } from "./fast-check.js";

const group = "gateway.networking.k8s.io";
const pair = (of: string): object => ({
  "tls.crt": certificateFile(`${of}.crt`),
  "tls.key": certificateFile(`${of}.key`),
});

const name = fc.constantFrom("a", "b");
const namespace = fc.constantFrom("infra", "shop");
const hostname = fc.constantFrom("x.test", "y.x.test", "*.test", "*.x.test");
const created = fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

function object(kind: string, spec: fc.Arbitrary<object>): fc.Arbitrary<object> {
  return fc.record({
    apiVersion: fc.constant(`${group}/v1`),
    kind: fc.constant(kind),
    metadata: fc.record({ name, namespace, creationTimestamp: optional(created) }),
    spec,
  });
}

const gatewayClass = fc
  .record({
    name: fc.constantFrom("a", "b"),
    controllerName: fc.constantFrom(
      "example.com/controller",
      "example.com/controller",
      "example.com/another",
    ),
    created: optional(created),
  })
  .map((one) => ({
    apiVersion: `${group}/v1`,
    kind: "GatewayClass",
    metadata: { name: one.name, creationTimestamp: one.created },
    spec: { controllerName: one.controllerName },
  }));

const from = fc.constantFrom<object>(
  { from: "All" },
  { from: "Same" },
  { from: "Selector", selector: { matchLabels: { team: "web" } } },
  { from: "Selector" },
);
const kinds = optional(fc.constantFrom([{ kind: "HTTPRoute" }], [{ kind: "TLSRoute" }]));
const certificateRef = fc.record({ name, namespace: optional(namespace) });

const listener = fc
  .record({
    protocol: fc.constantFrom(
      ["HTTP", 80],
      ["HTTP", 81],
      ["HTTPS", 443],
      ["TLS", 443],
      ["TCP", 90],
      ["TCP", 80],
      ["UDP", 80],
      ["projectcontour.io/https", 443],
    ),
    hostname: optional(hostname),
    passthrough: fc.boolean(),
    certificateRef,
    allowedRoutes: fc.record({ namespaces: from, kinds }),
  })
  .map(({ protocol: [protocol, port], passthrough, certificateRef: ref, ...rest }) => ({
    protocol,
    port,
    tls: passthrough ? { mode: "Passthrough" } : { certificateRefs: [ref] },
    ...rest,
  }));

const listeners = fc
  .array(listener, { minLength: 1, maxLength: 4 })
  .map((all) => all.map((one, i) => ({ name: `l${i}`, ...one })));

const gateway = object(
  "Gateway",
  fc.record({
    gatewayClassName: name,
    listeners,
    addresses: optional(fc.constantFrom([{ value: "10.0.0.9" }], [{ value: "192.0.2.1" }])),
    allowedListeners: optional(fc.record({ namespaces: from })),
    tls: optional(
      fc.record({
        backend: optional(fc.record({ clientCertificateRef: certificateRef })),
        frontend: optional(
          fc.record({
            default: fc.record({
              validation: fc.record({
                caCertificateRefs: fc.tuple(
                  fc.record({ group: fc.constant(""), kind: fc.constantFrom("Secret", "ConfigMap"), name }),
                ),
              }),
            }),
          }),
        ),
      }),
    ),
  }),
);

const listenerSet = object(
  "ListenerSet",
  fc.record({ parentRef: fc.record({ name, namespace: optional(fc.constant("infra")) }), listeners }),
);

const parentRefs = fc.array(
  fc.record({
    name,
    kind: fc.constantFrom("Gateway", "Gateway", "ListenerSet"),
    namespace: optional(fc.constant("infra")),
    sectionName: optional(fc.constantFrom("l0", "l1")),
    port: optional(fc.constantFrom(80, 443)),
  }),
  { minLength: 1, maxLength: 2 },
);
const hostnames = fc.array(hostname, { maxLength: 2 });
const reference = {
  name,
  namespace: optional(namespace),
  port: fc.constantFrom(80, 81),
};
const backendRefs = fc.array(fc.record({ ...reference, weight: optional(fc.constantFrom(0, 2)) }), {
  maxLength: 2,
});
const filters = optional(
  fc.oneof(
    fc.record({
      type: fc.constant("RequestMirror"),
      requestMirror: fc.record({ backendRef: fc.record(reference) }),
    }),
    fc.constantFrom<object>(
      { type: "RequestRedirect", requestRedirect: { hostname: "z.test" } },
      { type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } } },
      { type: "CORS", cors: { allowOrigins: ["https://*.x.test"] } },
      { type: "ExtensionRef" },
    ),
  ),
).map((one) => (one ? [one] : []));

const path = fc.constantFrom("/", "/api", "/api/v1", "//");
const httpRules = fc.array(
  fc.record({
    matches: fc.array(fc.record({ path: fc.record({ value: path }) }), { minLength: 1, maxLength: 2 }),
    filters,
    backendRefs,
    timeouts: optional(fc.constantFrom<object>({ request: "0s" }, { request: "1s", backendRequest: "2s" })),
  }),
  { minLength: 1, maxLength: 2 },
);
const grpcRules = fc.array(
  fc.record({
    matches: fc.array(fc.record({ method: optional(fc.constantFrom({ service: "s" }, {})) }), {
      maxLength: 1,
    }),
    backendRefs,
  }),
  { maxLength: 2 },
);
const plainRules = fc.array(fc.record({ backendRefs }), { minLength: 1, maxLength: 2 });

const route = fc.oneof(
  { weight: 4, arbitrary: object("HTTPRoute", fc.record({ parentRefs, hostnames, rules: httpRules })) },
  { weight: 2, arbitrary: object("GRPCRoute", fc.record({ parentRefs, hostnames, rules: grpcRules })) },
  { weight: 2, arbitrary: object("TLSRoute", fc.record({ parentRefs, hostnames, rules: plainRules })) },
  { weight: 1, arbitrary: object("TCPRoute", fc.record({ parentRefs, rules: plainRules })) },
  { weight: 1, arbitrary: object("UDPRoute", fc.record({ parentRefs, rules: plainRules })) },
);

const grant = object(
  "ReferenceGrant",
  fc.record({
    from: fc
      .constantFrom("HTTPRoute", "Gateway", "ListenerSet", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
      .chain((kind) =>
        fc.tuple(fc.record({ group: fc.constant(group), kind: fc.constant(kind), namespace })),
      ),
    to: fc.tuple(
      fc.record({
        group: fc.constant(""),
        kind: fc.constantFrom("Service", "Secret"),
        name: optional(name),
      }),
    ),
  }),
);

const policy = object(
  "BackendTLSPolicy",
  fc.record({
    targetRefs: fc.tuple(
      fc.record({
        group: fc.constant(""),
        kind: fc.constant("Service"),
        name,
        sectionName: optional(fc.constantFrom("web", "more")),
      }),
    ),
    validation: fc.record({
      hostname: fc.constant("app.test"),
      caCertificateRefs: fc.tuple(
        fc.record({ group: fc.constant(""), kind: fc.constantFrom("Secret", "ConfigMap"), name }),
      ),
    }),
  }),
);

const core = (kind: string, body: fc.Arbitrary<object>): fc.Arbitrary<object> =>
  fc.record({ name, namespace, body }).map((one) => ({
    apiVersion: "v1",
    kind,
    metadata: { name: one.name, namespace: one.namespace },
    ...one.body,
  }));

const ports = fc.constantFrom<object[]>(
  [{ name: "web", port: 80 }],
  [
    { name: "web", port: 80, appProtocol: "kubernetes.io/h2c" },
    { name: "more", port: 81 },
  ],
  [{ name: "web", port: 80, protocol: "UDP" }],
);
const service = core("Service", fc.record({ spec: fc.record({ ports }) }));
const secret = core(
  "Secret",
  fc.constantFrom<object>(
    { type: "kubernetes.io/tls", stringData: pair("secure") },
    { type: "kubernetes.io/tls", stringData: pair("tcp") },
    { type: "kubernetes.io/tls", stringData: { "tls.crt": "none", "tls.key": "none" } },
    { type: "Opaque", stringData: { "ca.crt": certificateFile("ca.crt") } },
  ),
);
const configMap = core(
  "ConfigMap",
  fc.constantFrom<object>({ data: { "ca.crt": certificateFile("ca.crt") } }, { data: {} }),
);
const namespaceObject = fc.record({ namespace, team: fc.constantFrom("web", "db") }).map((one) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: one.namespace, labels: { team: one.team } },
}));

const proxy = fc.record({ name, namespace, hostname, secretName: optional(name) }).map((one) => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: { name: one.name, namespace: one.namespace },
  spec: {
    virtualhost: {
      fqdn: one.hostname,
      ...(one.secretName ? { tls: { secretName: one.secretName } } : {}),
    },
    routes: [{ conditions: [{ prefix: "/api" }], services: [{ name: "a", port: 80 }] }],
  },
}));

const gatewayRef = (of: string) => ({ gatewayRef: { namespace: "infra", name: of } });
/** Settings that affect Gateway API objects. */
/** Settings that serve the Gateways of classes. */
export const ofClass = {
  gateway: {
    controllerName: "example.com/controller",
    addressPool: "10.0.0.0/29",
    staticAddresses: ["10.0.0.8/29"],
  },
};
export const gatewaySettingsEdit = fc.constantFrom<object>(
  ofClass,
  { ...ofClass, ...gatewayRef("a") },
  gatewayRef("a"),
  gatewayRef("b"),
  {},
  { ...gatewayRef("a"), secrets: "inline" },
  { ...gatewayRef("a"), hostOwners: [{ host: "*.x.test", namespaces: ["shop"] }] },
  { ...gatewayRef("a"), hostOwners: [{ host: "x.test", namespaces: ["infra"] }], rootNamespaces: ["shop"] },
);

/** Manifests of a Gateway, its routes and their references. They have few names, so that they refer to each other. */
export const gatewayManifest = fc.oneof(
  { weight: 1, arbitrary: gatewayClass },
  { weight: 3, arbitrary: gateway },
  { weight: 1, arbitrary: listenerSet },
  { weight: 8, arbitrary: route },
  { weight: 3, arbitrary: grant },
  { weight: 3, arbitrary: policy },
  { weight: 3, arbitrary: service },
  { weight: 3, arbitrary: secret },
  { weight: 2, arbitrary: configMap },
  { weight: 2, arbitrary: namespaceObject },
  { weight: 1, arbitrary: proxy },
);

const folder = new URL("../golden/gateway-and-others/everything-together/", import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, folder), "utf8");

/** A served Gateway, objects with every kind of reference between them, and its settings. */
export const gatewayBackground = parseCase(read("objects.yaml"), read("settings.yaml")).objects;
