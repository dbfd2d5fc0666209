import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mismatch } from "../../src/explain/match.js";
import { readRequest, seenRequest } from "../../src/explain/request.js";
import { RequestSyntaxError } from "../../src/explain/request-error.js";
import { selectVirtualHost } from "../../src/explain/select.js";
import { formatExplanation } from "../../src/explain/text.js";
import type { RouteMatch } from "../../src/gen/envoy.js";
import { mergeSlashes, normalizePath } from "../../src/graph/matches/normalize-path.js";
import { parseObject } from "../../src/schema/object.js";
import { httpProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { parseCase } from "../support/compile.js";
import { explainer } from "../support/explain.js";

const explainObjects = (...manifests: readonly Manifest[]): ReturnType<typeof explainer> =>
  explainer(
    [service("default", "a"), service("default", "b"), ...manifests].flatMap((manifest) => {
      const parsed = parseObject(manifest);
      return "object" in parsed ? [parsed.object] : [];
    }),
  );

const golden = join(import.meta.dirname, "../golden");
const explainGolden = (name: string, settings?: string): ReturnType<typeof explainer> =>
  explainer(parseCase(readFileSync(join(golden, name, "objects.yaml"), "utf8"), settings).objects);

const to = (...names: readonly string[]): readonly Manifest[] => names.map((name) => ({ name, port: 80 }));
const values = (facts: readonly { what: string; value: string }[]): Record<string, string> =>
  Object.fromEntries(facts.map(({ what, value }) => [what, value]));

describe("readRequest", () => {
  it("takes a URL apart; a Host header replaces its host, and addresses have no server name", () => {
    expect(readRequest("GET", "HTTPS://A.test:8443/x?y#z", ["X-A: 1", "x-a: 2"])).toEqual({
      method: "GET",
      scheme: "https",
      authority: "A.test:8443",
      port: 8443,
      serverName: "a.test",
      path: "/x",
      query: "y",
      headers: new Map([["x-a", "1,2"]]),
    });
    expect(readRequest("GET", "https://127.0.0.1", ["Host: b.test"])).toMatchObject({
      authority: "b.test",
      serverName: "",
      path: "/",
    });
    expect(readRequest("GET", "http://[::1]:80/é").path).toBe("/%C3%A9");
  });

  it.each([
    ["G ET", "http://a.test/", []],
    ["GET", "a.test/", []],
    ["GET", "ftp://a.test/", []],
    ["GET", "http://user@a.test/", []],
    ["GET", "http:///x", []],
    ["GET", "http://a.test/", ["no colon"]],
    ["GET", "http://a.test/", [": value"]],
  ] as const)("refuses %s %s %j", (method, url, headers) => {
    expect(() => readRequest(method, url, headers)).toThrow(RequestSyntaxError);
  });
});

describe("mismatch", () => {
  const options = {
    escapedSlashes: "keep",
    normalizePath: true,
    mergeSlashes: true,
    stripTrailingHostDot: false,
  } as const;
  const why = (match: RouteMatch, url: string, headers: readonly string[] = []): string | undefined => {
    const seen = seenRequest(readRequest("GET", url, headers), options);
    return seen ? mismatch(match, seen) : "refused";
  };

  it("says what is wrong with a path", () => {
    expect(why({ path: "/a" }, "http://x/b")).toBe("path /b is not /a");
    expect(why({ prefix: "/a" }, "http://x/b")).toBe("path /b does not start with /a");
    expect(why({ path_separated_prefix: "/a" }, "http://x/ab")).toBe("path /ab is not /a or below it");
    expect(why({ path_separated_prefix: "/a" }, "http://x/a/b")).toBeUndefined();
    expect(why({ safe_regex: { regex: "/a|/b" } }, "http://x/bc")).toBe("path /bc does not match /a|/b");
    expect(why({ safe_regex: { regex: "/(?i)A" } }, "http://x/a")).toBeUndefined();
  });

  it("says what is wrong with a header or a query parameter", () => {
    const header = (matcher: object): RouteMatch => ({ prefix: "/", headers: [{ name: "X-A", ...matcher }] });
    const not = { string_match: { exact: "b" }, invert_match: true };
    expect(why(header({ present_match: true }), "http://x/")).toBe("header x-a is absent");
    expect(why(header({ present_match: true, invert_match: true }), "http://x/", ["x-a: 1"])).toBe(
      "header x-a is present and must be absent",
    );
    expect(why(header({ string_match: { exact: "b" } }), "http://x/", ["x-a: 1"])).toBe(
      'header x-a is "1", which is not "b"',
    );
    expect(why(header(not), "http://x/", ["x-a: b"])).toBe('header x-a is "b", which must not be "b"');
    expect(why(header(not), "http://x/")).toBe("header x-a is absent");
    expect(why(header({ ...not, treat_missing_header_as_empty: true }), "http://x/")).toBeUndefined();
    const query = (matcher: object): RouteMatch => ({
      prefix: "/",
      query_parameters: [{ name: "q", ...matcher }],
    });
    expect(why(query({ present_match: true }), "http://x/?p")).toBe("query parameter q is absent");
    expect(why(query({ string_match: { suffix: "z", ignore_case: true } }), "http://x/?q=A")).toBe(
      'query parameter q is "A", which is not text that ends with "z" (in any case)',
    );
  });
});

describe("normalizePath", () => {
  it.each([
    ["/a/../b/./c/..", "/b/"],
    ["/a/%2E%2e/b", "/b"],
    ["/a/..;x=y/b", "/b"],
    ["/a/%2e;x/b", "/a/.;x/b"],
    ["/..", "/"],
    ["/a\\\\b", "/a//b"],
    ["/%41%2f%7e<{", "/A%2f~%3C%7B"],
    ["/%2%41", "/%252A"],
    ["/%zz%", "/%zz%"],
    ["/%00", undefined],
  ])("%s becomes %s", (path, normal) => {
    expect(normalizePath(path)).toBe(normal);
  });

  it("merges slashes but for two at the ends", () => {
    expect(["/a//b///", "///", "/"].map(mergeSlashes)).toEqual(["/a/b/", "//", "/"]);
  });
});

describe("selectVirtualHost", () => {
  const table = {
    virtual_hosts: ["*", "a.b.test", "*.test", "*.b.test", "b.*", "b.c.*"].map((name) => ({
      name,
      domains: [name],
    })),
  };
  it.each([
    ["a.b.test", "a.b.test"],
    ["x.b.test", "*.b.test"],
    ["x.y.b.test", "*.b.test"],
    ["b.test", "*.test"],
    [".test", "*"],
    ["b.c.org", "b.c.*"],
    ["b.org", "b.*"],
    ["b.", "*"],
    ["org", "*"],
  ])("%s is of %s", (host, domain) => {
    expect(selectVirtualHost(table, host)?.domain).toBe(domain);
  });

  it("finds none without a match", () => {
    expect(selectVirtualHost({ virtual_hosts: [{ domains: ["*.a"] }] }, "b")).toBeUndefined();
  });
});

describe("explain", () => {
  const root = httpProxy("default", "root", {
    virtualhost: { fqdn: "root.test" },
    includes: [{ name: "child", conditions: [{ prefix: "/child" }] }],
    routes: [
      {
        services: [
          { name: "a", port: 80, weight: 90 },
          { name: "b", port: 80, weight: 10 },
        ],
      },
      { conditions: [{ prefix: "/" }, { header: { name: "x-foo", present: true } }], services: to("b") },
    ],
  });
  const child = httpProxy("default", "child", {
    routes: [
      {
        services: to("b"),
        pathRewritePolicy: { replacePrefix: [{ replacement: "/" }] },
        timeoutPolicy: { response: "infinity" },
      },
    ],
  });
  const explain = explainObjects(root, child);

  it("tells the route, the field that it comes from, shares, and what was tried", () => {
    const found = explain("GET", "http://root.test/x");
    expect(found).toMatchObject({
      outcome: "forward",
      listener: { name: "ingress_http", port: 8080 },
      virtualHost: { name: "root.test", domain: "root.test", table: "ingress_http" },
      route: { match: "prefix /", origin: { ref: "HTTPProxy/default/root", field: "spec.routes[0]" } },
    });
    expect(found.backends.map(({ weight, percent, endpoints }) => [weight, percent, endpoints])).toEqual([
      [90, 90, 0],
      [10, 10, 0],
    ]);
    expect(found.tried.filter(({ near }) => near)).toMatchObject([
      { why: "header x-foo is absent", origin: { field: "spec.routes[1]" } },
    ]);
    expect(found.tried.some(({ near, why }) => !near && why.includes("/child"))).toBe(true);
  });

  it("follows an include, a rewrite and a timeout", () => {
    const found = explain("GET", "http://root.test/child/x?y");
    expect(found).toMatchObject({
      path: "/x",
      route: { origin: { ref: "HTTPProxy/default/child", field: "spec.routes[0]" } },
    });
    expect(values(found.facts).timeout).toBe("none");
  });

  it("hints at the nearest host and at the other scheme", () => {
    expect(explain("GET", "http://rot.test/")).toMatchObject({
      outcome: "not-found",
      status: 404,
      hints: ["nearest hosts: root.test"],
    });
    expect(explain("GET", "https://root.test/")).toMatchObject({
      outcome: "closed",
      hints: ["root.test is claimed by HTTPProxy/default/root", "root.test is served over http"],
    });
  });

  it("tells what is wrong with the object behind a route, or of a host that is not served", () => {
    const half = httpProxy("default", "half", {
      virtualhost: { fqdn: "half.test" },
      routes: [{ conditions: [{ prefix: "/x" }], services: to("a") }, { services: to("missing") }],
    });
    const bad = httpProxy("default", "bad", {
      virtualhost: { fqdn: "bad.test" },
      routes: [{ conditions: [{ prefix: "no-slash" }], services: to("a") }],
    });
    const over = explainObjects(half, bad);
    expect(over("GET", "http://half.test/")).toMatchObject({
      outcome: "respond",
      status: 503,
      hints: [expect.stringMatching(/^HTTPProxy\/default\/half spec\.routes\[1\].*missing/)],
    });
    expect(over("GET", "http://half.test/x").hints).toEqual([]);
    expect(over("GET", "http://bad.test/").hints).toEqual([
      "bad.test is claimed by HTTPProxy/default/bad",
      expect.stringMatching(/^HTTPProxy\/default\/bad spec\.routes\[0\].*no-slash/),
    ]);
  });

  it("chooses a filter chain by server name, refuses another Host, and never shows a key", () => {
    const secure = httpProxy("default", "secure", {
      virtualhost: { fqdn: "secure.test", tls: { secretName: "secure" } },
      routes: [{ services: to("a") }],
    });
    const over = explainObjects(root, child, secure, tlsSecret("default", "secure"));
    const found = over("GET", "https://secure.test/");
    expect(found).toMatchObject({ outcome: "forward", chain: { name: "secure.test" } });
    expect(values(found.chain?.facts ?? [])).toMatchObject({
      TLS: "1.2 to 1.3",
      certificate: "default/secure",
    });
    expect(over("GET", "https://secure.test/", ["Host: root.test"])).toMatchObject({
      outcome: "misdirected",
      status: 421,
    });
    expect(over("GET", "https://root.test/")).toMatchObject({ outcome: "closed", listener: { port: 8443 } });
    expect(over("GET", "https://127.0.0.1/")).toMatchObject({ outcome: "closed" });
    expect(over("GET", "http://secure.test/x")).toMatchObject({
      outcome: "redirect",
      status: 301,
      location: "https://secure.test/x",
      route: { origin: { ref: "HTTPProxy/default/secure" } },
    });
  });

  it("passes TCP on by server name", () => {
    const found = explainGolden("tcpproxy/passthrough-and-terminated")("GET", "https://a.test/");
    expect(found).toMatchObject({
      outcome: "tcp",
      chain: { facts: [{ what: "TLS", value: "passed through" }] },
    });
    expect(found.backends.map(({ percent }) => percent).sort()).toEqual([25, 75]);
  });

  it("says that a wildcard covers one label", () => {
    const wild = httpProxy("default", "wild", {
      virtualhost: { fqdn: "*.w.test" },
      routes: [{ services: to("a") }],
    });
    const over = explainObjects(wild);
    expect(over("GET", "http://x.w.test/").outcome).toBe("forward");
    expect(over("GET", "http://x.y.w.test/")).toMatchObject({
      outcome: "not-found",
      hints: ["HTTPProxy/default/wild: *.w.test covers only names with one label before .w.test"],
    });
  });

  it.each([
    [
      "cors/policies",
      "CORS",
      "origins * https://a.example:8443 /https://[a-z]+\\.example/, methods GET,PUT, headers authorization, exposes x-total, max-age 600, with credentials, private networks",
    ],
    [
      "rate-limit/local",
      "local rate limit",
      "3 in 1s for each Envoy, bursts to 5, answers ServiceUnavailable",
    ],
    ["ip-filter/host-and-route", "addresses", "all except 192.0.2.0/24 (peer)"],
    ["jwt/providers", "JWT", "a token of remote (issuer issuer.example) for one, two"],
    ["authorization/grpc", "authorization", "off (other routes of this host use extension/infra/auth)"],
    [
      "authorization/grpc",
      "authorization",
      "extension/infra/auth, allows requests when it does not respond, with context host=a, level=low",
    ],
    ["mirror/one-and-two", "mirror", "10 % to default/shadow/80"],
    ["retry/policies", "retries", "3 on retriable-status-codes (503), 0.15s each"],
    ["websocket/enabled", "upgrades", "websocket"],
    ["compression/fields", "compression", "off"],
    ["compression/fields", "compression", "on"],
    ["load-balancer/strategies", "affinity", "header X-User, then the client's address"],
    ["internal-redirect/policies", "internal redirects", "at most 5 of status 302, 307"],
    [
      "headers/set-remove-host",
      "request headers",
      "set X-From: 100%% %REQ(user-agent)% %%ENVIRONMENT(HOME)%% default, remove X-Internal",
    ],
  ])("tells of %s: %s %s", (name, what, value) => {
    const { objects } = parseCase(readFileSync(join(golden, name, "objects.yaml"), "utf8"));
    const over = explainer(objects);
    const facts = objects.flatMap((object) => {
      if (object.kind !== "HTTPProxy") return [];
      const { virtualhost, routes = [] } = object.spec;
      return routes.flatMap(({ conditions = [] }) =>
        ["http", "https"].flatMap((scheme) => {
          const path = conditions.find(({ prefix }) => prefix)?.prefix ?? "/";
          return over("GET", `${scheme}://${virtualhost?.fqdn}${path}`).facts;
        }),
      );
    });
    const found = facts.filter((fact) => fact.what === what).map((fact) => fact.value);
    expect(found).toContain(value);
    expect(found.filter((text) => /undefined|null|\[object/.test(text))).toEqual([]);
  });

  it("tells global rate limits where a request is forwarded", () => {
    const settings = readFileSync(join(golden, "rate-limit/global/settings.yaml"), "utf8");
    const { facts } = explainGolden("rate-limit/global", settings)("GET", "http://standard.test/");
    expect(values(facts)["global rate limit"]).toBe("extension/infra/rls with remote_address");
  });
});

describe("formatExplanation", () => {
  it("shows near misses with their origin, and only some of the others", () => {
    const routes = Array.from({ length: 30 }, (_, i) => ({
      conditions: [{ prefix: `/p${i}` }],
      services: to("a"),
    }));
    const proxy = httpProxy("default", "many", {
      virtualhost: { fqdn: "many.test" },
      routes: [
        { services: to("a") },
        { conditions: [{ header: { name: "x", exact: "y" } }], services: to("b") },
        ...routes,
      ],
    });
    const text = formatExplanation(
      explainObjects(proxy)("GET", "http://many.test/"),
      "GET /",
      ({ field }) => `f.yaml#${field}`,
    );
    expect(text).toContain("from          HTTPProxy/default/many spec.routes[0] (f.yaml#spec.routes[0])");
    expect(text).toContain(
      'prefix /, header x is "y": header x is absent\n      HTTPProxy/default/many spec.routes[1]',
    );
    expect(text).toContain("and 21 more whose path does not match");
    expect(text.match(/does not start with/g)).toHaveLength(9);
  });
});
