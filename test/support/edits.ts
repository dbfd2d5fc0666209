import type { Ref } from "../../src/schema/meta.js";
import type { KubeObject } from "../../src/schema/object.js";
import type { Change } from "../../src/update.js";
import { certificateFile, httpProxy, type Manifest, tlsSecret } from "./backend.js";
import { parseCase } from "./compile.js";
import { fc } from "./fast-check.js";
import { gatewayBackground, gatewayManifest, gatewaySettingsEdit } from "./gateway-edits.js";

// Few names, so that objects refer to each other.
const name = fc.constantFrom("a", "b", "c");
const namespace = fc.constantFrom("one", "two");
const host = fc.constantFrom("x.test", "y.test", "*.z.test");
const prefix = fc.constantFrom("/", "/api", "/api/v1");
const port = fc.constantFrom(80, 81);
const created = fc.constantFrom(undefined, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");

/** A record with most fields absent: with all fields, hardly any object would be served. */
const some = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<Manifest> =>
  fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([key, arbitrary]) => [
        key,
        fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary }),
      ]),
    ),
  );
const list = <T>(of: fc.Arbitrary<T>, maxLength = 2): fc.Arbitrary<T[]> => fc.array(of, { maxLength });

const object = (apiVersion: string, kind: string, spec: fc.Arbitrary<unknown>): fc.Arbitrary<Manifest> =>
  fc.record({
    apiVersion: fc.constant(apiVersion),
    kind: fc.constant(kind),
    metadata: fc.record({ name, namespace, creationTimestamp: created }),
    spec,
  });

const headers = fc.constantFrom<Manifest>(
  { set: [{ name: "x-a", value: "1" }] },
  { set: [{ name: "Host", value: "inner.test:8443" }], remove: ["x-b"] },
  { set: [{ name: "Host", value: "%REQ(x-host)%" }] },
);
const validation = { caSecret: "ca", subjectName: "app.test" };
const service = fc
  .record({
    name,
    port,
    more: some({
      weight: fc.constantFrom(1, 2),
      mirror: fc.constant(true),
      protocol: fc.constantFrom("tls", "h2", "h2c"),
      healthPort: port,
      validation: fc.constant(validation),
      requestHeadersPolicy: headers,
      slowStartPolicy: fc.constant({ window: "3s" }),
    }),
  })
  .map(({ more, ...rest }) => ({ ...rest, ...more }));
const services = fc.array(service, { minLength: 1, maxLength: 2 });

const routePolicies = some({
  healthCheckPolicy: fc.constantFrom<Manifest>({ path: "/up" }, { path: "/ready", intervalSeconds: 5 }),
  loadBalancerPolicy: fc.constantFrom<Manifest>({ strategy: "Random" }, { strategy: "Cookie" }),
  timeoutPolicy: fc.constantFrom<Manifest>({ response: "5s" }, { idleConnection: "9s" }),
  retryPolicy: fc.constant({ count: 2 }),
  pathRewritePolicy: fc.constant({ replacePrefix: [{ replacement: "/new" }] }),
  requestHeadersPolicy: headers,
  rateLimitPolicy: fc.constant({ local: { requests: 3, unit: "minute" } }),
  jwtVerificationPolicy: fc.constant({ require: "p" }),
  authPolicy: fc.constant({ disabled: true }),
  ipAllowPolicy: fc.constant([{ source: "Peer", cidr: "10.0.0.0/8" }]),
  permitInsecure: fc.boolean(),
});
const routeAction = fc.oneof(
  { weight: 5, arbitrary: fc.record({ services }) },
  { weight: 1, arbitrary: fc.constant({ directResponsePolicy: { statusCode: 200, body: "fixed" } }) },
  { weight: 1, arbitrary: fc.constant({ requestRedirectPolicy: { hostname: "moved.test" } }) },
);
const route = fc
  .record({ conditions: fc.tuple(fc.record({ prefix })), action: routeAction, policies: routePolicies })
  .map(({ conditions, action, policies }) => ({ conditions, ...action, ...policies }));

const tls = fc.oneof(
  fc.constant({ passthrough: true }),
  some({
    secretName: fc.constantFrom("cert", "two/cert"),
    minimumProtocolVersion: fc.constant("1.3"),
    enableFallbackCertificate: fc.boolean(),
    clientValidation: fc.constant({ caSecret: "ca" }),
  }),
);
const virtualhost = fc
  .record({
    fqdn: host,
    more: some({
      tls,
      corsPolicy: fc.constant({ allowOrigin: ["*"], allowMethods: ["GET"] }),
      rateLimitPolicy: fc.constant({ global: { descriptors: [{ entries: [{ remoteAddress: {} }] }] } }),
      jwtProviders: fc.constant([
        { name: "p", remoteJWKS: { uri: "https://keys.test/jwks", validation: { ...validation } } },
      ]),
      authorization: fc.record({ extensionRef: fc.record({ name, namespace }) }),
    }),
  })
  .map(({ fqdn, more }) => ({ fqdn, ...more }));
const include = fc.record({ name, namespace, conditions: fc.tuple(fc.record({ prefix })) });
const proxySpec = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({ virtualhost, routes: list(route), more: some({ includes: list(include) }) })
      .map(({ more, ...rest }) => ({ ...rest, ...more })),
  },
  { weight: 1, arbitrary: fc.record({ virtualhost, tcpproxy: fc.record({ services }) }) },
  { weight: 1, arbitrary: fc.record({ routes: list(route) }) },
);
const proxy = object("projectcontour.io/v1", "HTTPProxy", proxySpec);

const ingressRoute = object(
  "contour.heptio.com/v1beta1",
  "IngressRoute",
  fc.record({
    virtualhost: fc.option(
      fc.record({
        fqdn: fc.constantFrom("x.test", "y.test"),
        tls: fc.constantFrom(undefined, { secretName: "cert" }, { passthrough: true }),
      }),
      { nil: undefined },
    ),
    tcpproxy: fc.option(fc.record({ services: list(fc.record({ name, port }), 2) }), {
      nil: undefined,
      freq: 1,
    }),
    routes: list(
      fc.oneof(
        fc.record({ match: prefix, services: list(fc.record({ name, port }), 1) }),
        fc.record({ match: prefix, delegate: fc.record({ name, namespace }) }),
      ),
      3,
    ),
  }),
);

const backendPort = fc.oneof(fc.record({ number: port }), fc.record({ name: fc.constantFrom("h", "g") }));
const ingress = object(
  "networking.k8s.io/v1",
  "Ingress",
  fc.record({
    tls: list(fc.constant({ hosts: ["x.test", "y.test"], secretName: "cert" }), 1),
    rules: list(
      fc.record({
        host,
        http: fc.record({
          paths: fc.tuple(
            fc.record({
              path: prefix,
              pathType: fc.constantFrom("Prefix", "Exact"),
              backend: fc.record({ service: fc.record({ name, port: backendPort }) }),
            }),
          ),
        }),
      }),
    ),
  }),
);

/** Ports with all combinations of equal and different names and numbers. */
const ports = fc.constantFrom<Manifest[]>(
  [{ port: 80 }],
  [
    { name: "h", port: 80 },
    { name: "g", port: 81 },
  ],
  [
    { name: "g", port: 80 },
    { name: "h", port: 81 },
  ],
  [
    { name: "g", port: 80, protocol: "UDP" },
    { name: "h", port: 80, appProtocol: "https" },
  ],
);
const annotations = fc.constantFrom<Manifest>(
  {},
  {},
  { "isoline.dev/endpoints": "inline" },
  { "isoline.dev/endpoints": "eds" },
  { "isoline.dev/endpoints": "service" },
  { "projectcontour.io/max-requests": "5" },
  { "projectcontour.io/upstream-protocol.tls": "80,g" },
);
const serviceObject = fc
  .record({ name, namespace, annotations, ports, external: fc.constantFrom(false, false, false, true) })
  .map(({ ports, external, ...metadata }) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: { ports, ...(external ? { type: "ExternalName", externalName: "outside.test" } : {}) },
  }));

const endpointPorts = fc.constantFrom<Manifest[]>(
  [{ port: 8080 }],
  [
    { name: "h", port: 8080 },
    { name: "g", port: 8081 },
  ],
  [
    { name: "h", port: 8081 },
    { name: "g", port: 8080, protocol: "UDP" },
  ],
);
const address = fc.constantFrom("10.0.0.1", "10.0.0.2", "169.254.169.254");
const slice = fc
  .record({
    name,
    namespace,
    of: name,
    ports: endpointPorts,
    endpoints: list(
      fc.record({ addresses: fc.tuple(address), conditions: fc.record({ ready: fc.boolean() }) }),
    ),
  })
  .map(({ name, namespace, of, ports, endpoints }) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace, labels: { "kubernetes.io/service-name": of } },
    addressType: "IPv4",
    ports,
    endpoints,
  }));
const endpoints = fc
  .record({ name, namespace, ports: endpointPorts, addresses: list(fc.record({ ip: address })) })
  .map(({ name, namespace, ...subset }) => ({
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name, namespace },
    subsets: [subset],
  }));

const opaque = (namespace: string, stringData: Manifest): Manifest => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "ca", namespace },
  type: "Opaque",
  stringData,
});
const secret = fc.oneof(
  fc.record({ namespace, of: fc.constantFrom("secure", "tcp") }).map(({ namespace, of }) => ({
    ...tlsSecret(namespace, of),
    metadata: { name: "cert", namespace },
  })),
  namespace.map((one) => opaque(one, { "ca.crt": certificateFile("ca.crt") })),
  namespace.map((one) => opaque(one, { "ca.crt": "none" })),
);
const delegation = object(
  "projectcontour.io/v1",
  "TLSCertificateDelegation",
  fc.constant({ delegations: [{ secretName: "cert", targetNamespaces: ["*"] }] }),
);
const extension = object(
  "projectcontour.io/v1alpha1",
  "ExtensionService",
  fc
    .record({ services: list(fc.record({ name, port }), 2), protocol: fc.constantFrom("h2", "h2c") })
    .filter(({ services }) => services.length > 0),
);

const setting = fc.constantFrom<object>(
  {},
  { endpoints: "service" },
  { endpoints: "inline" },
  { rootNamespaces: ["one"] },
  { disablePermitInsecure: true },
  { secrets: "inline" },
  { enableExternalNameService: true },
  { tls: { fallbackCertificate: { name: "cert", namespace: "one" } } },
  { tls: { envoyClientCertificate: { name: "cert", namespace: "one" } } },
  { policy: { requestHeaders: { set: { Host: "all.test" } }, applyToIngress: true } },
  { globalExtAuth: { extensionService: "one/a" } },
  { rateLimitService: { extensionService: "two/b" } },
);

const settings = fc
  .tuple(setting, fc.constantFrom<object>({}, { routeShards: 16 }))
  .map(([one, other]) => ({ ...one, ...other }));

const routingManifest: fc.Arbitrary<object> = fc.oneof(
  { weight: 6, arbitrary: proxy },
  { weight: 2, arbitrary: ingressRoute },
  { weight: 3, arbitrary: ingress },
  { weight: 5, arbitrary: serviceObject },
  { weight: 4, arbitrary: slice },
  { weight: 1, arbitrary: endpoints },
  { weight: 3, arbitrary: secret },
  { weight: 1, arbitrary: delegation },
  { weight: 2, arbitrary: extension },
);

const inBoth = (manifests: (namespace: string) => readonly Manifest[]): readonly KubeObject[] =>
  ["one", "two"].flatMap(manifests).flatMap((one) => parseCase(JSON.stringify(one)).objects);

/** The objects that routes of the edits refer to, a host, and the objects of a Gateway. */
const background: readonly KubeObject[] = [
  ...inBoth((namespace) => [
    ...["a", "b"].flatMap((of) => [
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { namespace, name: of },
        spec: {
          ports: [
            { name: "h", port: 80 },
            { name: "g", port: 81 },
          ],
        },
      },
      {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { namespace, name: of, labels: { "kubernetes.io/service-name": of } },
        ports: [
          { name: "h", port: 8080 },
          { name: "g", port: 8081 },
        ],
        endpoints: [{ addresses: ["10.0.0.1"] }],
      },
    ]),
    { ...tlsSecret(namespace, "secure"), metadata: { name: "cert", namespace } },
    opaque(namespace, { "ca.crt": certificateFile("ca.crt") }),
    {
      apiVersion: "projectcontour.io/v1alpha1",
      kind: "ExtensionService",
      metadata: { namespace, name: "a" },
      spec: { services: [{ name: "a", port: 80 }], protocol: "h2c" },
    },
    httpProxy(namespace, "a", {
      virtualhost: { fqdn: namespace === "one" ? "x.test" : "y.test", tls: { secretName: "cert" } },
      routes: [
        { services: [{ name: "a", port: 80 }] },
        { conditions: [{ prefix: "/g" }], services: [{ name: "a", port: 81 }] },
      ],
    }),
  ]),
  ...gatewayBackground,
];

/** The initial objects of edits: most of the background. */
export const start = fc.subarray([...background], { minLength: background.length - 6 });

export type Edit = { readonly put: object } | { readonly settings: object } | { readonly remove: number };

const editOf = (put: fc.Arbitrary<object>, settings: fc.Arbitrary<object>): fc.Arbitrary<Edit> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ put }) },
    { weight: 3, arbitrary: fc.record({ remove: fc.nat(50) }) },
    { weight: 1, arbitrary: fc.record({ settings }) },
  );

/** Edits of every kind of object, and of the settings. */
export const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 2, arbitrary: editOf(routingManifest, settings) },
  { weight: 1, arbitrary: editOf(gatewayManifest, gatewaySettingsEdit) },
);

/** The objects that an edit puts, without those that are not valid. */
export const objectsOf = (one: Edit): readonly KubeObject[] => {
  if ("put" in one) return parseCase(JSON.stringify(one.put)).objects;
  return "settings" in one ? parseCase("", JSON.stringify(one.settings)).objects : [];
};

/** The changes that an edit makes to `state`, which is updated. */
export const changesOf = (one: Edit, state: Map<Ref, KubeObject>): readonly Change[] =>
  "remove" in one ? take(one.remove, state) : put(objectsOf(one), state);

export function put(objects: readonly KubeObject[], state: Map<Ref, KubeObject>): readonly Change[] {
  for (const object of objects) state.set(object.ref, object);
  return objects;
}

/** Removes the object with this index, modulo the number of objects. */
export function take(number: number, state: Map<Ref, KubeObject>): readonly Change[] {
  const gone = [...state.keys()][number % Math.max(1, state.size)];
  if (gone === undefined) return [];
  state.delete(gone);
  return [{ gone }];
}
