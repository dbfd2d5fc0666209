import { describe, expect, it } from "vitest";
import type { ConfigChange } from "../../src/explain/change.js";
import { type EnvoyConfig, readConfig } from "../../src/explain/config.js";
import { aligned, diff } from "../../src/explain/diff.js";
import { reviewOf } from "../../src/explain/review.js";
import { formatReview } from "../../src/explain/review-text.js";
import { link } from "../../src/link/snapshot.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { endpointSlice, httpProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { compileAll } from "../support/compile.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";

const { settings } = parseSettings({ allowLoopbackEndpoints: true });
const config = (objects: readonly KubeObject[]): EnvoyConfig =>
  readConfig(link(compileAll([settings, ...objects]), settings.spec));

const parse = (manifests: readonly Manifest[]): KubeObject[] =>
  manifests.flatMap((manifest) => {
    const parsed = parseObject(manifest);
    return "object" in parsed ? [parsed.object] : [];
  });
const services = ["a", "b"].map((name) => service("default", name));
const changes = (before: readonly Manifest[], after: readonly Manifest[]): ConfigChange[] =>
  diff(...aligned(config(parse([...services, ...before])), config(parse([...services, ...after]))));
const formatChanges = (found: readonly ConfigChange[]): string =>
  formatReview(reviewOf(found, config([])), { uncompared: [], rewritten: [] });

const to = (name: string, fields: Manifest = {}): readonly Manifest[] => [{ name, port: 80, ...fields }];
const proxy = (routes: readonly Manifest[], host: Manifest = {}, fqdn = "x.test"): Manifest =>
  httpProxy("default", fqdn.replace(".", "-"), { virtualhost: { fqdn, ...host }, routes });

describe("diff", () => {
  it("tells hosts that come and go, with their routes", () => {
    const found = changes(
      [proxy([{ services: to("a") }]), proxy([{ services: to("a") }], {}, "old.test")],
      [proxy([{ services: to("a") }]), proxy([{ services: to("b") }], {}, "new.test")],
    );
    expect(found).toEqual([
      {
        kind: "host",
        name: "new.test (http)",
        host: "new.test (http)",
        domain: "new.test",
        listener: "ingress_http",
        change: "added",
        details: [{ what: "prefix /", after: "default/b/80" }],
      },
      {
        kind: "host",
        name: "old.test (http)",
        host: "old.test (http)",
        domain: "old.test",
        listener: "ingress_http",
        change: "removed",
        details: [{ what: "prefix /", before: "default/a/80" }],
      },
      { kind: "cluster", name: "default/b/80", change: "added", details: [] },
    ]);
  });

  it("tells what of a route changes, and routes that come and go", () => {
    const found = changes(
      [
        proxy([
          { services: to("a"), timeoutPolicy: { response: "5s" } },
          { conditions: [{ prefix: "/old" }], services: to("b") },
        ]),
      ],
      [
        proxy([
          {
            services: [...to("a", { weight: 9 }), ...to("b", { weight: 1 })],
            timeoutPolicy: { response: "6s" },
          },
          { conditions: [{ prefix: "/new" }], directResponsePolicy: { statusCode: 404 } },
        ]),
      ],
    );
    expect(found.map(({ kind, change, name, details }) => [kind, change, name, ...details])).toEqual([
      [
        "route",
        "removed",
        "prefix /old",
        { what: "backends", before: "default/b/80" },
        { what: "timeout", before: "15s, Envoy's default" },
      ],
      [
        "route",
        "changed",
        "prefix /",
        {
          what: "backends",
          before: "default/a/80",
          after: "default/a/80 (weight 9), default/b/80 (weight 1)",
        },
        { what: "timeout", before: "5s", after: "6s" },
      ],
      ["route", "added", "prefix /new", { what: "response", after: "404" }],
    ]);
  });

  it("tells a changed cluster once, and not at each of its routes", () => {
    const routes = (strategy: string): Manifest =>
      proxy(
        ["/1", "/2", "/3"].map((prefix) => ({
          conditions: [{ prefix }],
          services: to("a"),
          loadBalancerPolicy: { strategy },
        })),
      );
    expect(changes([routes("RoundRobin")], [routes("Random")])).toEqual([
      {
        kind: "cluster",
        name: "default/a/80",
        change: "changed",
        details: [{ what: "lb_policy", after: "RANDOM" }],
      },
    ]);
  });

  it("tells at its route when that alone goes to another cluster of its service", () => {
    const routes = (strategy: string): Manifest =>
      proxy([
        { services: to("a") },
        { conditions: [{ prefix: "/r" }], services: to("a"), loadBalancerPolicy: { strategy: "Random" } },
        { conditions: [{ prefix: "/x" }], services: to("a"), loadBalancerPolicy: { strategy } },
      ]);
    const found = changes([routes("RoundRobin")], [routes("Random")]);
    expect(found).toMatchObject([{ kind: "route", name: "prefix /x", details: [{ what: "backends" }] }]);
  });

  it("tells policies of a host, not at each of its routes", () => {
    const limit = (requests: number): Manifest =>
      proxy([{ services: to("a") }], { rateLimitPolicy: { local: { requests, unit: "second" } } });
    expect(changes([limit(3)], [limit(4)])).toEqual([
      {
        kind: "host",
        name: "x.test (http)",
        host: "x.test (http)",
        domain: "x.test",
        listener: "ingress_http",
        change: "changed",
        details: [
          { what: "local rate limit", before: "3 in 1s for each Envoy", after: "4 in 1s for each Envoy" },
        ],
      },
    ]);
  });

  it("tells endpoints of a service once, in whatever order they come", () => {
    const both = [proxy([{ services: to("a") }])];
    const slices = (...ports: readonly number[]): Manifest[] =>
      ports.map((port) => endpointSlice("default", "a", port, `p${port}`));
    expect(changes([...both, ...slices(1, 2)], [...both, ...slices(3, 2)])).toEqual([
      {
        kind: "endpoints",
        name: "default/a/80",
        change: "changed",
        details: [
          { what: "endpoint", before: "127.0.0.1:1" },
          { what: "endpoint", after: "127.0.0.1:3" },
        ],
      },
    ]);
  });

  it("tells TLS by server name, and never a key", () => {
    const host = (secretName: string, fields: Manifest = {}): Manifest =>
      proxy([{ services: to("a") }], { tls: { secretName, ...fields } });
    const [cert, other] = [tlsSecret("default", "secure"), tlsSecret("default", "tcp")];
    const found = changes(
      [cert, other, host("secure")],
      [cert, other, host("tcp", { minimumProtocolVersion: "1.3" })],
    );
    expect(found).toMatchObject([
      {
        kind: "server name",
        name: "x.test",
        details: [
          { what: "TLS", before: "1.2 to 1.3", after: "1.3 to 1.3" },
          { what: "certificate", before: "default/secure", after: "default/tcp" },
        ],
      },
      { kind: "certificate", name: "default/secure", change: "removed" },
      { kind: "certificate", name: "default/tcp", change: "added" },
    ]);
    const renewed = { ...other, metadata: cert.metadata };
    const rotated = changes([cert, host("secure")], [renewed, host("secure")]);
    expect(rotated).toMatchObject([{ kind: "certificate", name: "default/secure", change: "changed" }]);
    expect(JSON.stringify(rotated)).not.toMatch(/LS0t|BEGIN/);
  });

  it("tells a listener that opens", () => {
    const text = formatChanges(changes([], [proxy([{ services: to("a") }])]));
    expect(text).toContain("listeners\n  + ingress_http\n      address: 0.0.0.0:8080\n");
  });
});

describe("diff of a Gateway", () => {
  const { settings } = parseSettings(gatewaySettings);
  const gatewayChanges = (before: readonly Manifest[], after: readonly Manifest[]): ConfigChange[] => {
    const [a, b] = [before, after].map((manifests) =>
      config([...parse([...services, ...manifests]), settings]),
    );
    return a && b ? diff(...aligned(a, b)) : [];
  };
  const route = (
    name: string,
    to: string,
    section?: string,
    kind = "HTTPRoute",
    hosts = ["x.test"],
  ): Manifest =>
    gatewayRoute(
      kind,
      name,
      { ...(hosts.length > 0 ? { hostnames: hosts } : {}), rules: [{ backendRefs: backendRefs(to) }] },
      section,
    );
  const web = onPort(8080, "web", "HTTP");
  const late = onPort(16080, "late", "HTTP");

  it("tells hosts and listeners of further ports by their port", () => {
    const edge = gateway(web, late);
    const found = gatewayChanges(
      [...edge, route("web", "a", "web"), route("late", "a", "late")],
      [...edge, route("web", "a", "web"), route("late", "b", "late")],
    );
    expect(found.filter(({ kind }) => kind !== "cluster")).toEqual([
      {
        kind: "route",
        name: "prefix /",
        host: "x.test (http on port 8080)",
        domain: "x.test",
        listener: "http-8080",
        change: "changed",
        details: [{ what: "backends", before: "default/a/80", after: "default/b/80" }],
      },
    ]);
    const opened = formatChanges(
      gatewayChanges([...edge, route("web", "a", "web")], [...edge, route("web", "a")]),
    );
    expect(opened).toBe(`x.test
  + http on port 8080
      prefix /: default/a/80
listeners
  + http-8080
      address: 0.0.0.0:16080
`);
  });

  it("tells TLS and passed connections by server name and port", () => {
    const pass = { tls: { mode: "Passthrough" } };
    const edge = [
      tlsSecret("infra", "secure"),
      ...gateway(
        onPort(8443, "secure", "HTTPS", { tls: { certificateRefs: [{ name: "secure" }] } }),
        onPort(16443, "pass", "TLS", { ...pass, hostname: "x.test" }),
        onPort(16444, "any", "TLS", pass),
      ),
    ];
    const all = (to: string): readonly Manifest[] => [
      ...edge,
      route("secure", "a", "secure"),
      route("pass", to, "pass", "TLSRoute"),
      route("any", to, "any", "TLSRoute", []),
    ];
    const found = gatewayChanges(all("a"), all("b")).filter(({ kind }) => kind !== "cluster");
    const details = [{ what: "TCP to", before: "default/a/80 (weight 1)", after: "default/b/80 (weight 1)" }];
    const changed = { kind: "server name", change: "changed", details };
    expect(found).toEqual([
      { ...changed, name: "* (https on port 8444)", domain: "*", listener: "https-8444" },
      { ...changed, name: "x.test (https on port 8443)", domain: "x.test", listener: "https-8443" },
    ]);
  });

  it("tells TCP of a listener that comes, changes and goes", () => {
    const edge = gateway(onPort(17001, "plain", "TCP"));
    const to = (name: string): readonly Manifest[] => [
      ...edge,
      route("plain", name, "plain", "TCPRoute", []),
    ];
    const listener = { kind: "listener", name: "tcp-9001" };
    const [a, b] = ["default/a/80 (weight 1)", "default/b/80 (weight 1)"];
    const address = { what: "address", after: "0.0.0.0:17001" };
    expect(gatewayChanges(edge, to("a"))[0]).toEqual({
      ...listener,
      change: "added",
      details: [address, { what: "TCP to", after: a }],
    });
    expect(gatewayChanges(to("a"), to("b"))[0]).toEqual({
      ...listener,
      change: "changed",
      details: [{ what: "TCP to", before: a, after: b }],
    });
    expect(gatewayChanges(to("b"), edge)[0]).toMatchObject({ ...listener, change: "removed" });
  });

  it("takes the listener of a port for the same when a lower port comes or goes", () => {
    const lower = onPort(8070, "lower", "HTTP");
    const [before, after] = [
      [...gateway(web), route("web", "a", "web")],
      [
        ...gateway(web, lower),
        route("web", "a", "web"),
        route("lower", "a", "lower", "HTTPRoute", ["y.test"]),
      ],
    ];
    expect(gatewayChanges(before, after).map(({ kind, name, change }) => [kind, name, change])).toEqual([
      ["listener", "ingress_http", "added"],
      ["host", "y.test (http)", "added"],
    ]);
    expect(gatewayChanges(after, before)).toHaveLength(2);
  });
});

describe("formatReview", () => {
  it("puts routes under their host, with signs", () => {
    const text = formatChanges(changes([proxy([{ services: to("a") }])], [proxy([{ services: to("b") }])]));
    expect(text).toBe(`x.test  [backends-changed]
  ~ http
    ~ prefix /  [backends-changed]
        backends: default/a/80 -> default/b/80
clusters
  - default/a/80
  + default/b/80
`);
  });

  it("says when nothing changes", () => {
    expect(formatChanges([])).toBe("no change for traffic\n");
  });
});
