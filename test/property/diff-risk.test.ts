import { describe, expect, it } from "vitest";
import { type EnvoyConfig, readConfig } from "../../src/explain/config.js";
import type { HostReview, Review } from "../../src/explain/review.js";
import { changesIn, review } from "../../src/explain/review.js";
import { formatReview } from "../../src/explain/review-text.js";
import { link } from "../../src/link/snapshot.js";
import { parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import {
  certificateFile,
  endpointSlice,
  extensionService,
  httpProxy,
  ingressRoute as ingressRouteOf,
  type Manifest,
  secret,
  service,
  tlsSecret,
} from "../support/backend.js";
import { compileAll } from "../support/compile.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";

const { settings: plain } = parseSettings({ allowLoopbackEndpoints: true });
const around: readonly Manifest[] = [
  ...["a", "b"].map((name) => service("default", name)),
  ...["a", "b"].map((name) => endpointSlice("default", name, 8080)),
  tlsSecret("default", "secure"),
  tlsSecret("default", "tcp"),
  secret("default", "ca", { "ca.crt": certificateFile("ca.crt") }),
  ...extensionService("auth", 8080),
];

function config(manifests: readonly Manifest[], settings = plain): EnvoyConfig {
  const objects = [...around, ...manifests].flatMap((manifest) => {
    const parsed = parseObject(manifest);
    return "object" in parsed ? [parsed.object] : [];
  });
  return readConfig(link(compileAll([settings, ...objects]), settings.spec));
}

function reviewed(before: readonly Manifest[], after: readonly Manifest[], settings = plain): Review {
  const [a, b] = [before, after].map((manifests) => ({
    config: config(manifests, settings),
    knowsEndpoints: () => true,
  }));
  if (!a || !b) throw new Error("two sides");
  return review(a, b);
}

const to = (name: string, fields: Manifest = {}): readonly Manifest[] => [{ name, port: 80, ...fields }];
const route = (prefix: string, name: string, fields: Manifest = {}): Manifest => ({
  conditions: [{ prefix }],
  services: to(name),
  ...fields,
});
const proxy = (routes: readonly Manifest[], host: Manifest = {}, fqdn = "x.test"): Manifest =>
  httpProxy("default", fqdn.replace("*", "w").replaceAll(".", "-"), {
    virtualhost: { fqdn, ...host },
    routes,
  });

const of = ({ hosts }: Review, host = "x.test"): HostReview | undefined =>
  hosts.find((one) => one.host === host);

const authorization = { extensionRef: { namespace: "infra", name: "auth" } };
const jwtProviders = [
  {
    name: "p",
    issuer: "i",
    remoteJWKS: { uri: "https://keys.test/jwks" },
  },
];
const secure = { tls: { secretName: "secure" } };

interface Case {
  readonly risk: readonly string[];
  readonly before: readonly Manifest[];
  readonly after: readonly Manifest[];
  readonly host?: string;
}
const root = route("/", "a");
const cases: Readonly<Record<string, Case>> = {
  "a host that goes": { risk: ["host-gone"], before: [proxy([root])], after: [] },
  "a host that a wildcard takes over": {
    risk: ["host-gone", "backends-changed"],
    before: [proxy([root]), proxy([route("/", "b")], {}, "*.y.test"), proxy([root], {}, "x.y.test")],
    after: [proxy([root]), proxy([route("/", "b")], {}, "*.y.test")],
    host: "x.y.test",
  },
  "a host that loses its TLS": {
    risk: ["tls-off", "https-redirect-dropped"],
    before: [proxy([root], secure)],
    after: [proxy([root])],
  },
  "a route that goes, whose requests nothing answers": {
    risk: ["error-answer", "route-lost"],
    before: [proxy([route("/a", "a"), route("/b", "b")])],
    after: [proxy([route("/a", "a")])],
  },
  "a route that goes, whose requests another takes": {
    risk: ["route-lost", "backends-changed"],
    before: [proxy([root, route("/b", "b")])],
    after: [proxy([root])],
  },
  "a route that another takes requests from": {
    risk: ["route-shadowed", "backends-changed"],
    before: [proxy([root, route("/b", "b")])],
    after: [proxy([root, route("/b", "b"), route("/b/c", "a")])],
  },
  "a catch-all that answers what was not answered": {
    risk: ["catch-all-widened"],
    before: [proxy([route("/a", "a")])],
    after: [proxy([route("/a", "a"), route("/", "b")])],
  },
  "a wildcard host that answers what was not answered": {
    risk: ["catch-all-widened"],
    before: [proxy([root])],
    after: [proxy([root]), proxy([root], {}, "*.y.test")],
    host: "*.y.test",
  },
  "an answer that becomes an error": {
    risk: ["error-answer"],
    before: [proxy([root])],
    after: [proxy([{ conditions: [{ prefix: "/" }], directResponsePolicy: { statusCode: 503 } }])],
  },
  "authorization that is taken away": {
    risk: ["authorization-dropped"],
    before: [proxy([root], { ...secure, authorization })],
    after: [proxy([root], secure)],
  },
  "authorization that one route is excepted from": {
    risk: ["authorization-dropped"],
    before: [proxy([root], { ...secure, authorization })],
    after: [proxy([{ ...root, authPolicy: { disabled: true } }], { ...secure, authorization })],
  },
  "authorization that passes when its server is away": {
    risk: ["authorization-dropped"],
    before: [proxy([root], { ...secure, authorization })],
    after: [proxy([root], { ...secure, authorization: { ...authorization, failOpen: true } })],
  },
  "an address filter that is taken away": {
    risk: ["address-filter-dropped"],
    before: [proxy([{ ...root, ipAllowPolicy: [{ source: "Peer", cidr: "10.0.0.0/8" }] }])],
    after: [proxy([root])],
  },
  "an address filter that is wider": {
    risk: ["protection-changed"],
    before: [proxy([{ ...root, ipAllowPolicy: [{ source: "Peer", cidr: "10.0.0.0/8" }] }])],
    after: [proxy([{ ...root, ipAllowPolicy: [{ source: "Peer", cidr: "0.0.0.0/0" }] }])],
  },
  "a rate limit that is taken away": {
    risk: ["rate-limit-dropped"],
    before: [proxy([root], { rateLimitPolicy: { local: { requests: 3, unit: "second" } } })],
    after: [proxy([root])],
  },
  "a token that is no longer asked for": {
    risk: ["jwt-dropped"],
    before: [proxy([{ ...root, jwtVerificationPolicy: { require: "p" } }], { ...secure, jwtProviders })],
    after: [proxy([root], { ...secure, jwtProviders })],
  },
  "client certificates that are no longer asked for": {
    risk: ["client-certificate-dropped"],
    before: [proxy([root], { tls: { secretName: "secure", clientValidation: { caSecret: "ca" } } })],
    after: [proxy([root], secure)],
  },
  "client certificates that become optional": {
    risk: ["client-certificate-dropped"],
    before: [proxy([root], { tls: { secretName: "secure", clientValidation: { caSecret: "ca" } } })],
    after: [
      proxy([root], {
        tls: { secretName: "secure", clientValidation: { caSecret: "ca", optionalClientCertificate: true } },
      }),
    ],
  },
  "a protected route whose requests go to an open one": {
    risk: ["address-filter-dropped", "route-lost"],
    before: [
      proxy([root, route("/admin", "a", { ipAllowPolicy: [{ source: "Peer", cidr: "10.0.0.0/8" }] })]),
    ],
    after: [proxy([root])],
  },
  "a lower version of TLS": {
    risk: ["tls-version-lowered"],
    before: [proxy([root], { tls: { secretName: "secure", minimumProtocolVersion: "1.3" } })],
    after: [proxy([root], secure)],
  },
  "another certificate": {
    risk: ["certificate-changed"],
    before: [proxy([root], secure)],
    after: [proxy([root], { tls: { secretName: "tcp" } })],
  },
  "plain HTTP where clients were sent to HTTPS": {
    risk: ["https-redirect-dropped"],
    before: [proxy([root], secure)],
    after: [proxy([{ ...root, permitInsecure: true }], secure)],
  },
  "other times, tries and shares": {
    risk: ["weights-changed", "timeout-changed", "retry-changed"],
    before: [
      proxy([
        {
          services: [...to("a", { weight: 9 }), ...to("b", { weight: 1 })],
          timeoutPolicy: { response: "5s" },
        },
      ]),
    ],
    after: [
      proxy([
        {
          services: [...to("a", { weight: 1 }), ...to("b", { weight: 9 })],
          timeoutPolicy: { response: "6s" },
          retryPolicy: { count: 3 },
        },
      ]),
    ],
  },
};

describe("risk", () => {
  it.each(Object.entries(cases))("of %s", (_, { risk, before, after, host }) => {
    expect(of(reviewed(before, after), host)?.risk).toEqual(risk);
  });

  it.each(Object.entries(cases))(
    "is none the other way round where nothing is worse: %s",
    (_, { before, after }) => {
      const risk = of(reviewed(after, before))?.risk ?? [];
      expect(risk.filter((code) => code.endsWith("-dropped") && code !== "https-redirect-dropped")).toEqual(
        [],
      );
    },
  );

  it("of endpoints that are all gone is that of an error", () => {
    const slice = endpointSlice("other", "c", 8080);
    const host = [
      service("other", "c"),
      httpProxy("other", "c", { virtualhost: { fqdn: "c.test" }, routes: [{ services: to("c") }] }),
    ];
    expect(reviewed([...host, slice], host).others).toMatchObject([
      { kind: "endpoints", risk: ["error-answer"] },
    ]);
  });

  it("puts the worst host first", () => {
    const slow = (fqdn: string, response: string): Manifest =>
      proxy([{ ...root, timeoutPolicy: { response } }], {}, fqdn);
    const { hosts } = reviewed([slow("a.test", "1s"), proxy([root], {}, "z.test")], [slow("a.test", "2s")]);
    expect(hosts.map(({ host }) => host)).toEqual(["z.test", "a.test"]);
  });
});

describe("requests", () => {
  it("prove that routes which are written differently do the same", () => {
    const before = [proxy([root, route("/b", "b"), { ...route("/b/c", "b") }])];
    const after = [proxy([root, route("/b", "b")])];
    const found = reviewed(before, after);
    expect(changesIn(found)).toEqual([]);
    expect(found.rewritten).toEqual([{ site: "x.test (http)", tried: 6 }]);
    expect(formatReview(found, { uncompared: [], rewritten: [] })).toBe(
      "written differently, same result for every request\n" +
        "  x.test (http): 6 requests that represent all others are answered as before\n" +
        "no change for traffic\n",
    );
  });

  it.each<[string, (i: number) => Manifest]>([
    ["paths", (i) => route(`/flood-${i}`, "a")],
    [
      "headers of one path",
      (i) => ({
        conditions: [{ prefix: "/" }, { header: { name: `x-${i}`, exact: "1" } }],
        services: to("a"),
      }),
    ],
  ])("find a route without authorization among a thousand others by %s", (_, flood) => {
    const host = { ...secure, authorization };
    const open = { ...route("/open", "a"), authPolicy: { disabled: true } };
    const open2 = {
      ...open,
      services: to("b"),
      conditions: [
        { prefix: "/" },
        { header: { name: "x-q", exact: "1" } },
        { header: { name: "x-r", contains: "2" } },
      ],
    };
    const many = Array.from({ length: 1000 }, (_, i) => flood(i));
    const { hosts, untried } = reviewed(
      [proxy([route("/", "a")], host)],
      [proxy([route("/", "a"), ...many, open, open2], host)],
    );
    expect(hosts[0]?.risk[0]).toBe("authorization-dropped");
    expect(hosts[0]?.requests.shown.map(({ url, headers }) => `${url} ${headers}`)).toEqual(
      expect.arrayContaining(["https://x.test/open ", "https://x.test/ x-q: 1,x-r: 2"]),
    );
    expect(untried).toContainEqual({ site: "x.test (https)", tried: expect.any(Number) });
  });

  it("prove nothing of regular expressions", () => {
    const regex = { conditions: [{ regex: "/b/[0-9]+" }], services: to("a") };
    const found = reviewed([proxy([root, regex])], [proxy([root])]);
    expect(changesIn(found)).toHaveLength(1);
    expect(of(found)?.requests).toMatchObject({ complete: false, differing: 0 });
  });

  const { settings } = parseSettings({ ...gatewaySettings, allowLoopbackEndpoints: true });
  const edge = gateway(onPort(8080, "web", "HTTP"));
  const httpRoute = (type: string): Manifest =>
    gatewayRoute("HTTPRoute", "x", {
      hostnames: ["x.test"],
      rules: [
        { matches: [{ path: { type, value: "/api" } }], backendRefs: backendRefs("a") },
        { backendRefs: backendRefs("b") },
      ],
    });
  const old = proxy([route("/api", "a"), route("/", "b")]);
  const ingressRoute = ingressRouteOf("default", "x", {
    virtualhost: { fqdn: "x.test" },
    routes: [
      { match: "/", services: to("b") },
      { match: "/api", services: to("a") },
    ],
  });

  it("prove the move from IngressRoute to HTTPProxy", () => {
    const found = reviewed([ingressRoute], [old]);
    expect(changesIn(found)).toEqual([]);
  });

  it("show what the move from HTTPProxy to HTTPRoute changes", () => {
    const found = of(reviewed([...edge, old], [...edge, httpRoute("PathPrefix")], settings));
    const told = found?.requests.shown.map(({ method, url, before, after }) => [
      method,
      url,
      before.summary,
      after.summary,
    ]);
    expect(told).toEqual([["GET", "http://x.test/apiother", "goes to default/a/80", "goes to default/b/80"]]);
  });

  it("try headers, methods and query parameters, with all that tells them apart", () => {
    const rule = (matches: readonly Manifest[], name: string): Manifest => ({
      matches,
      backendRefs: backendRefs(name),
    });
    const all = (name: string): Manifest =>
      gatewayRoute("HTTPRoute", "x", {
        hostnames: ["x.test"],
        rules: [
          rule([{ method: "POST", headers: [{ name: "x-user", value: "root" }] }], "a"),
          rule([{ queryParams: [{ name: "debug", value: "1" }] }], name),
          rule([{}], "b"),
        ],
      });
    const found = of(reviewed([...edge, all("a")], [...edge, all("b")], settings));
    expect(found?.requests).toMatchObject({ complete: true });
    const urls = found?.requests.shown.map(({ method, url, headers }) => [method, url, ...headers]);
    expect(urls).toContainEqual(["GET", "http://x.test/?debug=1"]);
  });
});
