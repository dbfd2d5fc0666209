import { httpProxy, ingressRoute, type Manifest } from "./backend.js";
import { backendRefs, gatewayRoute } from "./gateway.js";

/** A request, and its result: the Service with the path that it receives, or the path of the `Location`. */
export interface RewriteProbe {
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly to: string;
}

const to = (name: string): readonly Manifest[] => [{ name, port: 80 }];
const onHeader = (name: string): Manifest => ({ header: { name, present: true } });
const replaced = (...entries: readonly Manifest[]): Manifest => ({
  pathRewritePolicy: { replacePrefix: entries },
});

/** A route of an HTTPProxy to `b`; without rewrite if `replacement` has no leading slash. */
const route = (prefix: string, replacement: string, ...more: readonly Manifest[]): Manifest => ({
  conditions: [{ prefix }, ...more],
  services: to("b"),
  ...(replacement ? replaced({ replacement }) : {}),
});

/** Prefix, replacement, path and resulting path; `-` if another route without rewrite matches. */
export const rewriteTable: readonly (readonly [string, string, string, string])[] = [
  ["/old", "/new", "/old", "/new"],
  ["/old", "/new", "/old/", "/new/"],
  ["/old", "/new", "/old/x?q=/old", "/new/x?q=/old"],
  ["/old", "/new", "/oldx", "/newx"],
  ["/old", "/new", "/old../x", "/new../x"],
  ["/old", "/new", "/old//x", "/new/x"],
  ["/old", "/new/", "/old", "/new"],
  ["/old", "/new/", "/oldx", "/newx"],
  ["/old", "/new/", "/old/old/x", "/new/old/x"],
  ["/old", "//a/.././new/.", "/old./x", "/new./x"],
  ["/old", "/", "/old", "/"],
  ["/old", "/", "/old?q", "/?q"],
  ["/old", "/", "/old/", "/"],
  ["/old", "/", "/old/x/", "/x/"],
  ["/old", "/", "/old//x", "/x"],
  ["/old", "/", "/oldx", "/x"],
  ["/old", "/", "/old/old/x", "/old/x"],
  ["/old", "/", "/old.x", "/.x"],
  ["/old", "/", "/old/.well-known/..x", "/.well-known/..x"],
  ["/old", "/", "/old...", "/..."],
  ["/old", "/", "/old../admin", "/old../admin"],
  ["/old", "/", "/old%2e%2e/admin", "/old../admin"],
  ["/old", "/", "/old..%2fadmin", "/old..%2fadmin"],
  ["/old", "/", "/old..;a/admin", "/old..;a/admin"],
  ["/old", "/", "/old..", "/old.."],
  ["/old", "/", "/old.", "/old."],
  ["/old", "/", "/old./admin", "/old./admin"],
  ["/old", "/", "/old/../admin", "-"],
  ["/o.d+", "/", "/o.d+/x", "/x"],
  ["/o.d+", "/", "/oxdd/x", "-"],
  ["/old/", "/new/", "/old/x", "/new/x"],
  ["/old/", "/new/", "/old/", "/new/"],
  ["/old/", "/new/", "/old", "/new"],
  ["/old/", "/new/", "/old?q", "/new?q"],
  ["/old/", "/new/", "/oldx", "-"],
  ["/old/", "/new/", "/old../x", "-"],
  ["/old/", "/new", "/old/x", "/new/x"],
  ["/old/", "/new", "/old", "/new"],
  ["/old/", "/", "/old/x", "/x"],
  ["/old/", "/", "/old//x", "/x"],
  ["/old/", "/", "/old/", "/"],
  ["/old/", "/", "/old", "/"],
  ["/old/", "/", "/old../admin", "-"],
  ["/old/", "/", "/oldx", "-"],
  ["/", "/new", "/x", "/new/x"],
  ["/", "/new/", "/", "/new/"],
  ["/", "/", "/x//y", "/x/y"],
];

const pairs = [...new Map(rewriteTable.map(([prefix, by]) => [`${prefix} ${by}`, { prefix, by }])).values()];
const hostOf = (kind: string, prefix: string, by: string): string =>
  `${kind}${pairs.findIndex((pair) => pair.prefix === prefix && pair.by === by)}.test`;

/** The table as HTTPProxies, IngressRoutes, included children and redirects, each with a plain route to `a`. */
function tableObjects({ prefix, by }: (typeof pairs)[number]): Manifest[] {
  const name = (kind: string): string => hostOf(kind, prefix, by).replaceAll(".", "-");
  const virtualhost = (kind: string): Manifest => ({ virtualhost: { fqdn: hostOf(kind, prefix, by) } });
  const plain = prefix === "/" ? [] : [{ services: to("a") }];
  return [
    httpProxy("default", name("proxy"), {
      ...virtualhost("proxy"),
      routes: [...plain, route(prefix, by)],
    }),
    ingressRoute("default", name("route"), {
      ...virtualhost("route"),
      routes: [
        ...(prefix === "/" ? [] : [{ match: "/", services: to("a") }]),
        { match: prefix, prefixRewrite: by, services: to("b") },
      ],
    }),
    httpProxy("default", name("include"), {
      ...virtualhost("include"),
      includes: [{ name: name("child"), conditions: [{ prefix }] }],
      routes: plain,
    }),
    httpProxy("default", name("child"), {
      routes: [
        {
          services: to("b"),
          ...replaced({ prefix: "/no", replacement: "/no" }, { prefix, replacement: by }),
        },
      ],
    }),
    httpProxy("default", name("redirect"), {
      ...virtualhost("redirect"),
      routes: [...plain, { conditions: [{ prefix }], requestRedirectPolicy: { prefix: by } }],
    }),
  ];
}

const tableProbes = rewriteTable.flatMap(([prefix, by, path, expected]): RewriteProbe[] => {
  // The path that Envoy normalizes before it selects a route.
  const kept = path.replaceAll("//", "/").replace("/old/../", "/");
  const answer = expected === "-" ? `a ${kept}` : `b ${expected}`;
  const redirect = expected === "-" ? `a ${kept}` : expected;
  return [
    ...["proxy", "route", "include"].map((kind) => ({ host: hostOf(kind, prefix, by), path, to: answer })),
    { host: hostOf("redirect", prefix, by), path, to: redirect },
  ];
});

const beside = httpProxy("default", "beside", {
  virtualhost: { fqdn: "beside.test" },
  includes: [{ name: "beside-child", conditions: [{ prefix: "/v1" }, onHeader("x-v")] }],
  routes: [
    { services: to("a") },
    // A canary with the prefix of a rewritten route.
    route("/api", "/"),
    { conditions: [{ prefix: "/api" }, onHeader("x-canary")], services: to("a") },
    // The same prefix rewritten in two ways, and by a query.
    route("/two", "/one"),
    route("/two", "/", onHeader("x-two")),
    route("/two", "/query/", { queryParameter: { name: "q", present: true } }),
    // A prefix with a final slash, and its path without the slash.
    route("/docs/", "/documents/"),
    route("/docs/", "/canary", onHeader("x-canary")),
    { conditions: [{ prefix: "/docs" }, onHeader("x-plain")], services: to("a") },
    route("/both/", "/slashed/"),
    route("/both", "/plain"),
    route("/exact/", "/prefix/"),
    { conditions: [{ exact: "/exact" }], services: to("a") },
    route("/part/", "/whole/", onHeader("x-part")),
    { conditions: [{ regex: "/reg[a-z]x" }], services: to("a") },
    route("/regex/", "/prefix/"),
    // Among two routes with one match the last one is served, including its path without the slash.
    { ...route("/twice/", "/lost/"), services: to("a") },
    route("/twice/", "/kept/"),
    // A longer prefix below a rewritten one.
    { conditions: [{ prefix: "/api/long" }], services: to("a") },
  ],
});

const besideChild = httpProxy("default", "beside-child", {
  routes: [
    {
      ...route("/in/", ""),
      ...replaced({ replacement: "/other" }, { prefix: "/v1/in/", replacement: "/" }),
    },
  ],
});

const wild = httpProxy("default", "wild", {
  virtualhost: { fqdn: "*.wild.test" },
  routes: [route("/w/", "/")],
});

const unlike = (name: string): Readonly<Record<string, string>> => ({ [name]: "1" });
const at = (path: string, expected: string, headers = {}): RewriteProbe => ({
  host: "beside.test",
  path,
  headers,
  to: expected,
});

const besideProbes: readonly RewriteProbe[] = [
  at("/api/x", "b /x"),
  at("/api", "b /"),
  at("/api/x", "a /api/x", unlike("x-canary")),
  at("/api/long/x", "a /api/long/x"),
  at("/two/x", "b /one/x"),
  at("/two/x", "b /x", unlike("x-two")),
  at("/two", "b /", unlike("x-two")),
  at("/two/x?q=1", "b /query/x?q=1"),
  at("/two/x?q=1", "b /x?q=1", unlike("x-two")),
  at("/docs/x", "b /documents/x"),
  at("/docs", "b /documents"),
  at("/docs", "b /canary", unlike("x-canary")),
  at("/docs/x", "b /canary/x", unlike("x-canary")),
  at("/docs", "a /docs", unlike("x-plain")),
  at("/docs/x", "b /documents/x", unlike("x-plain")),
  at("/docsx", "a /docsx"),
  at("/both", "b /plain"),
  at("/both/", "b /slashed/"),
  at("/bothx", "b /plainx"),
  at("/exact", "a /exact"),
  at("/exact/", "b /prefix/"),
  at("/part", "a /part"),
  at("/part", "b /whole", unlike("x-part")),
  at("/part/x", "a /part/x"),
  at("/regex", "a /regex"),
  at("/regex/", "b /prefix/"),
  at("/twice/x", "b /kept/x"),
  at("/twice", "b /kept"),
  at("/v1/in/x", "b /x", unlike("x-v")),
  at("/v1/in", "b /", unlike("x-v")),
  at("/v1/in/x", "a /v1/in/x"),
  at("/v1/in", "a /v1/in"),
  { host: "a.wild.test", path: "/w/x", to: "b /x" },
  { host: "a.wild.test", path: "/w", to: "b /" },
  { host: "a.b.wild.test", path: "/w", to: "404" },
];

export const rewriteObjects: readonly Manifest[] = [
  ...pairs.flatMap(tableObjects),
  beside,
  besideChild,
  wild,
];
export const rewriteProbes: readonly RewriteProbe[] = [...tableProbes, ...besideProbes];

/** Prefix, replacement, path and resulting path for an HTTPRoute, whose prefixes are whole segments. */
const segmentTable: typeof rewriteTable = [
  ["/old", "/new", "/old", "/new"],
  ["/old", "/new/", "/old/x?q", "/new/x?q"],
  ["/old/", "/new", "/old", "/new"],
  ["/old/", "/new", "/old/", "/new/"],
  ["/old", "/new", "/oldx", "-"],
  ["/old", "/", "/old../admin", "-"],
  ["/old/", "/", "/old/x", "/x"],
  ["/old/", "", "/old//x", "/x"],
  ["/old", "/", "/old", "/"],
  ["/old", "/", "/old/", "/"],
  ["/", "/new", "/x", "/new/x"],
];

const gatewayHost = (i: number, kind: string): string => `${kind}${i}.gateway.test`;

/** The segments as HTTPRoutes with a rewrite and with a redirect. */
export const gatewayRewriteObjects: readonly Manifest[] = segmentTable.flatMap(([value, by], i) => {
  const path = { type: "ReplacePrefixMatch", replacePrefixMatch: by };
  const rule = (filters: readonly Manifest[], backend?: string): Manifest => ({
    matches: [{ path: { type: "PathPrefix", value } }],
    filters,
    ...(backend ? { backendRefs: backendRefs(backend) } : {}),
  });
  const plain = value === "/" ? [] : [{ backendRefs: backendRefs("a") }];
  return [
    gatewayRoute("HTTPRoute", `rewrite-${i}`, {
      hostnames: [gatewayHost(i, "rewrite")],
      rules: [...plain, rule([{ type: "URLRewrite", urlRewrite: { path } }], "b")],
    }),
    gatewayRoute("HTTPRoute", `redirect-${i}`, {
      hostnames: [gatewayHost(i, "redirect")],
      rules: [...plain, rule([{ type: "RequestRedirect", requestRedirect: { path } }])],
    }),
  ];
});

export const gatewayRewriteProbes: readonly RewriteProbe[] = segmentTable.flatMap(
  ([, , path, expected], i): RewriteProbe[] => [
    { host: gatewayHost(i, "rewrite"), path, to: expected === "-" ? `a ${path}` : `b ${expected}` },
    { host: gatewayHost(i, "redirect"), path, to: expected === "-" ? `a ${path}` : expected },
  ],
);
