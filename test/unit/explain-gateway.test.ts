import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/explain/config.js";
import { hostNode } from "../../src/explain/graph.js";
import { originsIn } from "../../src/explain/origins.js";
import { rewritten } from "../../src/explain/rewrite.js";
import { wholeTables } from "../../src/explain/served-config.js";
import { formatExplanation } from "../../src/explain/text.js";
import { link } from "../../src/link/snapshot.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { hostProxy, httpProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { compileAll, platform } from "../support/compile.js";
import { explainer } from "../support/explain.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";

const { settings } = parseSettings(gatewaySettings);

const parse = (...manifests: readonly Manifest[]): KubeObject[] => [
  ...[...["a", "b", "c"].map((name) => service("default", name)), ...manifests].flatMap((manifest) => {
    const parsed = parseObject(manifest);
    return "object" in parsed ? [parsed.object] : [];
  }),
  settings,
];
const explainObjects = (...manifests: readonly Manifest[]): ReturnType<typeof explainer> =>
  explainer(parse(...manifests));

const terminate = { tls: { certificateRefs: [{ name: "secure" }] } };
const passthrough = { tls: { mode: "Passthrough" } };

/** Ports 80, 443, 8080, 8443, 8444 and 9001 of a Gateway, and 9000, which serves nothing. */
const edge: readonly Manifest[] = [
  tlsSecret("infra", "secure"),
  ...gateway(
    onPort(8080, "web", "HTTP"),
    onPort(16080, "late", "HTTP"),
    onPort(17000, "idle", "HTTP", { hostname: "idle.test" }),
    onPort(8443, "secure", "HTTPS", terminate),
    onPort(16443, "pass", "TLS", { ...passthrough, hostname: "pass.test" }),
    onPort(16444, "pass-all", "TLS", passthrough),
    onPort(17001, "plain", "TCP"),
  ),
];

const route = (name: string, rules: readonly Manifest[], section?: string, hosts = ["x.test"]): Manifest =>
  gatewayRoute("HTTPRoute", name, { hostnames: hosts, rules }, section);
const prefix = (value: string): Manifest => ({ matches: [{ path: { type: "PathPrefix", value } }] });
const to = (...names: readonly string[]): Manifest => ({ backendRefs: backendRefs(...names) });
const passOn = (
  kind: string,
  name: string,
  backend: string,
  section: string,
  more: Manifest = {},
): Manifest => gatewayRoute(kind, name, { ...more, rules: [to(backend)] }, section);

const tcp: readonly Manifest[] = [
  passOn("TLSRoute", "pass", "b", "pass", { hostnames: ["pass.test"] }),
  passOn("TLSRoute", "pass-all", "c", "pass-all"),
  passOn("TCPRoute", "plain", "a", "plain"),
];

describe("explain, by the port of a URL", () => {
  const explain = explainObjects(
    ...edge,
    ...tcp,
    route("web", [to("a")], "web"),
    route("late", [to("b")], "late"),
    route("secure", [to("c")], "secure"),
    hostProxy("proxy.test", "a"),
  );

  it.each([
    ["http://x.test/", "ingress_http", 8080, 80, "web"],
    ["http://x.test:80/", "ingress_http", 8080, 80, "web"],
    ["http://x.test:8080/", "http-8080", 16080, 8080, "late"],
    ["http://x.test:16080/", "http-8080", 16080, 8080, "late"],
    ["https://x.test/", "ingress_https", 8443, 443, "secure"],
    ["https://x.test:443/", "ingress_https", 8443, 443, "secure"],
  ])("%s comes to %s", (url, name, port, gatewayPort, from) => {
    expect(explain("GET", url)).toMatchObject({
      outcome: "forward",
      listener: { name, port, gatewayPort },
      virtualHost: { name: "x.test", table: name },
      route: { origin: { ref: `HTTPRoute/default/${from}`, field: "spec.rules[0]" } },
    });
  });

  it.each([
    ["https://pass.test:8443/", "https-8443", "default/b/80", { name: "pass.test" }],
    ["https://any.test:8444/", "https-8444", "default/c/80", { name: "*" }],
    ["https://127.0.0.1:8444/", "https-8444", "default/c/80", { name: "*" }],
    ["http://any.test:9001/", "tcp-9001", "default/a/80", undefined],
    ["https://any.test:17001/", "tcp-9001", "default/a/80", undefined],
  ])("%s is passed on by %s", (url, name, cluster, chain) => {
    const found = explain("GET", url);
    expect(found).toMatchObject({ outcome: "tcp", listener: { name } });
    expect(found.summary).toBe(`the connection is passed through to ${cluster}`);
    expect(found.chain).toEqual(chain && { ...chain, facts: expect.any(Array) });
  });

  const open =
    "open ports: 80 (http, Envoy's 8080), 443 (https, Envoy's 8443), 8080 (http, Envoy's 16080), 8443 (https, Envoy's 16443), 8444 (https, Envoy's 16444), 9001 (tcp, Envoy's 17001)";

  it("tells the ports that are open when nothing listens on one", () => {
    expect(explain("GET", "http://x.test:81/")).toMatchObject({
      outcome: "closed",
      summary: `nothing listens on port 81: the Gateway has no such port; ${open}`,
    });
    expect(explain("GET", "http://x.test:9000/").summary).toBe(
      `nothing listens on port 9000: nothing is served on it; ${open}`,
    );
  });

  it("says that a port is for TLS, or not", () => {
    expect(explain("GET", "http://x.test:443/")).toMatchObject({
      outcome: "closed",
      summary: "the connection is closed: https on port 443 accepts only TLS",
    });
    expect(explain("GET", "https://x.test:8080/").summary).toBe(
      "the connection is closed: http on port 8080 accepts no TLS",
    );
  });

  it("hints at the ports that a host is served on", () => {
    expect(explain("GET", "http://proxy.test:8080/")).toMatchObject({
      outcome: "not-found",
      summary: "404: no host proxy.test is served over http on port 8080",
      hints: [
        "proxy.test is claimed by HTTPProxy/default/proxy-test",
        "proxy.test is served over http on port 80, https on port 8444",
      ],
    });
    expect(explain("GET", "http://pass.test/").hints).toContain(
      "pass.test is served over https on port 8443, https on port 8444",
    );
  });

  it("does not look at the port without a Gateway, whose ports are mapped by what is in front", () => {
    const over = explainer(parse(hostProxy("proxy.test", "a")).filter((object) => object !== settings));
    expect(over("GET", "http://proxy.test:30080/")).toMatchObject({
      outcome: "forward",
      listener: { name: "ingress_http" },
    });
    expect(over("GET", "http://proxy.test:30080/").listener).not.toHaveProperty("gatewayPort");
  });

  it("shows the port of the Gateway in text", () => {
    const text = formatExplanation(explain("GET", "http://x.test:8080/"), "GET", () => "");
    expect(text).toContain("listener      http-8080 0.0.0.0:16080, port 8080 of the Gateway\n");
    expect(text).toContain("from          HTTPRoute/default/late spec.rules[0]\n");
  });
});

describe("explain, by routes of the Gateway API", () => {
  it("tells why the routes before did not match", () => {
    const header = [{ name: "x-canary", value: "yes" }];
    const explain = explainObjects(
      ...edge,
      route("web", [{ matches: [{ headers: header }], ...to("b") }, to("a")], "late"),
      gatewayRoute("GRPCRoute", "grpc", {
        hostnames: ["x.test"],
        rules: [{ matches: [{ method: { service: "pkg.Shop", method: "Buy" } }], ...to("c") }],
      }),
    );
    expect(explain("GET", "http://x.test:8080/")).toMatchObject({
      route: { origin: { ref: "HTTPRoute/default/web", field: "spec.rules[1]" } },
      tried: [
        { why: "path / is not /pkg.Shop/Buy", near: false },
        {
          why: "header x-canary is absent",
          near: true,
          origin: { ref: "HTTPRoute/default/web", field: "spec.rules[0]" },
        },
      ],
    });
    expect(explain("POST", "http://x.test:8080/pkg.Shop/Buy")).toMatchObject({
      route: { origin: { ref: "GRPCRoute/default/grpc", field: "spec.rules[0]" } },
    });
  });

  it("lets a wildcard stand for several labels, but not that of an HTTPProxy beside it", () => {
    const proxy = httpProxy("default", "wild", {
      virtualhost: { fqdn: "*.w.test" },
      routes: [{ services: [{ name: "b", port: 80 }] }],
    });
    const explain = explainObjects(
      ...edge,
      proxy,
      route("wild", [{ ...prefix("/deep"), ...to("a") }], undefined, ["*.w.test"]),
    );
    expect(explain("GET", "http://x.y.w.test/deep")).toMatchObject({
      outcome: "forward",
      virtualHost: { domain: "*.w.test" },
      route: { origin: { ref: "HTTPRoute/default/wild" } },
    });
    expect(explain("GET", "http://x.y.w.test/")).toMatchObject({
      outcome: "not-found",
      hints: ["HTTPProxy/default/wild: *.w.test covers only names with one label before .w.test"],
    });
    expect(explain("GET", "http://x.y.w.test:8080/").hints).toEqual([]);
  });

  it("tells what is wrong with a route, a listener or the Gateway behind a host that is not served", () => {
    const detached = route("detached", [to("a")], "nowhere");
    const explain = explainObjects(
      ...gateway(
        onPort(8080, "web", "HTTP", { hostname: "*.web.test" }),
        onPort(8443, "secure", "HTTPS", { hostname: "secure.test" }),
      ),
      detached,
      route("secure", [to("a")], "secure", ["secure.test"]),
      route("unattached", [to("a")], "nowhere", []),
      route("web", [to("a")], "web", ["a.web.test"]),
    );
    const missing =
      'no listener of Gateway infra/edge with the name "nowhere" is there; its listeners: web (HTTP, port 80), secure (HTTPS, port 443)';
    expect(explain("GET", "http://x.test/").hints).toEqual([
      "x.test is claimed by HTTPRoute/default/detached",
      `HTTPRoute/default/detached spec.parentRefs[0]: ${missing}`,
      `HTTPRoute/default/unattached spec.parentRefs[0]: ${missing}`,
    ]);
    expect(explain("GET", "https://secure.test/").hints).toContain(
      "Gateway/infra/edge spec.listeners[1]: tls is required when protocol is HTTPS",
    );
    expect(explainer(parse(detached))("GET", "http://x.test/").hints).toEqual([
      "x.test is claimed by HTTPRoute/default/detached",
      "HTTPRoute/default/detached spec: is not served: the setting gatewayRef names the Gateway infra/edge, which is missing",
    ]);
  });

  it("tells a 500 for backends that are not there, and what is wrong", () => {
    const found = explainObjects(...edge, route("web", [to("missing")], "late"))(
      "GET",
      "http://x.test:8080/",
    );
    expect(found).toMatchObject({
      outcome: "respond",
      status: 500,
      summary: "Envoy itself answers 500",
      facts: [{ what: "response", value: "500" }],
      hints: [
        expect.stringMatching(/^HTTPRoute\/default\/web spec\.rules\[0\]\.backendRefs\[0\]: .*missing/),
      ],
    });
  });
});

describe("explain, by filters of the Gateway API", () => {
  const replace = (type: "ReplaceFullPath" | "ReplacePrefixMatch", value: string): Manifest => ({
    path: { type, [type === "ReplaceFullPath" ? "replaceFullPath" : "replacePrefixMatch"]: value },
  });
  const rewrite = (path: string, urlRewrite: Manifest): Manifest => ({
    ...prefix(path),
    filters: [{ type: "URLRewrite", urlRewrite }],
    ...to("a"),
  });
  const redirect = (path: string, requestRedirect: Manifest): Manifest => ({
    ...prefix(path),
    filters: [{ type: "RequestRedirect", requestRedirect }],
  });
  const mirror = (name: string, share: Manifest): Manifest => ({
    type: "RequestMirror",
    requestMirror: { backendRef: { name, port: 80 }, ...share },
  });
  const header = (name: string, value: string): Manifest => ({ name, value });
  const explain = explainObjects(
    ...edge,
    route("filters", [
      rewrite("/strip", replace("ReplacePrefixMatch", "/")),
      rewrite("/whole", replace("ReplaceFullPath", "/back\\1slash")),
      rewrite("/prefix", replace("ReplacePrefixMatch", "/other")),
      redirect("/moved", { hostname: "new.test", statusCode: 301, ...replace("ReplacePrefixMatch", "/") }),
      redirect("/port", { scheme: "https", port: 8443 }),
      {
        ...prefix("/mirror"),
        filters: [
          mirror("b", { percent: 10 }),
          mirror("c", { fraction: { numerator: 1, denominator: 3 } }),
          mirror("a", {}),
        ],
        ...to("a"),
      },
      {
        ...prefix("/headers"),
        filters: [
          {
            type: "RequestHeaderModifier",
            requestHeaderModifier: {
              set: [header("X-Set", "1")],
              add: [header("X-Add", "2")],
              remove: ["X-Gone"],
            },
          },
          { type: "ResponseHeaderModifier", responseHeaderModifier: { add: [header("X-Answer", "3")] } },
        ],
        ...to("a"),
      },
    ]),
  );
  const factsOf = (path: string, what: string): string[] =>
    explain("GET", `http://x.test${path}`)
      .facts.filter((fact) => fact.what === what)
      .map(({ value }) => value);

  it.each([
    ["/strip", "/"],
    ["/strip//x?q=1", "/x"],
    ["/whole/x?q=1", "/back\\1slash"],
    ["/prefix/x", "/other/x"],
  ])("%s is %s to a backend", (path, seen) => {
    expect(explain("GET", `http://x.test${path}`)).toMatchObject({
      path: seen,
      summary: `goes to default/a/80 as ${seen}`,
    });
  });

  it("tells rewrites and redirects in words", () => {
    expect(factsOf("/strip", "path")).toEqual(["^/strip/* becomes /"]);
    expect(factsOf("/whole", "path")).toEqual(["^/.*$ becomes /back\\\\1slash"]);
    expect(factsOf("/moved", "redirect")).toEqual(["301, host new.test, path where ^/moved/* becomes /"]);
  });

  it.each([
    ["http://x.test/moved/x?q=1", 301, "http://new.test/x?q=1"],
    ["http://x.test:80/moved", 301, "http://new.test/"],
    ["http://x.test:8080/port", 302, "https://x.test:8443/port"],
  ])("%s is redirected with %i to %s", (url, status, location) => {
    expect(explain("GET", url)).toMatchObject({ outcome: "redirect", status, location });
  });

  it("tells that websockets are let through", () => {
    expect(factsOf("/strip", "upgrades")).toEqual(["websocket"]);
  });

  it("tells several mirrors with their shares, and headers that are set, added and removed", () => {
    expect(factsOf("/mirror", "mirror")).toEqual([
      "10 % to default/b/80",
      "33.3333 % to default/c/80",
      "100 % to default/a/80",
    ]);
    expect(factsOf("/headers", "request headers")).toEqual(["set X-Set: 1, add X-Add: 2, remove X-Gone"]);
    expect(factsOf("/headers", "response headers")).toEqual(["add X-Answer: 3"]);
  });
});

describe("rewritten", () => {
  const regex = (pattern: string, substitution: string, path: string): string | undefined =>
    rewritten({ regex_rewrite: { pattern: { regex: pattern }, substitution } }, {}, path);

  it.each([
    ["/x", "/y", "/x/x/z", "/y/y/z"],
    ["^/x", "", "/x/x", "/x"],
    ["^/(a|b)/(c)?", "/\\2\\1\\\\1", "/a/z", "/a\\1z"],
    ["a*", "-", "baac", "-b-c-"],
    ["none", "x", "/y", "/y"],
  ])("%s becomes %s: %s is %s", (pattern, substitution, path, expected) => {
    expect(regex(pattern, substitution, path)).toBe(expected);
  });

  it("puts a prefix in the place of what was matched", () => {
    const to = { prefix_rewrite: "/to" };
    expect(rewritten(to, { path_separated_prefix: "/a" }, "/a/b")).toBe("/to/b");
    expect(rewritten(to, { safe_regex: { regex: "/a.*" } }, "/a/b")).toBe("/to");
    expect(rewritten({}, { prefix: "/" }, "/a")).toBeUndefined();
  });
});

describe("hostNode", () => {
  const objects = parse(
    ...edge,
    ...tcp,
    route("web", [to("a")], "web"),
    route("late", [to("b")], "late"),
    route("any", [to("a")], "secure", []),
  );
  const store = compileAll(objects);
  const snapshot = link(store, settings.spec);
  const node = (host: string): ReturnType<typeof hostNode> =>
    hostNode(
      host,
      wholeTables(snapshot.tables),
      readConfig(snapshot),
      originsIn(store, settings.spec, platform),
    );

  it("shows the routes of a host on each listener, with their origins", () => {
    const { tables, tls, elsewhere } = node("x.test");
    const origins = Object.entries(tables).map(([table, routes]) => [table, routes[0]?.origin?.ref]);
    expect(Object.fromEntries(origins)).toEqual({
      ingress_http: "HTTPRoute/default/web",
      "http-8080": "HTTPRoute/default/late",
    });
    expect([tls, elsewhere]).toEqual([undefined, undefined]);
  });

  it("shows what TLS and TCP connections meet on further listeners", () => {
    const cluster = (name: string): unknown => expect.stringMatching(`^default/${name}/80/`);
    const through = { what: "TLS", value: "passed through" };
    const passed = (name: string, ...facts: readonly unknown[]) => ({
      facts,
      clusters: [{ cluster: cluster(name), weight: 1, endpoints: [], endpointCount: 0 }],
    });
    expect(node("pass.test")).toEqual({
      host: "pass.test",
      elsewhere: { "https-8443": passed("b", through) },
      tables: {},
    });
    const any = node("*");
    expect(any.tls?.facts).toContainEqual({ what: "certificate", value: "infra/secure" });
    expect(any.elsewhere).toMatchObject({ "https-8444": passed("c", through), "tcp-9001": passed("a") });
    expect(any.tables.ingress_https).toMatchObject([{ origin: { ref: "HTTPRoute/default/any" } }]);
  });
});
