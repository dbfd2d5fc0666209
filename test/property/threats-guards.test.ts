import { describe, expect, it } from "vitest";
import { httpProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { attack, proxyWith } from "../support/threat.js";

const header = (value: Manifest): Manifest =>
  proxyWith({ conditions: [{ prefix: "/" }, { header: { name: "x-a", ...value } }] });
const condition = (value: Manifest): Manifest => proxyWith({ conditions: [value] });
const ingress = (path: string, pathType = "ImplementationSpecific", host = "bad.test"): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { namespace: "default", name: "bad" },
  spec: {
    rules: [
      {
        host,
        http: { paths: [{ path, pathType, backend: { service: { name: "a", port: { number: 80 } } } }] },
      },
    ],
  },
});
const ingressRoute = (fqdn: string, route: Manifest = {}, name = "bad"): Manifest => ({
  apiVersion: "contour.heptio.com/v1beta1",
  kind: "IngressRoute",
  metadata: { namespace: "default", name },
  spec: {
    virtualhost: { fqdn },
    routes: [{ match: "/", services: [{ name: "a", port: 80 }], ...route }],
  },
});
const cors = (origin: string): Manifest =>
  proxyWith({}, { corsPolicy: { allowOrigin: [origin], allowMethods: ["GET"] } });
const set = (name: string, value: string, kind = "requestHeadersPolicy"): Manifest =>
  proxyWith({ [kind]: { set: [{ name, value }] } });
const limited = (name: string, value: string): Manifest =>
  proxyWith({
    rateLimitPolicy: { local: { requests: 1, unit: "second", responseHeadersToAdd: [{ name, value }] } },
  });
const described = (regex: string): Manifest =>
  proxyWith({
    rateLimitPolicy: {
      global: {
        descriptors: [
          { entries: [{ requestHeaderValueMatch: { headers: [{ name: "x", regex }], value: "v" } }] },
        ],
      },
    },
  });
const cookie = (rest: Manifest): Manifest => proxyWith({ cookieRewritePolicies: [{ name: "c", ...rest }] });

/**
 * The input that each guard alone refuses: without the guard Envoy would receive a value that it refuses or that has
 * another effect.
 */
describe("each guarded input is an error of its own object", () => {
  it.each<[string, Manifest]>([
    ["a pattern that is too long", header({ regex: "a".repeat(65_536) })],
    ["a pattern with \\C", header({ regex: "\\C" })],
    ["a script that is younger than Envoy's RE2", header({ regex: "\\p{Kawi}" })],
    ["a character that is none", header({ regex: "\\x{110000}" })],
    ["a lookahead in a path", condition({ regex: "/(?=a)" })],
    ["a lookahead in a query", condition({ queryParameter: { name: "q", regex: "(?=a)" } })],
    ["a lookahead in an Ingress", ingress("/(?=a)+")],
    ["a lookahead in an origin", cors("(?=a)[")],
    ["a lookahead in a rate limit", described("(?=a)")],
    ["two wildcards", ingress("/", "Prefix", "*.*.com")],
    ["a wildcard in the middle", ingress("/", "Prefix", "a.*.com")],
    ["a space", ingress("/", "Prefix", "a b.com")],
    ["a long name", ingress("/", "Prefix", `${"a".repeat(300)}.com`)],
    ["an umlaut", ingress("/", "Prefix", "bücher.example")],
    ["a wildcard of an IngressRoute", ingressRoute("*.bad.test")],
    ["an umlaut of an IngressRoute", ingressRoute("bücher.example")],
    ["a control character", set("x-a", "a\u0001b")],
    ["too many bytes", set("x-a", "é".repeat(5000))],
    ["a long name", set("x".repeat(1025), "a")],
    ["Connection", set("connection", "close")],
    ["Upgrade", set("upgrade", "h2c")],
    ["Host of a response", set("host", "a", "responseHeadersPolicy")],
    ["a host of 256 bytes", set("Host", "h".repeat(256))],
    ["removal of a pseudo-header", proxyWith({ requestHeadersPolicy: { remove: [":path"] } })],
    [
      "1,001 headers",
      proxyWith({
        requestHeadersPolicy: {
          set: Array.from({ length: 1001 }, (_, i) => ({ name: `x-${i}`, value: "a" })),
        },
      }),
    ],
    ["a space in a header of a rate limit", limited("x a", "b")],
    ["a control character in a header of a rate limit", limited("x-a", "b\u0001")],
    ["a line break in the path of a health check", proxyWith({ healthCheckPolicy: { path: "/a\r\nb" } })],
    ["NUL in an Ingress", ingress("/a\u0000", "Prefix")],
    ["a query in an Ingress", ingress("/a?b", "Prefix")],
    ["a path without a slash", ingress("a", "Exact")],
    ["NUL in an IngressRoute", ingressRoute("bad.test", { match: "/a\u0000" })],
    ["a line break in a redirect", proxyWith({ services: [], requestRedirectPolicy: { prefix: "/a\r\nb" } })],
    [
      "a line break in a rewrite",
      proxyWith({
        conditions: [{ prefix: "/x" }],
        pathRewritePolicy: { replacePrefix: [{ replacement: "/a\r\nb" }] },
      }),
    ],
    ["a line break in an IngressRoute's rewrite", ingressRoute("bad.test", { prefixRewrite: "/a\r\nb" })],
    ["an attribute in a cookie's path", cookie({ pathRewrite: { value: "/;x" } })],
    ["a line break in a cookie's domain", cookie({ domainRewrite: { value: "a\r\nb" } })],
    [
      "a body of too many bytes",
      proxyWith({ services: [], directResponsePolicy: { statusCode: 200, body: "é".repeat(3000) } }),
    ],
    ["a status that is none", proxyWith({ services: [], directResponsePolicy: { statusCode: 99 } })],
    ["retries without end", proxyWith({ retryPolicy: { count: 4_294_967_296 } })],
    ["a weight without end", proxyWith({ services: [{ name: "a", port: 80, weight: 4_294_967_296 }] })],
    ["half a port", proxyWith({ services: [{ name: "a", port: 80.5 }] })],
    [
      "a window that is none",
      proxyWith({ services: [{ name: "a", port: 80, slowStartPolicy: { window: "x" } }] }),
    ],
    ["a port of an IngressRoute", ingressRoute("bad.test", { services: [{ name: "a", port: 70_000 }] })],
  ])("%s", (_, manifest) => {
    expect(attack([manifest]).reasons().length).toBeGreaterThan(0);
  });
});

describe("operators that are not on the list are literal text", () => {
  it.each(["%REQ(a b)%", "%ENVIRONMENT%", "%ENVIRONMENT(T)%"])("%s", (value) => {
    const text = `%%${value.slice(1, -1)}%%`;
    expect(attack([set("x-a", value)]).host("bad.test")).toContain(text);
    expect(attack([limited("x-a", value)]).host("bad.test")).toContain(text);
  });
});

describe("hosts of several claimants", () => {
  it("two IngressRoutes of one host are both refused", () => {
    const attacked = attack([ingressRoute("bad.test"), ingressRoute("bad.test", {}, "other")]);
    expect(attacked.reasons()).toHaveLength(2);
    expect(attacked.host("bad.test")).toBeUndefined();
  });

  it("the longest wildcard of hostOwners takes precedence, in any order of entries", () => {
    const owners = (...hosts: readonly string[]): string =>
      JSON.stringify({
        hostOwners: hosts.map((host) => ({ host, namespaces: [host === "*.a.test" ? "default" : "else"] })),
      });
    const host = httpProxy("default", "mine", {
      virtualhost: { fqdn: "x.a.test" },
      routes: [{ services: [{ name: "a", port: 80 }] }],
    });
    for (const order of [
      ["*.test", "*.a.test"],
      ["*.a.test", "*.test"],
    ])
      expect(attackOwned(host, owners(...order, "good.test"))).toBeDefined();
  });

  it("hosts that differ in their case are one host for Envoy", () => {
    const attacked = attack([ingressRoute("BAD.test"), proxyWith({})]);
    const hosts = [...attacked.store.resources("virtual-host", "ingress_http")].map(({ name }) => name);
    expect(new Set(hosts.map((name) => name.toLowerCase())).size).toBe(hosts.length);
  });

  it("a certificate that an Ingress or IngressRoute takes from another namespace", () => {
    const byAnnotation = ingress("/", "Prefix");
    const annotated = {
      ...byAnnotation,
      metadata: {
        ...(byAnnotation.metadata as object),
        annotations: { "projectcontour.io/tls-cert-namespace": "keys" },
      },
      spec: { ...(byAnnotation.spec as object), tls: [{ hosts: ["bad.test"], secretName: "secure" }] },
    };
    const route = ingressRoute("bad.test");
    const taken = {
      ...route,
      spec: {
        ...(route.spec as object),
        virtualhost: { fqdn: "bad.test", tls: { secretName: "keys/secure" } },
      },
    };
    for (const manifest of [annotated, taken]) {
      const attacked = attack([tlsSecret("keys", "secure"), manifest]);
      expect(attacked.reasons().length).toBeGreaterThan(0);
      expect([...attacked.store.resources("filter-chain", "ingress_https")]).toEqual([]);
    }
  });
});

describe("different configuration makes another cluster", () => {
  it("for another port or protocol", () => {
    const two = {
      ...service("default", "b"),
      spec: {
        ports: [
          { name: "x", port: 80 },
          { name: "y", port: 81 },
        ],
      },
    };
    const routes = [
      { conditions: [{ prefix: "/1" }], services: [{ name: "b", port: 80 }] },
      { conditions: [{ prefix: "/2" }], services: [{ name: "b", port: 81 }] },
      { conditions: [{ prefix: "/3" }], services: [{ name: "b", port: 80, protocol: "h2c" }] },
    ];
    const bad = httpProxy("default", "bad", { virtualhost: { fqdn: "bad.test" }, routes });
    const { store } = attack([two as Manifest, bad]);
    const clusters = [...store.resources("cluster")].filter(({ name }) => name.startsWith("default/b/"));
    expect(clusters).toHaveLength(3);
  });
});

/** Compiles with hostOwners in which good.test has no namespace, so that only the host itself is checked. */
const attackOwned = (manifest: Manifest, settings: string): string | undefined =>
  attack(
    [manifest],
    settings.replace(
      '{"host":"good.test","namespaces":["else"]}',
      '{"host":"good.test","namespaces":["default"]}',
    ),
  ).host("x.a.test");
