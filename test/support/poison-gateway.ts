import { type Manifest, service } from "./backend.js";
import { gatewayRoute } from "./gateway.js";
import { base, each, host, lines, type Poison, tenant, web, wide } from "./poison.js";
import { badRegexes } from "./poison-routes.js";

export const route = (kind: string, spec: Manifest, section?: string): Manifest => ({
  ...gatewayRoute(kind, "poison", spec, section),
  metadata: { namespace: tenant, name: "poison" },
});
const routed = (kind: string, spec: Manifest): readonly Manifest[] => [
  ...base,
  route(kind, { hostnames: [host], ...spec }),
];
export const httpRule = (rule: Manifest): readonly Manifest[] =>
  routed("HTTPRoute", { rules: [{ backendRefs: web, ...rule }] });
const grpcRule = (rule: Manifest): readonly Manifest[] =>
  routed("GRPCRoute", { rules: [{ backendRefs: web, ...rule }] });
const filtered = (filter: Manifest, matches: readonly Manifest[] = []): readonly Manifest[] =>
  httpRule({ filters: [filter], ...(matches.length > 0 ? { matches } : {}) });
/** A Service whose port is not TCP. */
export const udp: Manifest = {
  ...service(tenant, "udp"),
  spec: { ports: [{ name: "dns", port: 53, protocol: "UDP" }] },
};
export const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

export const evil = ["", ...lines, "\u007f", "\u0001", "\u0085", "\u2028", "é", "x", "x".repeat(1024), wide];
const paths = [
  ...[
    "no-slash",
    "/a b",
    "/a?b=c",
    "/a#b",
    "//evil.test",
    "/a//b",
    "//",
    "/",
    "/..",
    "/../x",
    "/x/..",
    "/.;x",
  ],
  ...["/%2f", "/%2F..", "/%00", "/%zz", "/{", "/{}", "/a/", "/a//", "/*", "/é", "/\\1", "/\\", "/%", "/x"],
  ...[`/${"x".repeat(1023)}`, `/${"é".repeat(512)}`, `/${"/".repeat(1000)}`, "https://evil.test/"],
  ...evil.map((text) => `/${text}`),
  ...evil,
];
const regexes = [
  ...badRegexes,
  ...[
    "",
    "^",
    "$",
    "^*",
    "**",
    "|",
    "a|b",
    "\\Q",
    "\\",
    "(?i)a",
    "^/a",
    "(",
    ")",
    "a)|(b",
    "/.*\\1",
    "\\d{1000}",
  ],
  ...[
    "x".repeat(1024),
    "x".repeat(4096),
    "(?:a|b){1000}",
    "a{1000}".repeat(100),
    "[^a]{1000}",
    "é+",
    "[é-ü]",
  ],
];
const names = [
  ...["host", "Host", ":path", ":authority", ":status", "content-length", "connection", "transfer-encoding"],
  ...[
    "upgrade",
    "te",
    "trailer",
    "keep-alive",
    "proxy-connection",
    "x-envoy-original-path",
    "x-forwarded-for",
  ],
  ...[
    "x-envoy-upstream-rq-timeout-ms",
    "x-request-id",
    "x_under",
    "!#$%&'*+-.^_`|~",
    "X".repeat(256),
    "__proto__",
  ],
  ...evil,
];
const values = [
  ...evil,
  ...[
    "x".repeat(4096),
    "%".repeat(4096),
    "é".repeat(4096),
    "x".repeat(8193),
    "x".repeat(16_384),
    " ",
    "a\u000bb",
  ],
  ...["100%", "%NOPE%", "%FILE_CONTENT(/etc/hostname)%", "%ENVIRONMENT(XDS_TOKEN)%", "%REQ(authorization)%"],
  ...["%REQ(", "%%", "%START_TIME(%s)%", "%DYNAMIC_METADATA(a:b)%", "%CONTOUR_NAMESPACE%", "%HOSTNAME%"],
];
const durations = [
  "0s",
  "1ms",
  "99999h",
  "99999h99999h99999h99999h",
  "-1s",
  "5",
  "1e9s",
  "infinity",
  "1us",
  "",
];
export const hostnames = [
  ...["*", "*.com", "*.x", "*.*.x", "a.*.x", "*.", "", ".", "a..b", "-a.test", "a-.test", "a b.test", "a:80"],
  ...[
    "1.2.3.4",
    "127.0.0.1",
    "::1",
    "[::1]",
    "localhost",
    "x",
    "UPPER.test",
    "dot.test.",
    "bücher.test",
    "a_b.test",
  ],
  ...["a".repeat(63), "a".repeat(64), `${"a.".repeat(126)}x`, `*.${"a.".repeat(125)}x`, "a".repeat(253)],
  ...["a".repeat(254), "__proto__", "constructor", "xn--zz", "a.test\0", "a\r\nb.test", "a/b", "a\\b"],
];

const matched = (matches: readonly Manifest[]): readonly Manifest[] => httpRule({ matches });
const byHeader = (match: Manifest): readonly Manifest[] => matched([{ headers: [match] }]);
const byQuery = (match: Manifest): readonly Manifest[] => matched([{ queryParams: [match] }]);

export const matches: readonly Poison[] = [
  ...["Exact", "PathPrefix"].flatMap((type) =>
    each(`path ${type}`, paths, (value) => matched([{ path: { type, value } }])),
  ),
  ...each("path regex", regexes, (value) => matched([{ path: { type: "RegularExpression", value } }])),
  ...each("header name", names, (name) => byHeader({ name, value: "a" })),
  ...each("header value", values, (value) => byHeader({ name: "x-a", value })),
  ...each("header regex", regexes, (value) =>
    byHeader({ type: "RegularExpression", name: "x-a", value: value || "^" }),
  ),
  ...each("query name", names, (name) => byQuery({ name, value: "a" })),
  ...each("query value", values, (value) => byQuery({ name: "q", value })),
  ...each("query regex", regexes, (value) => byQuery({ type: "RegularExpression", name: "q", value })),
  ...each("method", ["CONNECT", "TRACE", "get", "", "X"], (method) => matched([{ method }])),
  ...["Exact", "RegularExpression"].flatMap((type) => [
    ...each(`gRPC service ${type}`, [...regexes, ...paths], (name) =>
      grpcRule({
        matches: [{ method: { type, service: name, method: "m" } }, { method: { type, service: name } }],
      }),
    ),
    ...each(`gRPC method ${type}`, [...regexes, ...paths], (method) =>
      grpcRule({ matches: [{ method: { type, service: "s", method } }, { method: { type, method } }] }),
    ),
  ]),
  ...each("gRPC header", names, (name) => grpcRule({ matches: [{ headers: [{ name, value: "a" }] }] })),
  {
    name: "16 rules of 64 matches with 16 headers and parameters",
    objects: routed("HTTPRoute", {
      rules: many(16, (r) => ({
        backendRefs: web,
        matches: many(64, (m) => ({
          path: { value: `/${r}/${m}` },
          headers: many(16, (i) => ({ name: `x-${i}`, value: "v" })),
          queryParams: many(16, (i) => ({ name: `q${i}`, value: "v" })),
        })),
      })),
    }),
  },
];

const modifiers = ["request", "response"].flatMap((kind) => {
  const field = `${kind}HeaderModifier`;
  const type = kind === "request" ? "RequestHeaderModifier" : "ResponseHeaderModifier";
  const on = (fields: Manifest): readonly Manifest[] => [
    ...base,
    route("HTTPRoute", {
      hostnames: [host],
      rules: [
        { backendRefs: web, filters: [{ type, [field]: fields }] },
        {
          matches: [{ path: { value: "/backend" } }],
          backendRefs: web.map((one) => ({ ...one, filters: [{ type, [field]: fields }] })),
        },
      ],
    }),
  ];
  return [
    ...each(`${kind} header set`, names, (name) => on({ set: [{ name, value: "a" }] })),
    ...each(`${kind} header added`, names, (name) => on({ add: [{ name, value: "a" }] })),
    ...each(`${kind} header removed`, names, (name) => on({ remove: [name] })),
    ...each(`${kind} header value`, values, (value) =>
      on({ set: [{ name: "x-a", value }], add: [{ name: "x-b", value }] }),
    ),
    ...each(`${kind} Host`, values, (value) => on({ set: [{ name: "host", value }] })),
  ];
});

const modifier = (type: string, value: string): Manifest =>
  type === "ReplaceFullPath" ? { type, replaceFullPath: value } : { type, replacePrefixMatch: value };
const beside: readonly Manifest[] = [
  { path: { type: "Exact", value: "/x" } },
  { path: { type: "PathPrefix", value: "/p.+(" } },
  { path: { type: "PathPrefix", value: `/${"(".repeat(1000)}` } },
  { path: { type: "PathPrefix", value: "/" } },
  { path: { type: "RegularExpression", value: "/r(.*)" } },
];
const replacements = [...paths, "\\0", "\\1\\2\\9", "\\", "/a\\", "/?q", "/%REQ(x)%"];

export const filters: readonly Poison[] = [
  ...modifiers,
  ...["ReplaceFullPath", "ReplacePrefixMatch"].flatMap((type) => [
    ...each(`rewrite ${type}`, replacements, (value) =>
      filtered({ type: "URLRewrite", urlRewrite: { path: modifier(type, value) } }, beside),
    ),
    ...each(`redirect ${type}`, replacements, (value) =>
      filtered({ type: "RequestRedirect", requestRedirect: { path: modifier(type, value) } }, beside),
    ),
  ]),
  ...each("rewrite host", hostnames, (hostname) =>
    filtered({ type: "URLRewrite", urlRewrite: { hostname } }),
  ),
  ...each("redirect host", hostnames, (hostname) =>
    filtered({ type: "RequestRedirect", requestRedirect: { hostname, scheme: "https", port: 65535 } }),
  ),
  ...each("filter type", ["", "CORS", "ExtensionRef", "URLRewrite", "__proto__", ...lines], (type) =>
    filtered({ type }),
  ),
  ...[{ percent: 0 }, { percent: 100 }, { fraction: { numerator: 1, denominator: 3 } }].flatMap((share) =>
    [{ name: "web", port: 80 }, { name: "udp", port: 53 }, { name: "nobody", port: 80 }, { name: "web" }].map(
      (backendRef): Poison => ({
        name: `mirror ${JSON.stringify({ ...share, backendRef })}`,
        objects: [...filtered({ type: "RequestMirror", requestMirror: { backendRef, ...share } }), udp],
      }),
    ),
  ),
  ...[1e9, Number.MAX_SAFE_INTEGER].map(
    (numerator): Poison => ({
      name: `mirror of ${numerator}`,
      objects: filtered({
        type: "RequestMirror",
        requestMirror: { backendRef: web[0], fraction: { numerator, denominator: 1 } },
      }),
    }),
  ),
  {
    name: "16 mirrors and 16 backends of all headers",
    objects: httpRule({
      filters: many(16, () => ({ type: "RequestMirror", requestMirror: { backendRef: web[0] } })),
      backendRefs: many(16, () => ({
        ...web[0],
        filters: [
          {
            type: "ResponseHeaderModifier",
            responseHeaderModifier: { set: many(16, (i) => ({ name: `x-${i}`, value: "%".repeat(4096) })) },
          },
        ],
      })),
    }),
  },
  ...each("timeout", durations, (request) => httpRule({ timeouts: { request } })),
  ...each("timeout of a backend", durations, (backendRequest) =>
    httpRule({ timeouts: { request: "0s", backendRequest } }),
  ),
];
