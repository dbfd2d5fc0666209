import { readFileSync } from "node:fs";
import { certificate, endpointSlice, httpProxy, ingressRoute, type Manifest, service } from "./backend.js";

/** Manifests of one tenant that would do harm if they reached Envoy unchanged. */
export interface Poison {
  readonly name: string;
  readonly objects: readonly Manifest[];
}

/** The tenant's namespace in the catalogue; `forTenant` gives each poison its own. */
export const tenant = "tenant";
export const host = "poison.tenant.test";
export const web = [{ name: "web", port: 80 }];

/** The same poison in its own namespace and under its own hosts. */
export const forTenant = (poison: Poison, id: string): readonly Manifest[] =>
  JSON.parse(JSON.stringify(poison.objects).replaceAll(tenant, `${tenant}-${id}`)) as readonly Manifest[];

/** Groups of poisons that are served together; neighbours in a catalogue are in different groups. */
export const apart = <T>(poisons: readonly T[], groups = 40): readonly (readonly T[])[] =>
  Array.from({ length: groups }, (_, group) => poisons.filter((_, i) => i % groups === group));

export const secret = (
  name: string,
  data: Readonly<Record<string, string>>,
  type = "kubernetes.io/tls",
): Manifest => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { namespace: tenant, name },
  type,
  stringData: data,
});

export const pem = (file: string): string =>
  readFileSync(new URL(`./certs/${file}`, import.meta.url), "utf8");
export const good = {
  "tls.crt": certificate("secure").cert,
  "tls.key": certificate("secure").key,
};
export const base = [
  service(tenant, "web"),
  endpointSlice(tenant, "web", 9),
  secret("good", good),
  secret("ca", { "ca.crt": good["tls.crt"] }, "Opaque"),
];

/** A root that is served over HTTP and HTTPS, so that its poison could reach both route tables. */
export const root = (spec: Manifest): Manifest =>
  httpProxy(tenant, "poison", { virtualhost: { fqdn: host, tls: { secretName: "good" } }, ...spec });
export const route = (fields: Manifest): readonly Manifest[] => [
  ...base,
  root({ routes: [{ permitInsecure: true, services: web, ...fields }] }),
];
export const action = (fields: Manifest): readonly Manifest[] => [
  ...base,
  root({ routes: [{ permitInsecure: true, ...fields }] }),
];
export const v1beta1 = (fields: Manifest, fqdn = host): readonly Manifest[] => [
  ...base,
  ingressRoute(tenant, "poison", {
    virtualhost: { fqdn, tls: { secretName: "good" } },
    routes: [{ match: "/", permitInsecure: true, services: web, ...fields }],
  }),
];
export const ingress = (path: Manifest, annotations: Manifest = {}, fqdn = host): readonly Manifest[] => [
  ...base,
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { namespace: tenant, name: "poison", annotations },
    spec: {
      tls: [{ hosts: [fqdn], secretName: "good" }],
      rules: [
        {
          host: fqdn,
          http: { paths: [{ backend: { service: { name: "web", port: { number: 80 } } }, ...path }] },
        },
      ],
    },
  },
];
export const tls = (name: string, data: Readonly<Record<string, string>>, type?: string): Poison => ({
  name: `certificate: ${name}`,
  objects: [
    ...base,
    secret("bad", data, type),
    root({ virtualhost: { fqdn: host, tls: { secretName: "bad" } }, routes: [{ services: web }] }),
  ],
});
export const slice = (
  addressType: string,
  addresses: readonly string[],
  extra: Manifest = {},
): readonly Manifest[] => [
  ...base,
  root({ routes: [{ permitInsecure: true, services: web }] }),
  {
    ...endpointSlice(tenant, "web", 9),
    addressType,
    endpoints: addresses.map((address) => ({ addresses: [address] })),
    ...extra,
  },
];
export const serviceWith = (spec: Manifest, annotations: Manifest = {}): readonly Manifest[] => [
  ...base,
  root({ routes: [{ permitInsecure: true, services: web }] }),
  {
    ...service(tenant, "web"),
    metadata: { namespace: tenant, name: "web", annotations },
    spec: { ports: [{ name: "http", port: 80 }], ...spec },
  },
];

export const each = (
  what: string,
  values: readonly string[],
  objects: (value: string) => readonly Manifest[],
): Poison[] =>
  values.map((value) => {
    const shown = JSON.stringify(value);
    const name = `${what} ${shown.length > 60 ? `${shown.slice(0, 50)}… (${value.length})` : shown}`;
    return { name, objects: objects(value) };
  });

/** Text with line breaks, control characters or a surrogate, which breaks line-based and byte-counting parsers. */
export const lines = ["a\r\nx-evil: 1", "a\nb", "a\rb", "a\0b", "\ud800", "a\tb"];
/** 4,096 characters, 8,192 bytes. */
export const wide = "é".repeat(4096);
