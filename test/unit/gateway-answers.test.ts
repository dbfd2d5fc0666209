import { describe, expect, it } from "vitest";
import { compile, explain } from "../../src/index.js";
import { type Manifest, service } from "../support/backend.js";
import { classListener, classSettings, gatewayAt, gatewayClass, routeOf } from "../support/gateways.js";

const http = classListener("http", "HTTP", 80);
const to = (...names: readonly string[]) => ({ backendRefs: names.map((name) => ({ name, port: 80 })) });
const rules = (...all: readonly Manifest[]): Manifest => ({ hostnames: ["x.test"], rules: all });
const path = (type: string, value: string): Manifest => ({ path: { type, value } });

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What happens to requests, of a Gateway with some listeners and routes to the Services a, b and c. */
function answers(listeners: readonly Manifest[], ...routes: readonly Manifest[]) {
  const services = ["a", "b", "c"].map((name) => service("shop", name));
  const objects = [gatewayClass(), gatewayAt("edge", "10.80.0.1", listeners), ...services, ...routes];
  const compiled = compile(objects, { settings: classSettings });
  return {
    to: (url: string, asked: Asked = {}): string => {
      const { status, summary, path: rewritten } = explain(compiled, { url, ...asked });
      const [, name] = /(?:goes to|passed through to) shop\/(\w+)/.exec(summary) ?? [];
      return name ? `${name}${rewritten === undefined ? "" : ` ${rewritten}`}` : `${status ?? "closed"}`;
    },
    findings: compiled.findings.map(({ about, reason }) => `${about} ${reason}`),
  };
}

const httpRoute = (spec: Manifest, parent = "edge"): Manifest =>
  routeOf("HTTPRoute", "r", [parent], "a", spec);

describe("matches", () => {
  it("of several headers with one name, only the first counts, in any case", () => {
    const headers = [
      { name: "X-A", value: "1" },
      { name: "x-a", value: "2" },
    ];
    const found = answers([http], httpRoute(rules({ matches: [{ headers }], ...to("a") })));
    expect(found.to("http://x.test/", { headers: { "x-a": "1" } })).toBe("a");
    expect(found.to("http://x.test/", { headers: { "x-a": "2" } })).toBe("404");
  });

  it("of several query parameters with one name, only the first counts; case matters", () => {
    const queryParams = [
      { name: "q", value: "1" },
      { name: "q", value: "2" },
      { name: "Q", value: "3" },
    ];
    const found = answers([http], httpRoute(rules({ matches: [{ queryParams }], ...to("a") })));
    expect(["?q=1&Q=3", "?q=2&Q=3", "?q=1"].map((query) => found.to(`http://x.test/${query}`))).toEqual([
      "a",
      "404",
      "404",
    ]);
  });

  it("by method come before those by headers, and these before those by query parameters", () => {
    const found = answers(
      [http],
      httpRoute(
        rules(
          { matches: [{ queryParams: [{ name: "q", value: "1" }] }], ...to("c") },
          { matches: [{ headers: [{ name: "h", value: "1" }] }], ...to("b") },
          { matches: [{ method: "GET" }], ...to("a") },
        ),
      ),
    );
    const headers = { h: "1" };
    expect(found.to("http://x.test/?q=1", { headers })).toBe("a");
    expect(found.to("http://x.test/?q=1", { headers, method: "POST" })).toBe("b");
    expect(found.to("http://x.test/?q=1", { method: "POST" })).toBe("c");
  });

  it("of gRPC methods are by service, method or both, in their case", () => {
    const found = answers(
      [http],
      routeOf(
        "GRPCRoute",
        "r",
        ["edge"],
        "a",
        rules(
          { matches: [{ method: { service: "a.B", method: "C" } }], ...to("a") },
          { matches: [{ method: { method: "D" } }], ...to("b") },
          { matches: [{ method: { service: "e.F" } }], ...to("c") },
        ),
      ),
    );
    const called = ["a.B/C", "z/D", "e.F/Q", "a.B/X", "a.B/c"].map((name) =>
      found.to(`http://x.test/${name}`, { method: "POST" }),
    );
    expect(called).toEqual(["a", "b", "c", "404", "404"]);
  });
});

describe("a rewrite of a prefix", () => {
  it.each<[prefix: string, replacement: string, asked: string, sent: string]>([
    ["/", "/x", "/foo", "/x/foo"],
    ["/foo", "/", "/foo", "/"],
    ["/foo", "/", "/foo/", "/"],
    ["/foo", "/", "/foo/y", "/y"],
    ["/foo", "", "/foo/y", "/y"],
    ["/foo/", "/", "/foo", "/"],
    ["/foo", "/bar/", "/foo/y", "/bar/y"],
    ["/foo/", "/bar", "/foo/y", "/bar/y"],
  ])("%s to %s sends %s as %s", (prefix, replacement, asked, sent) => {
    const urlRewrite = { path: { type: "ReplacePrefixMatch", replacePrefixMatch: replacement } };
    const rule = {
      matches: [path("PathPrefix", prefix)],
      filters: [{ type: "URLRewrite", urlRewrite }],
      ...to("a"),
    };
    expect(answers([http], httpRoute(rules(rule))).to(`http://x.test${asked}`)).toBe(`a ${sent}`);
  });
});

describe("backends", () => {
  it("that are missing take their share of 500; without a backend that counts all is 500", () => {
    const found = answers(
      [http],
      httpRoute(
        rules(
          { backendRefs: [{ name: "a", port: 80, weight: 0 }] },
          { matches: [path("PathPrefix", "/missing")], ...to("gone") },
          { matches: [path("PathPrefix", "/kind")], backendRefs: [{ name: "a", port: 80, kind: "Foo" }] },
          { matches: [path("PathPrefix", "/none")] },
        ),
      ),
    );
    for (const name of ["", "missing", "kind", "none"]) expect(found.to(`http://x.test/${name}`)).toBe("500");
  });

  it("of a mirror that are missing cost no request, and are told", () => {
    const filters = [{ type: "RequestMirror", requestMirror: { backendRef: { name: "gone", port: 80 } } }];
    const found = answers([http], httpRoute(rules({ filters, ...to("a") })));
    expect(found.to("http://x.test/")).toBe("a");
    expect(found.findings).toContain("HTTPRoute/shop/r BackendNotFound");
  });
});

describe("listeners", () => {
  const other = classListener("other", "HTTP", 81);

  it("are chosen by section and port together", () => {
    const parentRefs = (ref: Manifest): Manifest => ({
      parentRefs: [{ namespace: "infra", name: "edge", ...ref }],
    });
    const both = answers(
      [http, other],
      httpRoute({ ...rules(to("a")), ...parentRefs({ sectionName: "other", port: 80 }) }),
    );
    expect(both.findings).toContain("HTTPRoute/shop/r NoMatchingParent");
    const port = answers([http, other], httpRoute({ ...rules(to("a")), ...parentRefs({ port: 81 }) }));
    expect([port.to("http://x.test/"), port.to("http://x.test:81/")]).toEqual(["404", "a"]);
  });

  it("with wildcards have the hosts that they share with a route, without those of closer listeners", () => {
    const listener = (name: string, hostname: string): Manifest =>
      classListener(name, "HTTP", 80, { hostname });
    const found = answers(
      [listener("w", "*.example.com"), listener("n", "*.foo.example.com")],
      httpRoute({ hostnames: ["*.com", "*.bar.example.com"], rules: [to("a")] }, "edge#w"),
      routeOf("HTTPRoute", "n", ["edge#n"], "b", { hostnames: ["*.example.com"] }),
    );
    const hosts = ["z.example.com", "x.bar.example.com", "q.foo.example.com", "example.com"];
    expect(hosts.map((host) => found.to(`http://${host}/`))).toEqual(["a", "a", "b", "404"]);
  });

  it("for TLS take a TLSRoute without hostnames for each of their own", () => {
    const passed = (name: string, port: number, more: Manifest = {}): Manifest =>
      classListener(name, "TLS", port, { tls: { mode: "Passthrough" }, ...more });
    const route = {
      ...routeOf("TLSRoute", "r", ["edge"], "a"),
      apiVersion: "gateway.networking.k8s.io/v1alpha2",
    };
    const found = answers([passed("any", 443), passed("one", 444, { hostname: "n.test" })], route);
    expect(
      ["tls://any.test:443", "tls://n.test:444", "tls://m.test:444"].map((url) => found.to(url)),
    ).toEqual(["a", "a", "closed"]);
  });

  it("of a class of another controller serve nothing", () => {
    const objects = [
      gatewayClass("isoline", "example.com/other"),
      gatewayAt("edge", "10.80.0.1", [http]),
      service("shop", "a"),
      httpRoute(rules(to("a"))),
    ];
    const compiled = compile(objects, { settings: classSettings });
    expect(explain(compiled, { url: "http://x.test/" }).outcome).toBe("closed");
  });
});
