import type { Manifest } from "./backend.js";
/** How a peer restricts a path: objects beside the route, and what the route says. */
export interface Restriction {
  readonly name: string;
  /** Whether an HTTPProxy can say it. */
  readonly isKept: boolean;
  readonly beside: readonly Manifest[];
  readonly route: unknown;
}

export interface PeerRules {
  readonly restrictions: readonly Restriction[];
  /** Prefixes are of text, and not of whole segments. */
  readonly isText?: true;
  /** The objects of a host with these paths; undefined stands for an open one. */
  manifests(paths: readonly (readonly [path: string, restriction: Restriction | undefined])[]): Manifest[];
}

export const host = "access.example.com";
const meta = (name: string): Manifest => ({ name, namespace: "shop" });

const annotated = (
  prefix: string,
  cls: string,
  annotations: Readonly<Record<string, Manifest>>,
): PeerRules => ({
  restrictions: Object.entries(annotations).map(([name, own]) => ({
    name,
    isKept: /source-range$/.test(name),
    beside: [],
    route: own,
  })),
  manifests: (paths) =>
    paths.map(([path, restriction], i) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: {
        ...meta(`i${i}`),
        annotations: Object.fromEntries(
          Object.entries((restriction?.route ?? {}) as Manifest).map(([name, value]) => [
            `${prefix}${name}`,
            value,
          ]),
        ),
      },
      spec: {
        ingressClassName: cls,
        rules: [
          {
            host,
            http: {
              paths: [
                { path, pathType: "Prefix", backend: { service: { name: `s${i}`, port: { number: 80 } } } },
              ],
            },
          },
        ],
      },
    })),
});

const optionOfAll = (name: string, value: string): Restriction => ({
  name,
  isKept: name === "block-cidrs" || name === "whitelist-source-range",
  beside: [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "ingress-nginx-controller", namespace: "ingress-nginx" },
      data: { [name]: value },
    },
  ],
  route: {},
});

const annotatedNginx = annotated("nginx.ingress.kubernetes.io/", "nginx", {
  "auth-type": { "auth-type": "basic", "auth-secret": "users" },
  "auth-url": { "auth-url": "http://auth.auth.svc/check" },
  "whitelist-source-range": { "whitelist-source-range": "192.0.2.0/24" },
  "denylist-source-range": { "denylist-source-range": "198.51.100.0/24" },
  "wrong list": { "whitelist-source-range": "anybody" },
  satisfy: { satisfy: "any", "whitelist-source-range": "192.0.2.0/24" },
  modsecurity: { "enable-modsecurity": "true" },
  snippet: { "configuration-snippet": "deny all;" },
  "snippet with a condition": { "configuration-snippet": 'if ($http_x_key != "k") { return 403; }' },
});

const nginx: PeerRules = {
  restrictions: [
    ...annotatedNginx.restrictions,
    optionOfAll("global-auth-url", "http://auth.example.com/check"),
    optionOfAll("block-user-agents", "curl"),
    optionOfAll("block-cidrs", "192.0.2.0/24"),
    optionOfAll("whitelist-source-range", "192.0.2.0/24"),
    optionOfAll("enable-modsecurity", "true"),
    optionOfAll("server-snippet", "deny all;"),
  ],
  manifests(paths) {
    const [map] = besides(paths);
    const data = Object.assign({}, ...besides(paths).map((one) => one.data)) as Manifest;
    return [...annotatedNginx.manifests(paths), ...(map ? [{ ...map, data }] : [])];
  },
};

const middleware = (name: string, isKept: boolean, spec: Manifest): Restriction => ({
  name,
  isKept,
  beside: [{ apiVersion: "traefik.io/v1alpha1", kind: "Middleware", metadata: meta(name), spec }],
  route: name,
});

const traefik: PeerRules = {
  isText: true,
  restrictions: [
    middleware("basic", false, { basicAuth: { secret: "users" } }),
    middleware("digest", false, { digestAuth: { secret: "users" } }),
    middleware("forward", false, { forwardAuth: { address: "http://auth/verify" } }),
    middleware("office", true, { ipAllowList: { sourceRange: ["192.0.2.0/24"] } }),
    middleware("plugin", false, { plugin: { waf: { mode: "block" } } }),
    middleware("unknown", false, { newAuth: { secret: "users" } }),
    { name: "missing", isKept: false, beside: [], route: "missing" },
    { name: "file", isKept: false, beside: [], route: "auth@file" },
  ],
  manifests: (paths) => [
    {
      apiVersion: "traefik.io/v1alpha1",
      kind: "IngressRoute",
      metadata: meta("all"),
      spec: {
        entryPoints: ["web"],
        routes: paths.map(([path, restriction], i) => ({
          kind: "Rule",
          match: `Host(\`${host}\`) && PathPrefix(\`${path}\`)`,
          services: [{ name: `s${i}`, port: 80 }],
          ...(restriction ? { middlewares: [{ name: restriction.route }] } : {}),
        })),
      },
    },
    ...paths.flatMap(([, restriction]) => restriction?.beside ?? []),
  ],
};

const plugin = (name: string, isKept: boolean, config: Manifest): Restriction => ({
  name,
  isKept,
  beside: [
    {
      apiVersion: "configuration.konghq.com/v1",
      kind: "KongPlugin",
      metadata: meta(name),
      plugin: name,
      config,
    },
  ],
  route: { "konghq.com/plugins": name },
});

const kong: PeerRules = {
  restrictions: [
    plugin("key-auth", false, { key_names: ["k"] }),
    plugin("ip-restriction", true, { allow: ["192.0.2.0/24"] }),
    plugin("acl", false, { allow: ["staff"] }),
    plugin("my-own-plugin", false, {}),
    { name: "missing", isKept: false, beside: [], route: { "konghq.com/plugins": "missing" } },
    { name: "snis", isKept: false, beside: [], route: { "konghq.com/snis": "a.example.com" } },
    { name: "unknown", isKept: false, beside: [], route: { "konghq.com/only-for": "staff" } },
  ],
  manifests: (paths) => [
    ...annotated("", "kong", {}).manifests(paths),
    ...paths.flatMap(([, restriction]) => restriction?.beside ?? []),
  ],
};

const gloo: PeerRules = {
  isText: true,
  restrictions: [
    "extauth",
    "jwt",
    "rbac",
    "waf",
    "csrf",
    "ratelimit",
    "stagedTransformations",
    "newGuard",
  ].map((name) => ({
    name,
    isKept: false,
    beside: [],
    route: { [name]: { some: "value" } },
  })),
  manifests: (paths) => [
    {
      apiVersion: "gateway.solo.io/v1",
      kind: "VirtualService",
      metadata: meta("all"),
      spec: {
        virtualHost: {
          domains: [host],
          routes: [...paths]
            .sort(([a], [b]) => b.length - a.length)
            .map(([path, restriction], i) => ({
              matchers: [{ prefix: path }],
              routeAction: { single: { kube: { ref: { name: `s${i}`, namespace: "shop" }, port: 80 } } },
              ...(restriction ? { options: restriction.route } : {}),
            })),
        },
      },
    },
  ],
};

const emissary: PeerRules = {
  isText: true,
  restrictions: [
    { name: "unknown", isKept: false, beside: [], route: { only_for: "staff" } },
    { name: "modules", isKept: false, beside: [], route: { modules: [{ name: "guard" }] } },
    { name: "override", isKept: false, beside: [], route: { envoy_override: { a: 1 } } },
    {
      name: "FilterPolicy",
      isKept: false,
      beside: [
        {
          apiVersion: "getambassador.io/v3alpha1",
          kind: "FilterPolicy",
          metadata: meta("guard"),
          spec: { rules: [{ host: "*", path: "*", filters: [{ name: "jwt" }] }] },
        },
      ],
      route: {},
    },
    {
      name: "AuthService without TLS",
      isKept: false,
      beside: [
        {
          apiVersion: "getambassador.io/v3alpha1",
          kind: "AuthService",
          metadata: meta("auth"),
          spec: { auth_service: "auth:3000", proto: "http" },
        },
      ],
      route: {},
    },
  ],
  manifests: (paths) => [
    ...paths.map(([path, restriction], i) => ({
      apiVersion: "getambassador.io/v3alpha1",
      kind: "Mapping",
      metadata: meta(`m${i}`),
      spec: { hostname: host, prefix: path, service: `s${i}`, ...((restriction?.route ?? {}) as Manifest) },
    })),
    ...besides(paths),
  ],
};

/** Each object beside the routes, once. */
const besides = (paths: readonly (readonly [string, Restriction | undefined])[]): Manifest[] => [
  ...new Set(paths.flatMap(([, restriction]) => restriction?.beside ?? [])),
];

const istioPolicy = (kind: string, spec: Manifest): Restriction => ({
  name: kind,
  isKept: false,
  beside: [
    {
      apiVersion: `${kind === "EnvoyFilter" ? "networking" : kind === "WasmPlugin" ? "extensions" : "security"}.istio.io/v1`,
      kind,
      metadata: { name: "guard", namespace: "istio-system" },
      spec,
    },
  ],
  route: {},
});

const istio: PeerRules = {
  isText: true,
  restrictions: [
    { name: "unknown", isKept: false, beside: [], route: { onlyFor: "staff" } },
    istioPolicy("AuthorizationPolicy", { action: "DENY", rules: [{}] }),
    istioPolicy("RequestAuthentication", { jwtRules: [{ issuer: "https://issuer.example.com" }] }),
    istioPolicy("WasmPlugin", { url: "oci://guard" }),
  ],
  manifests: (paths) => [
    {
      apiVersion: "networking.istio.io/v1",
      kind: "Gateway",
      metadata: { name: "edge", namespace: "istio-system" },
      spec: { servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }] },
    },
    {
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: meta("all"),
      spec: {
        hosts: [host],
        gateways: ["istio-system/edge"],
        http: [...paths]
          .sort(([a], [b]) => b.length - a.length)
          .map(([path, restriction], i) => ({
            match: [{ uri: { prefix: path } }],
            route: [{ destination: { host: `s${i}`, port: { number: 80 } } }],
            ...((restriction?.route ?? {}) as Manifest),
          })),
      },
    },
    ...besides(paths),
  ],
};

const ingressRoute: PeerRules = {
  isText: true,
  restrictions: ["authPolicy", "ipAllowPolicy", "jwtVerificationPolicy", "onlyFor"].map((name) => ({
    name,
    isKept: false,
    beside: [],
    route: { [name]: { some: "value" } },
  })),
  manifests: (paths) => [
    {
      apiVersion: "contour.heptio.com/v1beta1",
      kind: "IngressRoute",
      metadata: meta("all"),
      spec: {
        virtualhost: { fqdn: host },
        routes: paths.map(([path, restriction], i) => ({
          match: path,
          services: [{ name: `s${i}`, port: 80 }],
          ...((restriction?.route ?? {}) as Manifest),
        })),
      },
    },
  ],
};

const voyager: PeerRules = {
  isText: true,
  restrictions: [
    { name: "rules", isKept: false, beside: [], route: { backendRules: ["block unless office"] } },
    { name: "unknown", isKept: false, beside: [], route: { onlyFor: "staff" } },
  ],
  manifests: (paths) => [
    {
      apiVersion: "voyager.appscode.com/v1beta1",
      kind: "Ingress",
      metadata: meta("all"),
      spec: {
        rules: [
          {
            host,
            http: {
              paths: paths.map(([path, restriction], i) => ({
                path,
                backend: {
                  serviceName: `s${i}`,
                  servicePort: 80,
                  ...((restriction?.route ?? {}) as Manifest),
                },
              })),
            },
          },
        ],
      },
    },
  ],
};

/** The peers whose objects can restrict single paths. */
export const restrictedPeers: Readonly<Record<string, PeerRules>> = {
  nginx,
  traefik,
  kong,
  gloo,
  emissary,
  istio,
  ingressRoute,
  voyager,
};
