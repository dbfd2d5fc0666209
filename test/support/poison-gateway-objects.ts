import { type Manifest, service } from "./backend.js";
import { base, each, host, lines, type Poison, secret, tenant, web } from "./poison.js";
import { certificates } from "./poison-certificates.js";
import { evil, hostnames, httpRule, many, route, udp } from "./poison-gateway.js";

const group = "gateway.networking.k8s.io";

const external = (externalName: string): Manifest => ({
  ...service(tenant, "external"),
  spec: { type: "ExternalName", externalName, ports: [{ name: "http", port: 80 }] },
});
const odd: readonly Manifest[] = [
  { name: "udp", port: 53 },
  { name: "web" },
  { name: "web", port: 81 },
  { name: "web", port: 0 },
  { name: "nobody", port: 80 },
  { name: "web", port: 80, kind: "constructor" },
  { name: "web", port: 80, group: "multicluster.x-k8s.io", kind: "ServiceImport" },
  { name: "web", port: 80, namespace: "default" },
  { name: "../default/a", port: 80 },
  { name: "web", port: 80, namespace: "a/b" },
];
const hosted = ["HTTPRoute", "GRPCRoute", "TLSRoute"];
const tlsHost = "poison.tenant.tls.test";
const of = (kind: string, backendRefs: readonly Manifest[]): readonly Manifest[] => [
  ...base,
  udp,
  route(kind, {
    ...(kind === "TCPRoute" ? {} : { hostnames: [kind === "TLSRoute" ? tlsHost : host] }),
    rules: [{ backendRefs }],
  }),
];

export const backends: readonly Poison[] = [...hosted, "TCPRoute"].flatMap((kind) => [
  ...[[0], [0, 0], [1_000_000], many(16, () => 1_000_000), [0, 1], [-1], [1.5], many(17, () => 1)].map(
    (weights): Poison => ({
      name: `${kind} with weights ${weights.join()}`,
      objects: of(
        kind,
        weights.map((weight) => ({ ...web[0], weight })),
      ),
    }),
  ),
  ...odd.map(
    (ref): Poison => ({ name: `${kind} to ${JSON.stringify(ref)}`, objects: of(kind, [ref, ...web]) }),
  ),
  ...each(
    `${kind} to an ExternalName`,
    [
      "localhost",
      "127.0.0.1",
      "metadata.google.internal",
      "0x7f.1",
      "a b",
      "",
      "x".repeat(254),
      "é.test",
      "a.test.",
    ],
    (name) => [...of(kind, [{ name: "external", port: 80 }]), external(name)],
  ),
  ...each(
    `${kind} to appProtocol`,
    ["kubernetes.io/h2c", "https", "kubernetes.io/wss", "a\0b"],
    (appProtocol) => [
      ...of(kind, web),
      { ...service(tenant, "web"), spec: { ports: [{ name: "http", port: 80, appProtocol }] } },
    ],
  ),
  { name: `${kind} of no backends`, objects: of(kind, []) },
  { name: `${kind} of no rules`, objects: [...base, route(kind, { rules: [] })] },
]);

export const attachments: readonly Poison[] = [
  ...hosted.flatMap((kind) =>
    each(`${kind} for host`, hostnames, (hostname) => [
      ...base,
      route(kind, { hostnames: [hostname, host], rules: [{ backendRefs: web }] }),
    ]),
  ),
  ...["HTTPRoute", "TLSRoute", "TCPRoute"].flatMap((kind) => [
    ...each(`${kind} on listener`, evil, (sectionName) => [
      ...base,
      route(kind, { rules: [{ backendRefs: web }] }, sectionName),
    ]),
    {
      name: `${kind} with 32 parents`,
      objects: [
        ...base,
        route(kind, {
          rules: [{ backendRefs: web }],
          parentRefs: many(32, (i) => ({ namespace: "infra", name: "edge", ...(i % 2 ? { port: i } : {}) })),
        }),
      ],
    },
    { name: `${kind} for any host`, objects: [...base, route(kind, { rules: [{ backendRefs: web }] })] },
  ]),
  ...each("ReferenceGrant", ["", "*", "tenant", ...lines], (text) => [
    ...base,
    {
      apiVersion: `${group}/v1beta1`,
      kind: "ReferenceGrant",
      metadata: { namespace: tenant, name: "poison" },
      spec: {
        from: [{ group: text, kind: text || "HTTPRoute", namespace: text || tenant }],
        to: [{ group: text, kind: text || "Service", name: text }],
      },
    },
    route("HTTPRoute", { hostnames: [host], rules: [{ backendRefs: web }] }),
  ]),
];

const policy = (validation: Manifest, target: Manifest = {}): readonly Manifest[] => [
  ...httpRule({}),
  {
    apiVersion: `${group}/v1`,
    kind: "BackendTLSPolicy",
    metadata: { namespace: tenant, name: "poison" },
    spec: {
      targetRefs: [{ group: "", kind: "Service", name: "web", ...target }],
      validation: {
        hostname: "web.test",
        caCertificateRefs: [{ group: "", kind: "Secret", name: "ca" }],
        ...validation,
      },
    },
  },
];
const bundles = certificates.flatMap(({ name, objects }) => {
  const bad = objects.find(
    ({ kind, metadata }) => kind === "Secret" && (metadata as Manifest).name === "bad",
  );
  const data = bad?.stringData as Readonly<Record<string, string>> | undefined;
  return data ? [{ name, text: data["ca.crt"] ?? data["tls.crt"] ?? "" }] : [];
});

export const policies: readonly Poison[] = [
  ...each("BackendTLSPolicy for host", [...hostnames, ...evil], (hostname) => policy({ hostname })),
  ...each("BackendTLSPolicy with name", [...hostnames, ...evil], (hostname) =>
    policy({ subjectAltNames: [{ type: "Hostname", hostname }] }),
  ),
  ...each("BackendTLSPolicy with URI", ["", "spiffe://a/b", ...lines], (uri) =>
    policy({ subjectAltNames: [{ type: "URI", uri }] }),
  ),
  ...each("BackendTLSPolicy under kind", ["", "valueOf", "hasOwnProperty", "__proto__", "Service"], (kind) =>
    policy({ caCertificateRefs: [{ group: "", kind, name: "ca" }] }),
  ),
  ...each("BackendTLSPolicy for port", ["http", "nobody", ...lines], (sectionName) =>
    policy({}, { sectionName }),
  ),
  ...bundles.map(
    ({ name, text }): Poison => ({
      name: `BackendTLSPolicy under ${name}`,
      objects: [
        ...policy({ caCertificateRefs: [{ group: "", kind: "Secret", name: "bundle" }] }),
        secret("bundle", { "ca.crt": text }, "Opaque"),
      ],
    }),
  ),
];
