import { generateKeyPairSync } from "node:crypto";
import { certificateFile, type Manifest, secret, tlsSecret } from "./backend.js";
import { fc } from "./fast-check.js";
import { gateway, onPort } from "./gateway.js";

/** Hosts that both tenants may claim: exact names, a name below a wildcard, and the wildcard. */
export const tenantHosts = ["x.test", "y.test", "a.w.test", "*.w.test"] as const;

/** A Gateway of neither tenant with listeners of each kind, which both tenants may use. */
export const sharedGateway: readonly Manifest[] = [
  ...gateway(
    onPort(8080, "http", "HTTP"),
    onPort(8443, "https", "HTTPS", { tls: { certificateRefs: [{ name: "tcp" }] } }),
    onPort(8443, "pass", "TLS", { hostname: "y.test", tls: { mode: "Passthrough" } }),
    onPort(9443, "ended", "TLS", { hostname: "*.test", tls: { certificateRefs: [{ name: "tcp" }] } }),
    onPort(9444, "web", "HTTPS", { hostname: "*.w.test", tls: { certificateRefs: [{ name: "tcp" }] } }),
  ),
  tlsSecret("infra", "tcp"),
  {
    apiVersion: "projectcontour.io/v1",
    kind: "TLSCertificateDelegation",
    metadata: { namespace: "infra", name: "fallback" },
    spec: { delegations: [{ secretName: "tcp", targetNamespaces: ["*"] }] },
  },
];

/** The settings of these tests, with a certificate for clients without SNI. */
export const tenantSettings: Manifest = {
  tls: { fallbackCertificate: { namespace: "infra", name: "tcp" } },
  endpoints: "eds",
};

const group = "gateway.networking.k8s.io";
const parent = { namespace: "infra", name: "edge" };

const nameCount = 6;

/** One of a few names, so that includes find their targets. */
export const tenantName = (i: number): string => `object-${i % nameCount}`;

/** Objects that one tenant may write, each with its own name; `other` is the namespace of the other tenant. */
export function tenantObject(namespace: string, other: string, name: string): fc.Arbitrary<Manifest> {
  const host = fc.constantFrom(...tenantHosts);
  const exactHost = fc.constantFrom(...tenantHosts.filter((one) => !one.startsWith("*")));
  const path = fc.constantFrom("/", "/x", "/x/", "/x/y");
  const service = fc.constantFrom("a", "b");
  const secretName = fc.constantFrom("secure", "pass", "missing", `${other}/secure`);
  const reach = fc.oneof(
    { weight: 9, arbitrary: fc.constant(namespace) },
    { weight: 1, arbitrary: fc.constant(other) },
  );
  const created = fc.constantFrom("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
  const make =
    (apiVersion: string, kind: string) =>
    (
      spec: fc.Arbitrary<object>,
      annotations: fc.Arbitrary<object> = fc.constant({}),
    ): fc.Arbitrary<Manifest> =>
      fc.record({
        apiVersion: fc.constant(apiVersion),
        kind: fc.constant(kind),
        metadata: fc.record({
          namespace: fc.constant(namespace),
          name: fc.constant(name),
          creationTimestamp: created,
          annotations,
        }),
        spec,
      });

  const childName = fc.nat(nameCount - 1).map(tenantName);
  const services = service.map((one) => [{ name: one, port: 80 }]);
  const tcpproxy = fc.oneof(
    fc.record({ services }),
    fc.record({ include: fc.record({ name: childName, namespace: reach }) }),
  );
  const clientValidation = fc.constantFrom(
    { caSecret: "ca" },
    { caSecret: "ca", optionalClientCertificate: true },
  );
  const tls = fc.oneof(
    fc.record({ secretName }),
    fc.record({ secretName, clientValidation }),
    fc.record({ secretName, minimumProtocolVersion: fc.constantFrom("1.2", "1.3") }),
    fc.record({ secretName, enableFallbackCertificate: fc.constant(true) }),
    fc.constant({ passthrough: true }),
  );
  const protection = fc.constantFrom<Manifest>(
    {},
    {},
    { ipAllowPolicy: [{ source: "Peer", cidr: "10.0.0.0/8" }] },
    { corsPolicy: { allowOrigin: ["*"], allowMethods: ["GET"] } },
    { rateLimitPolicy: { local: { requests: 1, unit: "second" } } },
    { jwtProviders: [{ name: "p", default: true, localJWKS: { secretName: "jwks", key: "jwks.json" } }] },
    { authorization: { extensionRef: { name: "auth" } } },
  );
  const condition = fc.oneof(
    path.map((prefix) => [{ prefix }]),
    path.map((prefix) => [{ prefix }, { header: { name: "x-a", exact: "1" } }]),
    path.map((exact) => [{ exact }]),
  );
  const route = fc.oneof(
    fc.record({ conditions: condition, services }),
    fc.record({ conditions: condition, services, permitInsecure: fc.constant(true) }),
    fc.record({
      conditions: condition,
      directResponsePolicy: fc.record({ statusCode: fc.constantFrom(200, 403) }),
    }),
  );
  const include = fc.record({
    name: childName,
    namespace: reach,
    conditions: path.map((prefix) => [{ prefix }]),
  });
  const proxySpec = fc.record(
    {
      routes: fc.array(route, { minLength: 1, maxLength: 2 }),
      includes: fc.array(include, { maxLength: 1 }),
      tcpproxy,
    },
    { requiredKeys: ["routes"] },
  );
  const virtualhost = fc
    .tuple(host, fc.option(tls, { nil: undefined }), protection)
    .map(([fqdn, secured, rest]) => ({ fqdn, ...(secured ? { tls: secured } : {}), ...rest }));
  const proxy = make("projectcontour.io/v1", "HTTPProxy");
  const ingressRoute = make("contour.heptio.com/v1beta1", "IngressRoute");
  const ingressPath = fc.record({
    path,
    pathType: fc.constantFrom("Prefix", "Exact", "ImplementationSpecific"),
    backend: service.map((one) => ({ service: { name: one, port: { number: 80 } } })),
  });
  const rule = fc.record({
    host: fc.oneof(host, fc.constant(undefined)),
    http: ingressPath.map((one) => ({ paths: [one] })),
  });
  const parentRefs = fc
    .constantFrom("http", "https", "pass", "ended", "web", undefined)
    .map((sectionName) => [{ ...parent, ...(sectionName ? { sectionName } : {}) }]);
  const hostnames = fc.array(host, { maxLength: 2 });
  const backendRefs = service.map((one) => [{ name: one, port: 80 }]);
  const matches = fc.record({
    type: fc.constantFrom("PathPrefix", "Exact"),
    value: fc.constantFrom("/", "/x", "/x/y"),
  });
  const httpRoute = fc.record({
    parentRefs,
    hostnames,
    rules: fc.tuple(fc.record({ matches: matches.map((one) => [{ path: one }]), backendRefs })),
  });
  const plainRoute = fc.record({ parentRefs, hostnames, rules: fc.tuple(fc.record({ backendRefs })) });

  return fc.oneof(
    {
      weight: 4,
      arbitrary: proxy(fc.tuple(virtualhost, proxySpec).map(([v, spec]) => ({ virtualhost: v, ...spec }))),
    },
    { weight: 2, arbitrary: proxy(proxySpec) },
    {
      weight: 3,
      arbitrary: ingressRoute(
        fc.record(
          {
            virtualhost: fc.record(
              {
                fqdn: exactHost,
                tls: fc.oneof(fc.record({ secretName }), fc.constant({ passthrough: true })),
              },
              { requiredKeys: ["fqdn"] },
            ),
            routes: fc.array(fc.record({ match: path, services }), { maxLength: 2 }),
            tcpproxy: fc.record({ services }),
          },
          { requiredKeys: ["routes"] },
        ),
      ),
    },
    {
      weight: 4,
      arbitrary: make("networking.k8s.io/v1", "Ingress")(
        fc.record(
          {
            rules: fc.array(rule, { maxLength: 2 }),
            tls: fc.array(
              fc.record({ hosts: host.map((one) => [one]), secretName: fc.constantFrom("secure", "pass") }),
              { maxLength: 2 },
            ),
            defaultBackend: service.map((one) => ({ service: { name: one, port: { number: 80 } } })),
          },
          { requiredKeys: ["rules"] },
        ),
        fc.constantFrom(
          {},
          { "ingress.kubernetes.io/force-ssl-redirect": "true" },
          { "kubernetes.io/ingress.allow-http": "false" },
          { "projectcontour.io/tls-cert-namespace": other },
        ),
      ),
    },
    { weight: 2, arbitrary: make(`${group}/v1`, "HTTPRoute")(httpRoute) },
    { weight: 1, arbitrary: make(`${group}/v1`, "GRPCRoute")(plainRoute) },
    { weight: 2, arbitrary: make(`${group}/v1alpha2`, "TLSRoute")(plainRoute) },
    {
      weight: 1,
      arbitrary: make(
        `${group}/v1alpha2`,
        "TCPRoute",
      )(fc.record({ parentRefs, rules: fc.tuple(fc.record({ backendRefs })) })),
    },
    {
      weight: 1,
      arbitrary: make(
        "projectcontour.io/v1",
        "TLSCertificateDelegation",
      )(fc.constant({ delegations: [{ secretName: "secure", targetNamespaces: ["*"] }] })),
    },
    {
      weight: 1,
      arbitrary: make(
        `${group}/v1beta1`,
        "ReferenceGrant",
      )(
        fc.constant({
          from: [{ group, kind: "HTTPRoute", namespace: other }],
          to: [{ group: "", kind: "Service" }],
        }),
      ),
    },
    {
      weight: 1,
      arbitrary: make(
        `${group}/v1`,
        "BackendTLSPolicy",
      )(
        fc.record({
          targetRefs: service.map((one) => [{ group: "", kind: "Service", name: one }]),
          validation: fc.constant({
            hostname: "b.test",
            caCertificateRefs: [{ group: "", kind: "Secret", name: "ca" }],
          }),
        }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom("a", "b").map((of) => slice(namespace, of, name, "10.9.9.9")),
    },
  );
}

const slice = (namespace: string, of: string, name: string, address: string): Manifest => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { namespace, name, labels: { "kubernetes.io/service-name": of } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080 }],
  endpoints: [{ addresses: [address], conditions: { ready: true } }],
});

const publicKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });

const ofNamespace = (namespace: string, object: Manifest): Manifest => ({
  ...object,
  metadata: { ...(object.metadata as Manifest), namespace },
});

/**
 * The objects of every tenant: two Services with an endpoint each, certificates, a CA, a key set, an authorization
 * service.
 */
export const tenantBackground = (
  namespace: string,
  address: string,
  authority: string,
): readonly Manifest[] => [
  ...["a", "b"].flatMap((name): Manifest[] => [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace, name },
      spec: { ports: [{ name: "http", port: 80 }] },
    },
    slice(namespace, name, `${name}-own`, address),
  ]),
  tlsSecret(namespace, "secure"),
  tlsSecret(namespace, "pass"),
  secret(namespace, "ca", { "ca.crt": certificateFile(authority) }),
  secret(namespace, "jwks", { "jwks.json": JSON.stringify({ keys: [publicKey] }) }),
  ofNamespace(namespace, {
    apiVersion: "projectcontour.io/v1alpha1",
    kind: "ExtensionService",
    metadata: { name: "auth" },
    spec: { services: [{ name: "a", port: 80 }], protocol: "h2c" },
  }),
];
