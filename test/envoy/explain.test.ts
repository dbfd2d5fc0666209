import { expect, test } from "vitest";
import { readRequest, seenRequest } from "../../src/explain/request.js";
import { parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { hostProxy, httpProxy, type Manifest, tlsSecret } from "../support/backend.js";
import { explainer } from "../support/explain.js";
import { request } from "../support/http.js";
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

async function ask(rig: Rig, { scheme, host, path, headers = {}, sni = host }: Probe): Promise<Outcome> {
  const over = scheme === "http" ? { port: rig.httpPort } : { port: rig.httpsPort, sni };
  const answer = await request({ ...over, host, path, headers }).catch(() => undefined);
  if (!answer) return "closed";
  if (answer.status !== 200) return { status: answer.status, location: answer.headers.location };
  const { service, path: seen } = answer.echo();
  const route = answer.headers["x-route"];
  return { service, ...(route ? { route } : {}), ...(seen.startsWith("/to") ? { path: seen } : {}) };
}

function foretell(explain: ReturnType<typeof explainer>, marked: boolean, probe: Probe): Outcome {
  const { scheme, host, path, headers = {}, sni = host } = probe;
  const lines = Object.entries({ ...headers, host }).map(([name, value]) => `${name}: ${value}`);
  const found = explain("GET", `${scheme}://${sni || "127.0.0.1"}${path}`, lines);
  if (found.outcome === "closed") return "closed";
  if (found.outcome !== "forward") return { status: found.status, location: found.location };
  const [plain = ""] = path.split("?");
  return {
    service: found.backends[0]?.cluster.split("/")[1],
    ...(marked ? { route: found.route?.origin?.field } : {}),
    ...(found.path ? { path: found.path + path.slice(plain.length) } : {}),
  };
}

/** Asks Envoy and explain the same. Marked routes tell which they are. */
async function agree(probes: readonly Probe[], options: RigOptions, marked: boolean): Promise<void> {
  const rig = await startRig(options);
  const objects = [...rig.backends.objects, ...options.objects].flatMap((manifest) => {
    const parsed = parseObject(manifest);
    return "object" in parsed ? [parsed.object] : [];
  });
  const explain = explainer([...objects, parseSettings(options.settings ?? {}).settings]);
  const answers: unknown[] = [];
  for (const probe of probes) answers.push({ probe, outcome: await ask(rig, probe) });
  expect(probes.map((probe) => ({ probe, outcome: foretell(explain, marked, probe) }))).toEqual(answers);
}

test("explain says what Envoy does", async () => {
  const objects = [matching, redirecting, secure, wild, tlsSecret("default", "secure")];
  await agree(probes, { backends: ["a"], objects }, true);
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
  await agree(asked, { backends: ["a", "b"], objects, settings }, false);
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

test("explain normalises paths as Envoy does", async () => {
  const rig = await startRig({ backends: ["a"], objects: [hostProxy("path.test", "a")] });
  const options = { normalizePath: true, mergeSlashes: true, stripTrailingHostDot: false };
  const seen: unknown[] = [];
  const foretold: unknown[] = [];
  for (const path of randomPaths(1500)) {
    const answer = await request({ port: rig.httpPort, host: "path.test", path });
    seen.push([path, answer.status === 200 ? answer.echo().path : answer.status]);
    const asked = readRequest("GET", `http://path.test${path}`);
    foretold.push([path, seenRequest(asked, options)?.headers.get(":path") ?? 400]);
  }
  expect(foretold).toEqual(seen);
});
