import { expect, test } from "vitest";
import { readRequest, seenRequest } from "../../src/explain/request.js";
import type { RouteOrigin } from "../../src/graph/core/route-origins.js";
import { parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { hostProxy, httpProxy, type Manifest, tlsSecret } from "../support/backend.js";
import { explainer } from "../support/explain.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";
import { freePort, request } from "../support/http.js";
import { type Rig, type RigOptions, startRig } from "../support/isoline.js";

const services = [{ name: "a", port: 80 }];

/** Routes that tell in a header of the answer which one they are. */
const numbered = (routes: readonly Manifest[]): readonly Manifest[] =>
  routes.map((route, i) =>
    route.requestRedirectPolicy || route.directResponsePolicy
      ? route
      : {
          ...route,
          services: route.services ?? services,
          responseHeadersPolicy: { set: [{ name: "x-route", value: `spec.routes[${i}]` }] },
        },
  );

const header = (fields: Manifest): Manifest => ({ conditions: [{ prefix: "/h" }, { header: fields }] });
const query = (fields: Manifest): Manifest => ({
  conditions: [{ prefix: "/q" }, { queryParameter: fields }],
});

const matching = httpProxy("default", "matching", {
  virtualhost: { fqdn: "match.test" },
  routes: numbered([
    { conditions: [{ prefix: "/" }] },
    { conditions: [{ prefix: "/api" }] },
    { conditions: [{ exact: "/api/exact" }] },
    { conditions: [{ regex: "/api/v[0-9]+" }] },
    { conditions: [{ prefix: "/A%20b" }] },
    header({ name: "X-Present", present: true }),
    header({ name: "X-Absent", notpresent: true }),
    header({ name: "X-Exact", exact: "Yes" }),
    header({ name: "X-Not", notexact: "no" }),
    header({ name: "X-Not-Empty", notexact: "no", treatMissingAsEmpty: true }),
    header({ name: "X-Contains", contains: "mid" }),
    header({ name: "X-Not-Contains", notcontains: "mid" }),
    header({ name: "X-Any-Case", exact: "yes", ignoreCase: true }),
    header({ name: "X-Regex", regex: "a|b+" }),
    header({ name: "Host", contains: "8080" }),
    query({ name: "exact", exact: "Yes" }),
    query({ name: "prefix", prefix: "ab", ignoreCase: true }),
    query({ name: "suffix", suffix: "yz" }),
    query({ name: "contains", contains: "m" }),
    query({ name: "regex", regex: "[0-9]{2}" }),
    query({ name: "present", present: true }),
    { conditions: [{ prefix: "/p" }, { header: { name: "X-Forwarded-Proto", exact: "https" } }] },
    {
      conditions: [{ prefix: "/rewrite" }],
      pathRewritePolicy: { replacePrefix: [{ replacement: "/to/" }] },
    },
    { conditions: [{ prefix: "/fixed" }], directResponsePolicy: { statusCode: 418, body: "no" } },
  ]),
});

const redirecting = httpProxy("default", "redirecting", {
  virtualhost: { fqdn: "redirect.test" },
  routes: [
    { conditions: [{ prefix: "/path" }], requestRedirectPolicy: { path: "/new" } },
    { conditions: [{ prefix: "/prefix" }], requestRedirectPolicy: { prefix: "/new", statusCode: 301 } },
    { conditions: [{ prefix: "/host" }], requestRedirectPolicy: { hostname: "other.test" } },
    { conditions: [{ prefix: "/scheme" }], requestRedirectPolicy: { scheme: "https" } },
    { conditions: [{ prefix: "/port" }], requestRedirectPolicy: { port: 8443, scheme: "https" } },
  ],
});

const secure = httpProxy("default", "secure", {
  virtualhost: { fqdn: "secure.test", tls: { secretName: "secure" } },
  routes: numbered([
    { conditions: [{ prefix: "/open" }], permitInsecure: true },
    { conditions: [{ prefix: "/" }] },
  ]),
});

const wild = httpProxy("default", "wild", {
  virtualhost: { fqdn: "*.wild.test" },
  routes: numbered([{ conditions: [{ prefix: "/" }] }]),
});

const paths = [
  "/",
  "//api",
  "/api",
  "/apis",
  "/api/",
  "/api/exact",
  "/api/exact/",
  "/api/exact?x=1",
  "/api/v1",
  "/api/v12/x",
  "/api/v1?x",
  "/x/../api/exact",
  "/x/%2e%2e/api/exact",
  "/api/./v7",
  "/api/%76%31",
  "/a%70i/exact",
  "/x%2fapi",
  "/api%2Fexact",
  "/\\api",
  "/A%20b/c",
  "/A%20B",
  "/API",
  "/rewrite",
  "/rewrite/",
  "/rewrite/x?y=z",
  "/rewritten",
  "/fixed/x",
  "/../..",
  "/q?exact=Yes",
  "/q?exact=yes",
  "/q?exact=%59es",
  "/q?exact=no&exact=Yes",
  "/q?prefix=ABc",
  "/q?suffix=xyz",
  "/q?suffix=xyZ",
  "/q?contains=omo",
  "/q?regex=12",
  "/q?regex=123",
  "/q?present",
  "/q?presents=1&=&",
  "/p",
];

const headerSets: readonly Record<string, string>[] = [
  { "x-present": "" },
  { "x-present": "1", "x-absent": "1" },
  { "x-present": "1", "x-absent": "1", "x-not-empty": "no" },
  { "x-absent": "1" },
  { "x-absent": "1", "x-exact": "Yes" },
  { "x-absent": "1", "x-exact": "yes" },
  { "x-absent": "1", "x-not": "yes" },
  { "x-absent": "1", "x-not": "no" },
  { "x-absent": "1", "x-not": "no", "x-not-empty": "no" },
  { "x-absent": "1", "x-not-empty": "no", "x-contains": "amidst" },
  { "x-absent": "1", "x-not-empty": "no", "x-not-contains": "amidst" },
  { "x-absent": "1", "x-not-empty": "no", "x-not-contains": "x" },
  { "x-absent": "1", "x-not-empty": "no", "x-any-case": "YES" },
  { "x-absent": "1", "x-not-empty": "no", "x-regex": "bbb" },
  { "x-absent": "1", "x-not-empty": "no", "x-regex": "ab" },
];

interface Probe {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The server name of the connection, when it is not the host. */
  readonly sni?: string;
  /** Where Envoy is asked, when not at the ports of the rig. */
  readonly port?: number;
  /** What explain is told of it. */
  readonly urlPort?: number;
}

const http = (host: string, path: string, headers = {}): Probe => ({ scheme: "http", host, path, headers });
const https = (host: string, path: string, sni = host): Probe => ({ scheme: "https", host, path, sni });

const probes: readonly Probe[] = [
  ...paths.map((path) => http("match.test", path)),
  ...headerSets.map((headers) => http("match.test", "/h", headers)),
  http("match.test", "/p", { "x-forwarded-proto": "https" }),
  http("match.test:8080", "/h", { "x-absent": "1", "x-not-empty": "no" }),
  http("MATCH.test:8080", "/api"),
  http("match.test.", "/api"),
  ...["/path/x?q=1", "/prefix/x?q=1", "/host/x", "/scheme", "/scheme/x", "/port", "/nothing"].flatMap(
    (path) => ["redirect.test", "redirect.test:80", "redirect.test:8080"].map((host) => http(host, path)),
  ),
  http("secure.test", "/open/x"),
  http("secure.test:80", "/closed?q"),
  http("secure.test:8080", "/closed"),
  https("secure.test", "/x"),
  https("Secure.test:8443", "/open", "secure.test"),
  https("secure.test.", "/x", "secure.test"),
  https("match.test", "/x", "secure.test"),
  https("match.test", "/x"),
  http("a.wild.test", "/"),
  http("A.wild.test", "/"),
  http("a.b.wild.test", "/"),
  http("wild.test", "/"),
  http(".wild.test", "/"),
  http("unknown.test", "/"),
];

/** What a probe came to: a status, or the backend and (where there are marks) the route and the rewritten path. */
type Outcome = Readonly<Record<string, unknown>> | "closed";

async function ask(
  rig: Rig,
  { scheme, host, path, headers = {}, sni = host, port }: Probe,
): Promise<Outcome> {
  const over = scheme === "http" ? { port: port ?? rig.httpPort } : { port: port ?? rig.httpsPort, sni };
  const answer = await request({ ...over, host, path, headers }).catch(() => undefined);
  if (!answer) return "closed";
  if (answer.status !== 200) return { status: answer.status, location: answer.headers.location };
  const { service, path: seen } = answer.echo();
  const route = answer.headers["x-route"];
  const isRewritten = seen.startsWith("/to") || answer.headers["x-rewritten"] !== undefined;
  return { service, ...(route ? { route } : {}), ...(isRewritten ? { path: seen } : {}) };
}

/** What a route that comes from somewhere says of itself; undefined: nothing. */
type Mark = ((origin: RouteOrigin) => string) | undefined;

function foretell(explain: ReturnType<typeof explainer>, mark: Mark, probe: Probe): Outcome {
  const { scheme, host, path, headers = {}, sni = host, urlPort } = probe;
  const lines = Object.entries({ ...headers, host }).map(([name, value]) => `${name}: ${value}`);
  const place = `${sni || "127.0.0.1"}${urlPort === undefined ? "" : `:${urlPort}`}`;
  const found = explain("GET", `${scheme}://${place}${path}`, lines);
  if (found.outcome === "closed") return "closed";
  if (found.outcome !== "forward" && found.outcome !== "tcp")
    return { status: found.status, location: found.location };
  const [plain = ""] = path.split("?");
  const { origin } = found.route ?? {};
  return {
    service: found.backends[0]?.cluster.split("/")[1],
    ...(mark && origin ? { route: mark(origin) } : {}),
    ...(found.path ? { path: found.path + path.slice(plain.length) } : {}),
  };
}

/** Asks Envoy and explain the same. Marked routes tell which they are. */
async function agree(probes: readonly Probe[], options: RigOptions, mark?: Mark): Promise<void> {
  const rig = await startRig(options);
  const objects = [...rig.backends.objects, ...options.objects].flatMap((manifest) => {
    const parsed = parseObject(manifest);
    return "object" in parsed ? [parsed.object] : [];
  });
  const { settings } = parseSettings({ allowLoopbackEndpoints: true, ...options.settings });
  const explain = explainer([...objects, settings]);
  const answers: unknown[] = [];
  for (const probe of probes) answers.push({ probe, outcome: await ask(rig, probe) });
  expect(probes.map((probe) => ({ probe, outcome: foretell(explain, mark, probe) }))).toEqual(answers);
}

test("explain says what Envoy does", async () => {
  const objects = [matching, redirecting, secure, wild, tlsSecret("default", "secure")];
  await agree(probes, { backends: ["a"], objects }, ({ field }) => field);
});

test("explain says what Envoy does with Ingresses, a host for all names, and other settings", async () => {
  const backend = (name: string): Manifest => ({ service: { name, port: { number: 80 } } });
  const ingress = {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { namespace: "default", name: "ingress" },
    spec: {
      defaultBackend: backend("b"),
      rules: [
        {
          host: "ingress.test",
          http: {
            paths: [
              { path: "/", pathType: "Prefix", backend: backend("a") },
              { path: "/b", pathType: "Prefix", backend: backend("b") },
              { path: "/b/exact", pathType: "Exact", backend: backend("a") },
              { path: "/v[0-9]+", pathType: "ImplementationSpecific", backend: backend("b") },
            ],
          },
        },
      ],
    },
  };
  const opted = httpProxy("default", "opted", {
    virtualhost: { fqdn: "opted.test", tls: { secretName: "secure", enableFallbackCertificate: true } },
    routes: [{ services }],
  });
  const out = httpProxy("default", "out", {
    virtualhost: { fqdn: "out.test", tls: { secretName: "secure" } },
    routes: [{ services }],
  });
  const paths = ["/", "/b", "/bx", "/b/", "/b/x", "/b/exact", "//b", "/v1", "/v1/x"];
  const asked: readonly Probe[] = [
    ...paths.map((path) => http("ingress.test", path)),
    http("any.test", "/"),
    http("ingress.test.", "/"),
    https("opted.test", "/"),
    https("opted.test", "/", ""),
    https("opted.test", "/", "unknown.test"),
    https("out.test", "/"),
    https("out.test.", "/", "out.test"),
    https("out.test", "/", ""),
    https("out.test", "/", "opted.test"),
  ];
  const objects = [ingress, opted, out, tlsSecret("default", "secure")];
  const settings = {
    disableMergeSlashes: true,
    stripTrailingHostDot: true,
    tls: { fallbackCertificate: { namespace: "default", name: "secure" } },
  };
  await agree(asked, { backends: ["a", "b"], objects, settings });
});

/** An HTTPRoute whose rules tell in a header of the answer which ones they are. */
function markedRoute(
  name: string,
  hostnames: readonly string[],
  rules: readonly Manifest[],
  section?: string,
) {
  const marked = rules.map(({ filters = [], ...rule }, i) => {
    const mark = { name: "x-route", value: `HTTPRoute/default/${name} spec.rules[${i}]` };
    const set = [mark, ...(rule.rewrites ? [{ name: "x-rewritten", value: "yes" }] : [])];
    const header = { type: "ResponseHeaderModifier", responseHeaderModifier: { set } };
    return { backendRefs: backendRefs("a"), ...rule, filters: [...(filters as Manifest[]), header] };
  });
  return gatewayRoute("HTTPRoute", name, { hostnames, rules: marked }, section);
}

/** A rule whose filter puts something in the place of the path. */
function pathRule(
  type: "URLRewrite" | "RequestRedirect",
  path: string,
  to: Manifest,
  more: Manifest = {},
): Manifest {
  const field = type === "URLRewrite" ? "urlRewrite" : "requestRedirect";
  return {
    matches: [{ path: { type: "PathPrefix", value: path } }],
    filters: [{ type, [field]: { path: to, ...more } }],
    rewrites: type === "URLRewrite",
  };
}

/** Ports of Envoy, lowest first; none of them is the Gateway's port for another. */
async function portsOf(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = await freePort();
    if (!found.has(port - 8000) && !found.has(port + 8000)) found.add(port);
  }
  return [...found].sort((a, b) => a - b);
}

test("explain says what Envoy does with a Gateway of several ports", async () => {
  const [web = 0, late = 0, secure = 0, secureLate = 0, tcp = 0, closed = 0] = await portsOf(6);
  const tls = { tls: { certificateRefs: [{ name: "secure" }] } };
  const prefix = (to: string): Manifest => ({ type: "ReplacePrefixMatch", replacePrefixMatch: to });
  const whole = (to: string): Manifest => ({ type: "ReplaceFullPath", replaceFullPath: to });
  const objects = [
    tlsSecret("infra", "secure"),
    ...gateway(
      onPort(web, "web", "HTTP"),
      onPort(late, "late", "HTTP"),
      onPort(secure, "secure", "HTTPS", { hostname: "x.test", ...tls }),
      onPort(secureLate, "secure-late", "HTTPS", tls),
      onPort(secureLate, "ended", "TLS", { hostname: "ended.test", ...tls }),
      onPort(tcp, "tcp", "TCP"),
    ),
    markedRoute(
      "everywhere",
      ["x.test"],
      [
        {},
        { matches: [{ headers: [{ name: "x-canary", value: "yes" }] }], backendRefs: backendRefs("b") },
        { matches: [{ path: { type: "RegularExpression", value: "/v[0-9]+" } }] },
        { matches: [{ path: { type: "Exact", value: "/missing" } }], backendRefs: backendRefs("nobody") },
        pathRule("URLRewrite", "/strip", prefix("/")),
        pathRule("URLRewrite", "/s.rip", prefix("/")),
        pathRule("URLRewrite", "/prefix", prefix("/to")),
        pathRule("URLRewrite", "/whole", whole("/to\\1\\whole")),
        pathRule("RequestRedirect", "/moved", prefix("/"), { hostname: "new.test", statusCode: 301 }),
        pathRule("RequestRedirect", "/other", whole("/new"), { scheme: "https", port: 8443 }),
      ],
    ),
    markedRoute("late", ["late.test", "*.late.test"], [{ backendRefs: backendRefs("b") }], "late"),
    markedRoute("any", [], [{ backendRefs: backendRefs("b") }], "secure-late"),
    gatewayRoute("TLSRoute", "ended", {
      hostnames: ["ended.test"],
      rules: [{ backendRefs: backendRefs("b") }],
    }),
    gatewayRoute("TCPRoute", "tcp", { rules: [{ backendRefs: backendRefs("a") }] }, "tcp"),
  ];
  const at = (port: number, ...probes: readonly Probe[]): Probe[] =>
    probes.flatMap((probe) => [port, port - 8000].map((urlPort) => ({ ...probe, port, urlPort })));
  const paths = ["/", "/v1", "/v1/x", "/missing", "/strip", "/strip/", "/strip/x?q", "/strips", "/s.rip/x"];
  const more = ["/prefix", "/prefix/x", "/whole/x?q=1", "/moved", "/moved//x?q", "/other/x?q"];
  await agree(
    [
      { ...http("x.test", "/"), port: web },
      { ...https("x.test", "/"), port: secure },
      ...at(web, ...[...paths, ...more].map((path) => http("x.test", path))),
      ...at(web, http("x.test", "/", { "x-canary": "yes" }), http("late.test", "/"), https("x.test", "/")),
      ...at(
        late,
        ...paths.map((path) => ({ ...http("x.test:8080", path), sni: "x.test" })),
        http("late.test", "/"),
      ),
      ...at(late, http("a.late.test", "/"), http("a.b.late.test", "/"), http(".late.test", "/")),
      ...at(secure, https("x.test", "/strip/x"), https("x.test", "/moved"), https("y.test", "/")),
      ...at(secure, http("x.test", "/")),
      ...at(secureLate, https("x.test", "/"), https("y.test", "/"), https("y.test", "/", "x.test")),
      ...at(
        secureLate,
        https("y.test", "/", ""),
        https("ended.test", "/"),
        https("any.test", "/", "ended.test"),
      ),
      ...at(tcp, http("x.test", "/"), http("any.test", "/x")),
      ...at(closed, http("x.test", "/"), https("x.test", "/")),
    ],
    { backends: ["a", "b"], objects, settings: gatewaySettings },
    ({ ref, field }) => `${ref} ${field}`,
  );
});

const pieces = [
  ..."/ / / // . .. /.. /../ /./ /.; /..; \\..; ..; %2e; /.%2e; %2e %2E%2e %2F %5c \\ a api ; = & ~ + ".split(
    " ",
  ),
  ..."%41 %7e %zz % %2 %4 %20 %00 %01 %0a %7f %7F %3c %7B %5E %2d %5f %2a %C3%A9 %c3 %25 %3f ? ?x=/../ ??".split(
    " ",
  ),
  ..."} > | < \" { ^ ` ! * ' ( , : @ $ [ ]".split(" "),
];

/** The same in every run. */
function* randomPaths(count: number): Generator<string> {
  let seed = 7;
  const below = (limit: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % limit;
  };
  for (let i = 0; i < count; i++)
    yield `/${Array.from({ length: 1 + below(7) }, () => pieces[below(pieces.length)]).join("")}`;
}

test.each(["keep", "reject", "unescape"] as const)(
  "explain normalises paths as Envoy does: escaped slashes %s",
  async (escapedSlashes) => {
    const settings = { escapedSlashes };
    const rig = await startRig({ backends: ["a"], objects: [hostProxy("path.test", "a")], settings });
    const options = { escapedSlashes, normalizePath: true, mergeSlashes: true, stripTrailingHostDot: false };
    const seen: unknown[] = [];
    const foretold: unknown[] = [];
    for (const path of randomPaths(1500)) {
      const answer = await request({ port: rig.httpPort, host: "path.test", path });
      seen.push([path, answer.status === 200 ? answer.echo().path : answer.status]);
      const asked = readRequest("GET", `http://path.test${path}`);
      foretold.push([path, seenRequest(asked, options)?.headers.get(":path") ?? 400]);
    }
    expect(foretold).toEqual(seen);
    expect(await rig.envoy.rejected()).toEqual([]);
  },
);
