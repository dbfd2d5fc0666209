import { describe, expect, it } from "vitest";
import { parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import {
  extensionService,
  httpProxy,
  ingressRoute,
  type Manifest,
  service,
  tlsSecret,
} from "../support/backend.js";
import { compileAll } from "../support/compile.js";
import { explainer } from "../support/explain.js";
import { gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";

const services = [{ name: "a", port: 80 }];
const secure = { fqdn: "x.test", tls: { secretName: "secure" } };
const plain = { fqdn: "x.test" };
const provider = { name: "p", remoteJWKS: { uri: "https://keys.test/jwks" } };
const authorization = {
  extensionRef: { namespace: "infra", name: "auth" },
  serviceType: "grpc",
};
const rateLimitPolicy = { local: { requests: 1, unit: "second" } };
const at = (path: Manifest, more: Manifest = {}): Manifest => ({ conditions: [path], services, ...more });

function parse(settings: Manifest, ...manifests: readonly Manifest[]) {
  const all = [
    service("default", "a"),
    tlsSecret("default", "secure"),
    ...extensionService("auth", 9000),
    ...manifests,
  ];
  const objects = all.map((manifest) => {
    const parsed = parseObject(manifest);
    if (!("object" in parsed)) throw new Error(JSON.stringify(parsed));
    return parsed.object;
  });
  return [...objects, parseSettings(settings).settings];
}

/** The object and field of each warning for compiled objects. */
function warnings(manifests: readonly Manifest[], settings: Manifest = {}): string[] {
  const store = compileAll(parse(settings, ...manifests));
  return [...store.findings()]
    .filter(({ reason }) => reason === "EscapedSlashes")
    .map(({ about, path }) => `${about} ${path}`)
    .sort();
}

const proxy = (virtualhost: Manifest, ...routes: readonly Manifest[]): Manifest =>
  httpProxy("default", "x", { virtualhost, routes });
const first = ["HTTPProxy/default/x spec.routes[0].conditions"];

describe("a path that selects the protection of a route", () => {
  const rest = { services };
  it.each<[string, Manifest]>([
    [
      "a token",
      proxy(
        { ...secure, jwtProviders: [provider] },
        at({ prefix: "/admin/" }, { jwtVerificationPolicy: { require: "p" } }),
        rest,
      ),
    ],
    [
      "no token",
      proxy(
        { ...secure, jwtProviders: [{ ...provider, default: true }] },
        at({ prefix: "/pub/" }, { jwtVerificationPolicy: { disabled: true } }),
        rest,
      ),
    ],
    [
      "authorization",
      proxy(
        { ...secure, authorization: { ...authorization, authPolicy: { disabled: true } } },
        at({ exact: "/admin/x" }, { authPolicy: { disabled: false } }),
        rest,
      ),
    ],
    [
      "no authorization",
      proxy({ ...secure, authorization }, at({ prefix: "/pub" }, { authPolicy: { disabled: true } }), rest),
    ],
    [
      "allowed addresses",
      proxy(
        plain,
        at({ regex: "/admin/.*" }, { ipAllowPolicy: [{ cidr: "10.0.0.0/8", source: "Peer" }] }),
        rest,
      ),
    ],
    [
      "denied addresses",
      proxy(plain, at({ prefix: "/a/b" }, { ipDenyPolicy: [{ cidr: "10.0.0.0/8", source: "Peer" }] }), rest),
    ],
    ["a local rate limit", proxy(plain, at({ prefix: "/login" }, { rateLimitPolicy }), rest)],
    [
      "a global rate limit",
      proxy(
        plain,
        at(
          { prefix: "/login" },
          { rateLimitPolicy: { global: { descriptors: [{ entries: [{ remoteAddress: {} }] }] } } },
        ),
        rest,
      ),
    ],
    [
      "no rate limit of the host",
      proxy(plain, at({ prefix: "/free" }, { rateLimitPolicy: { global: { disabled: true } } }), rest),
    ],
    [
      "two rate limits",
      proxy(plain, at({ prefix: "/a" }, { rateLimitPolicy }), at({ prefix: "/b" }), at({ prefix: "/c" })),
    ],
  ])("causes a warning: %s", (_, object) => {
    expect(warnings([object])).toEqual(first);
    for (const escapedSlashes of ["reject", "unescape"])
      expect(warnings([object], { escapedSlashes })).toEqual([]);
  });

  it.each<[string, Manifest]>([
    ["no protection", proxy(plain, at({ prefix: "/a" }), rest)],
    [
      "the same of all routes",
      proxy(plain, at({ prefix: "/a" }, { rateLimitPolicy }), { services, rateLimitPolicy }),
    ],
    ["one route alone", proxy(plain, at({ prefix: "/admin/" }, { rateLimitPolicy }))],
    [
      "a header decides",
      proxy(
        plain,
        {
          conditions: [{ prefix: "/" }, { header: { name: "x", present: true } }],
          services,
          rateLimitPolicy,
        },
        rest,
      ),
    ],
    [
      "the others give nothing away",
      proxy(
        plain,
        at({ prefix: "/admin/" }, { rateLimitPolicy }),
        { requestRedirectPolicy: { path: "/admin/" } },
        { conditions: [{ prefix: "/no" }], directResponsePolicy: { statusCode: 404 } },
      ),
    ],
    [
      "what a service is told",
      proxy(
        { ...secure, authorization },
        at({ prefix: "/a" }, { authPolicy: { context: { a: "b" } } }),
        rest,
      ),
    ],
  ])("causes none: %s", (_, object) => expect(warnings([object])).toEqual([]));

  it("is reported once for the object with the route", () => {
    const root = httpProxy("default", "root", {
      virtualhost: plain,
      includes: [{ name: "child", conditions: [{ prefix: "/team" }] }],
      routes: [{ services }],
    });
    const child = httpProxy("default", "child", {
      routes: [
        at({ prefix: "/open" }),
        at({ prefix: "/one" }, { rateLimitPolicy }),
        at({ prefix: "/two" }, { rateLimitPolicy }),
      ],
    });
    expect(warnings([root, child])).toEqual(["HTTPProxy/default/child spec.routes[1].conditions"]);
  });

  it("causes a warning if the other route is of another kind", () => {
    const guarded = proxy(plain, at({ prefix: "/admin/" }, { rateLimitPolicy }));
    const backend = { service: { name: "a", port: { number: 80 } } };
    const ingress = {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { namespace: "default", name: "rest" },
      spec: {
        rules: [{ host: "x.test", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      },
    };
    expect(warnings([guarded, ingress])).toEqual(first);
    const open = {
      ...ingress,
      spec: { rules: [{ host: "x.test", http: { paths: [{ path: "/pub", pathType: "Prefix", backend }] } }] },
    };
    expect(warnings([proxy(plain, at({ prefix: "/" }, { rateLimitPolicy })), open])).toEqual([
      "Ingress/default/rest spec.rules[0].http.paths[0].backend",
    ]);
    const route = gatewayRoute("HTTPRoute", "rest", {
      hostnames: ["x.test"],
      rules: [{ backendRefs: services }],
    });
    expect(warnings([guarded, ...gateway(onPort(8080, "web", "HTTP")), route], gatewaySettings)).toEqual(
      first,
    );
  });
});

describe("escaped slashes", () => {
  const objects = [
    proxy(plain, { services }, at({ prefix: "/admin/" })),
    ...gateway(onPort(8080, "web", "HTTP")),
  ];
  const routeOf = (escapedSlashes: string | undefined, path: string): string | number | undefined => {
    const settings = { ...gatewaySettings, ...(escapedSlashes ? { escapedSlashes } : {}) };
    const { route, status } = explainer(parse(settings, ...objects))("GET", `http://x.test${path}`);
    return route?.match ?? status;
  };

  it.each([
    [undefined, "/admin%2fx", "prefix /"],
    ["keep", "/x%2f..%2Fadmin/x", "prefix /"],
    ["unescape", "/admin%2fx", "prefix /admin/"],
    ["unescape", "/x%2f..%5Cadmin/x", "prefix /admin/"],
    ["unescape", "/admin%252fx", "prefix /"],
    ["reject", "/admin%2Fx", 400],
    ["reject", "/admin%5cx", 400],
    ["reject", "/admin/x?y=%2f", "prefix /admin/"],
    ["reject", "/admin%252fx", "prefix /"],
  ])("%s: %s matches %s", (setting, path, expected) => expect(routeOf(setting, path)).toBe(expected));

  it("make a path with them unreachable, unless they are kept", () => {
    const written = [
      proxy(plain, at({ prefix: "/a%2Fb" })),
      ingressRoute("default", "y", {
        virtualhost: { fqdn: "y.test" },
        routes: [{ match: "/a%5Cb", services }],
      }),
      gatewayRoute("HTTPRoute", "z", {
        hostnames: ["z.test"],
        rules: [{ matches: [{ path: { type: "Exact", value: "/a%2fb" } }], backendRefs: services }],
      }),
      ...gateway(onPort(8080, "web", "HTTP")),
    ];
    const told = (escapedSlashes: string): (string | undefined)[] =>
      [...compileAll(parse({ ...gatewaySettings, escapedSlashes }, ...written)).findings()]
        .filter(({ reason }) => reason === "PathNeverMatches")
        .map(({ about }) => about)
        .sort();
    expect(told("keep")).toEqual([]);
    expect(told("reject")).toEqual(["HTTPProxy/default/x", "HTTPRoute/default/z", "IngressRoute/default/y"]);
    expect(told("unescape")).toEqual(told("reject"));
  });

  it("have three possible values, and others are refused", () => {
    expect(parseSettings({ escapedSlashes: "drop" }).findings).toMatchObject([
      { severity: "error", path: "escapedSlashes" },
    ]);
  });
});
