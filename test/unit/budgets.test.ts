import { RE2JS } from "re2js";
import { describe, expect, it, vi } from "vitest";
import { Forest } from "../../src/graph/cost/forest.js";
import type { Finding } from "../../src/schema/meta.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Store } from "../../src/store/store.js";
import { type Change, update } from "../../src/update.js";
import { application } from "../bench/apps.js";
import { type Attack, attacks } from "../support/attacks.js";
import { httpProxy, ingressRoute, type Manifest, secret, service, tlsSecret } from "../support/backend.js";
import { compileAll, platform, resourcesOf } from "../support/compile.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";

const parse = (manifest: unknown): KubeObject => {
  const parsed = parseObject(manifest);
  if (!("object" in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.object;
};
const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const budgeted = (budgets: Manifest, more: Manifest = {}): KubeObject =>
  parseSettings({ ...gatewaySettings, budgets, ...more }).settings;

/** A manifest whose creation time is a day of January. */
const made = (day: number, manifest: Manifest): Manifest => ({
  ...manifest,
  metadata: {
    ...(manifest.metadata as Manifest),
    creationTimestamp: `2026-01-${String(day).padStart(2, "0")}T00:00:00Z`,
  },
});
const overOf = (store: Store): Finding[] =>
  [...store.findings()].filter(({ reason }) => reason === "OverBudget");
const refsOf = (store: Store): string[] => overOf(store).map(({ about }) => about);
const hosts = (store: Store): string[] =>
  resourcesOf(store)
    .filter(({ type }) => type === "virtual-host")
    .map(({ name }) => name);

const services = [{ name: "web", port: 80 }];
const routes = (count: number): Manifest[] =>
  many(count, (i) => ({ conditions: [{ prefix: `/${i}` }], services }));
const web = service("shop", "web");
const child = (name: string, count: number, namespace = "shop"): Manifest =>
  httpProxy(namespace, name, { routes: routes(count) });
const root = (name: string, spec: Manifest, namespace = "shop"): Manifest =>
  httpProxy(namespace, name, { virtualhost: { fqdn: `${name}.${namespace}.test` }, ...spec });

describe("content that is written once", () => {
  it("is never over a budget: routes, and children of a single host", () => {
    const objects = [
      web,
      root("plain", { routes: routes(50) }),
      ...many(20, (i) => child(`child-${i}`, 5)),
      ...many(20, (i) => root(`root-${i}`, { includes: [{ name: `child-${i}` }] })),
      root("all", { includes: [{ name: "one", namespace: "team" }] }),
      child("one", 40, "team"),
    ];
    const store = compileAll([budgeted({ routes: 0, bytes: 0, programSize: 0 }), ...objects.map(parse)]);
    expect(refsOf(store)).toEqual([]);
    expect(hosts(store)).toContain("all.shop.test");
  });

  it("is free for a route of the Gateway API with three hosts over HTTP and HTTPS", () => {
    const listeners = [onPort(8080, "http", "HTTP"), onPort(8081, "other", "HTTP")];
    const route = (count: number): Manifest =>
      gatewayRoute("HTTPRoute", `of-${count}`, {
        hostnames: many(count, (i) => `h${i}.test`),
        rules: [{ backendRefs: backendRefs("web") }],
      });
    const store = compileAll([
      budgeted({ routes: 0 }),
      ...[...gateway(...listeners), service("default", "web"), route(3), route(4)].map(parse),
    ]);
    expect(refsOf(store)).toEqual(["HTTPRoute/default/of-4"]);
  });

  it("is free for plain applications, however many are in one namespace", () => {
    const objects = many(200, (i) => application(i, "shop").map(parse)).flat();
    const none = { routes: 0, bytes: 0, programSize: 0, keySets: 0, clusters: 0 };
    expect([...compileAll([budgeted(none), ...objects]).findings()]).toEqual([]);
  });
});

const prefix = (value: string): Manifest => ({ conditions: [{ prefix: value }] });
const twice = ["/a", "/b"].map((at) => ({ name: "child", ...prefix(at) }));
const expression = (name: string, regex: string): Manifest =>
  root(name, { routes: [{ conditions: [{ regex }], services }] });
const ingress = (name: string, path: string): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { namespace: "shop", name },
  spec: {
    rules: many(2, (i) => ({
      host: `${name}-${i}.test`,
      http: {
        paths: [
          {
            path,
            pathType: "ImplementationSpecific",
            backend: { service: { name: "web", port: { number: 80 } } },
          },
        ],
      },
    })),
  },
});
const httpRoute = (name: string, rule: Manifest): Manifest =>
  gatewayRoute("HTTPRoute", name, {
    hostnames: [`${name}.test`],
    rules: [{ backendRefs: backendRefs("web"), ...rule }],
  });
const grpcRoute = (name: string, count: number): Manifest =>
  gatewayRoute("GRPCRoute", name, {
    hostnames: many(count, (i) => `${name}-${i}.test`),
    rules: [{ backendRefs: backendRefs("web") }],
  });
const edge = [...gateway(onPort(9080, "web", "HTTP")), service("default", "web")];
const tlsService = (name: string): Manifest => ({
  conditions: [{ prefix: `/${name}` }],
  services: [{ name, port: 80, protocol: "tls", validation: { caSecret: "ca", subjectName: "a.test" } }],
});
const filter = (length: number): Manifest => ({
  matches: many(20, (i) => ({ path: { value: `/${i}` } })),
  filters: [
    {
      type: "RequestHeaderModifier",
      requestHeaderModifier: { set: [{ name: "x", value: "v".repeat(length) }] },
    },
  ],
});

/** For each case, two objects that together are over a budget; the second one is younger. */
/** A host whose JWTs are signed with the keys of these servers. */
const withKeySets = (name: string, ...servers: readonly string[]): Manifest =>
  httpProxy("shop", name, {
    virtualhost: {
      fqdn: `${name}.test`,
      tls: { secretName: "secure" },
      jwtProviders: servers.map((server, i) => ({
        name: `p${i}`,
        remoteJWKS: { uri: `https://${server}/keys` },
      })),
    },
    routes: [{ services }],
  });

const cases: readonly [string, string, Manifest, readonly Manifest[], [Manifest, Manifest]][] = [
  [
    "a child that HTTPProxies share",
    "routes",
    { routes: 4 },
    [child("child", 5)],
    [root("young", { includes: [{ name: "child" }] }), root("old", { includes: [{ name: "child" }] })],
  ],
  [
    "a child that is included twice",
    "routes",
    { routes: 9 },
    [child("child", 5)],
    [root("young", { includes: twice }), root("old", { includes: twice })],
  ],
  [
    "servers of key sets",
    "keySets",
    { keySets: 3 },
    [tlsSecret("shop", "secure")],
    [withKeySets("young", "c.test", "d.test"), withKeySets("old", "a.test", "b.test")],
  ],
  [
    "an IngressRoute that is delegated to",
    "routes",
    { routes: 4 },
    [ingressRoute("shop", "child", { routes: many(5, (i) => ({ match: `/${i}`, services })) })],
    [
      ingressRoute("shop", "young", {
        virtualhost: { fqdn: "young.test" },
        routes: [{ match: "/", delegate: { name: "child" } }],
      }),
      ingressRoute("shop", "old", {
        virtualhost: { fqdn: "old.test" },
        routes: [{ match: "/", delegate: { name: "child" } }],
      }),
    ],
  ],
  [
    "long conditions of an include",
    "bytes",
    { bytes: 15_000 },
    [child("a", 10), child("b", 10)],
    [
      root("young", {
        includes: [{ name: "a", conditions: [{ header: { name: "x", exact: "v".repeat(1000) } }] }],
      }),
      root("old", {
        includes: [{ name: "b", conditions: [{ header: { name: "x", exact: "v".repeat(1000) } }] }],
      }),
    ],
  ],
  [
    "a Secret that many clusters copy",
    "bytes",
    { bytes: 15_000 },
    [secret("shop", "ca", { "ca.crt": "x".repeat(10_000) })],
    [
      root("young", { routes: [tlsService("a")] }),
      root("old", { routes: [tlsService("b"), tlsService("c")] }),
    ],
  ],
  [
    "filters of a rule with many matches",
    "bytes",
    { bytes: 30_000 },
    edge,
    [httpRoute("young", filter(1000)), httpRoute("old", filter(1000))],
  ],
  ["hosts of a GRPCRoute", "routes", { routes: 10 }, edge, [grpcRoute("young", 10), grpcRoute("old", 10)]],
  [
    "repetitions in regular expressions of an HTTPProxy",
    "programSize",
    { programSize: 1500 },
    [],
    [expression("young", "/a{1000}"), expression("old", "/b{1000}")],
  ],
  [
    "repetitions in regular expressions of an Ingress",
    "programSize",
    { programSize: 2500 },
    [],
    [ingress("young", "/a[b]{999}"), ingress("old", "/b[b]{999}")],
  ],
  [
    "repetitions in regular expressions of an HTTPRoute",
    "programSize",
    { programSize: 1500 },
    edge,
    [
      httpRoute("young", { matches: [{ path: { type: "RegularExpression", value: "/a{1000}" } }] }),
      httpRoute("old", {
        matches: [{ headers: [{ type: "RegularExpression", name: "x", value: "b{1000}" }] }],
      }),
    ],
  ],
  [
    "regular expressions that a shared child copies",
    "programSize",
    { programSize: 500 },
    [httpProxy("shop", "child", { routes: [{ conditions: [{ regex: `/${"a".repeat(300)}` }], services }] })],
    [root("young", { includes: twice }), root("old", { includes: twice })],
  ],
];

describe("over a budget", () => {
  it.each(cases)("%s: the older object stays served", (_, dimension, budgets, around, [young, old]) => {
    const settings = budgeted(budgets);
    const common = [web, ...around].map(parse);
    const [second, first] = [parse(made(2, young)), parse(made(1, old))];
    for (const both of [
      [first, second],
      [second, first],
    ]) {
      const store = compileAll([settings, ...common, ...both]);
      expect(new Set(refsOf(store))).toEqual(new Set([second.ref]));
      for (const { message, severity } of overOf(store))
        expect([severity, message]).toEqual([
          "error",
          expect.stringContaining(`(setting budgets.${dimension})`),
        ]);
      expect(hosts(store).some((host) => host.startsWith("old"))).toBe(true);
      expect(hosts(store).some((host) => host.startsWith("young"))).toBe(false);
    }
    expect(refsOf(compileAll([settings, ...common, second]))).toEqual([]);
    expect(refsOf(compileAll([...common, first, second]))).toEqual([]);
  });

  it("has the dimension, the budget and the setting in its message", () => {
    const roots = ["a", "b"].map((name) => root(name, { includes: [{ name: "child" }] }));
    const store = compileAll([budgeted({ routes: 4 }), ...[web, child("child", 5), ...roots].map(parse)]);
    expect(overOf(store)).toMatchInlineSnapshot(`
      [
        {
          "about": "HTTPProxy/shop/b",
          "message": "generates 5 routes beyond its own content, by includes, delegations, hosts and matches; the budget of all objects of namespace shop is 4, older objects first (setting budgets.routes): reduce the sharing, or raise the setting",
          "path": "spec",
          "reason": "OverBudget",
          "severity": "error",
          "type": "SpecError",
        },
      ]
    `);
  });

  it("each namespace has its own; a child counts for the object that includes it", () => {
    const objects = [
      service("team", "web"),
      child("child", 5, "team"),
      ...["a", "b", "c"].map((namespace) =>
        root("one", { includes: [{ name: "child", namespace: "team" }] }, namespace),
      ),
      root("two", { includes: [{ name: "child", namespace: "team" }] }, "c"),
      root("own", { includes: [{ name: "child" }] }, "team"),
    ];
    const store = compileAll([budgeted({ routes: 4 }), ...objects.map(parse)]);
    expect(refsOf(store)).toEqual(["HTTPProxy/c/two"]);
  });

  it("a server of key sets counts once for all hosts, paths and spellings", () => {
    const around = [budgeted({ keySets: 1 }), ...[web, tlsSecret("shop", "secure")].map(parse)];
    const sharing = many(20, (i) =>
      parse(made(1 + i, withKeySets(`h${i}`, i % 2 ? "keys.test" : "KEYS.test"))),
    );
    const store = compileAll([...around, ...sharing]);
    expect(refsOf(store)).toEqual([]);
    update(store, [parse(made(25, withKeySets("more", "keys.test", "other.test")))], platform);
    expect([...new Set(refsOf(store))]).toEqual(["HTTPProxy/shop/more"]);
    update(
      store,
      sharing.map(({ ref }) => ({ gone: ref })),
      platform,
    );
    expect([...new Set(refsOf(store))]).toEqual(["HTTPProxy/shop/more"]);
    update(store, [parse(made(25, withKeySets("more", "other.test")))], platform);
    expect(refsOf(store)).toEqual([]);
  });

  it("an Ingress over budget provides no certificate", () => {
    const backend = { service: { name: "web", port: { number: 80 } } };
    const path = { path: `/${"[a-z]{30}".repeat(8)}`, pathType: "ImplementationSpecific", backend };
    const ingress = parse({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { namespace: "default", name: "secure" },
      spec: {
        tls: [{ hosts: ["secure.test"], secretName: "secure" }],
        rules: [{ host: "secure.test", http: { paths: [path] } }],
      },
    });
    const plain = {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { namespace: "default", name: "plain" },
      spec: {
        rules: [{ host: "secure.test", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      },
    };
    const around = [plain, service("default", "web"), tlsSecret("default", "secure")].map(parse);
    const chains = (programSize: number): string[] =>
      resourcesOf(compileAll([budgeted({ programSize }), ingress, ...around]))
        .filter(({ type }) => type === "filter-chain")
        .map(({ name }) => name);
    expect(chains(100_000)).toEqual(["secure.test"]);
    expect(chains(10)).toEqual([]);
  });

  it("ignores objects of another class, and roots outside of the root namespaces", () => {
    const includes = [{ name: "child" }];
    const objects = [
      web,
      child("child", 5),
      root("a", { ingressClassName: "other", includes }),
      root("b", { includes }),
      root("c", { includes }),
    ];
    const settings = (more: Manifest) => [budgeted({ routes: 5 }, more), ...objects.map(parse)];
    expect(refsOf(compileAll(settings({})))).toEqual([]);
    expect(refsOf(compileAll(settings({ ingressClassNames: [] })))).toEqual([]);
    expect(refsOf(compileAll(settings({ rootNamespaces: ["other"] })))).toEqual([]);
    // They also do not change the budget that is left for others.
    const fewer = [budgeted({ routes: 4 }), ...objects.map(parse)];
    expect(refsOf(compileAll(fewer))).toEqual(["HTTPProxy/shop/c"]);
  });

  it("an object that generates no more than its content stays served, whatever its age", () => {
    const objects = [
      web,
      child("child", 5),
      ...["a", "b"].map((name) => made(1, root(name, { includes: [{ name: "child" }] }))),
      made(2, root("plain", { routes: routes(9) })),
    ];
    const store = compileAll([budgeted({ routes: 3 }), ...objects.map(parse)]);
    expect(refsOf(store)).toEqual(["HTTPProxy/shop/b"]);
    expect(hosts(store)).toContain("plain.shop.test");
  });
});

describe("work", () => {
  /** The number of units, reads and evaluated objects of an edit. */
  const workOf = (count: number, change: Change): Record<string, number> => {
    const store = createMemoryStore();
    const objects = [
      web,
      ...many(count, (i) => child(`child-${i}`, 2)),
      ...many(count, (i) => root(`root-${i}`, { includes: [{ name: `child-${i}` }] })),
    ];
    update(store, objects.map(parse), platform);
    const object = vi.spyOn(store, "object");
    const node = vi.spyOn(Forest.prototype, "node");
    const { units } = update(store, [change], platform);
    const [read, judged] = [object.mock.calls.length, node.mock.calls.length];
    node.mockRestore();
    return { units, read, judged };
  };

  it.each([
    ["a child", parse(child("child-7", 3))],
    ["a root", parse(root("root-7", { routes: routes(1) }))],
    ["a new root", parse(root("new", { includes: [{ name: "child-7" }] }))],
    ["a child that goes", { gone: parse(child("child-7", 0)).ref }],
  ])("within a budget does not depend on the number of objects: %s", (_, change) => {
    expect(workOf(500, change)).toEqual(workOf(50, change));
  });

  it.each([
    "includes: a circle with many members",
    "includes: nothing, through one object",
    "includes: a lattice",
  ])("to judge is linear in the objects: %s", (name) => {
    const visits = (bytes: number): number => {
      const node = vi.spyOn(Forest.prototype, "node");
      const objects = (attacks[name]?.(bytes) ?? []).map(parse);
      compileAll(objects);
      const { length } = node.mock.calls;
      node.mockRestore();
      return length / objects.length;
    };
    expect(visits(400_000)).toBeLessThan(2 * visits(100_000));
  });

  const served = (make: Attack, bytes: number): { json: number; findings: number; compiled: number } => {
    const compile = vi.spyOn(RE2JS, "compile");
    const objects = make(bytes).flatMap((manifest) => {
      const parsed = parseObject(manifest);
      return "object" in parsed ? [parsed.object] : [];
    });
    const store = compileAll([budgeted({}), ...objects]);
    const compiled = compile.mock.calls.reduce((sum, [text]) => sum + text.length, 0);
    compile.mockRestore();
    return {
      json: resourcesOf(store).reduce((sum, { json }) => sum + json.length, 0),
      findings: JSON.stringify([...store.findings()]).length,
      compiled,
    };
  };

  it.each(Object.entries(attacks))("for 100 KB is bounded: %s", (_, attack) => {
    const { json, findings, compiled } = served(attack, 100_000);
    // Plain hosts of the same size generate about 150 KB.
    expect(json).toBeLessThan(3_000_000);
    expect(findings).toBeLessThan(600_000);
    expect(compiled).toBeLessThan(120_000);
  });

  it.each(["EndpointSlice", "Endpoints"])(
    "ports times addresses of %s are bounded for a port of a Service",
    (kind) => {
      const addresses = many(1000, (i) => `10.0.${i >> 8}.${i & 255}`);
      const ports = many(5000, (i) => ({ port: i + 1 }));
      const metadata = { namespace: "default", name: "web", labels: { "kubernetes.io/service-name": "web" } };
      const listed =
        kind === "Endpoints"
          ? { apiVersion: "v1", subsets: [{ addresses: addresses.map((ip) => ({ ip })), ports }] }
          : {
              apiVersion: "discovery.k8s.io/v1",
              addressType: "IPv4",
              endpoints: addresses.map((address) => ({ addresses: [address] })),
              ports,
            };
      const objects = [
        { ...service("default", "web"), spec: { ports: [{ port: 80 }] } },
        { kind, metadata, ...listed },
        httpProxy("default", "web", {
          virtualhost: { fqdn: "web.test" },
          routes: [{ services: [{ name: "web", port: 80 }] }],
        }),
      ];
      const store = compileAll(objects.map(parse));
      const endpoints = resourcesOf(store).filter(({ type }) => type === "endpoints");
      expect(endpoints.map(({ json }) => json.split('"port_value"').length - 1)).toEqual([20_000]);
      expect([...store.findings()].map(({ about, reason }) => `${about} ${reason}`)).toEqual([
        `${kind}/default/web TooManyEndpoints`,
      ]);
    },
  );

  it("findings of one object are bounded, in number and size", () => {
    const routes = many(5000, (i) => ({ conditions: [{ prefix: `bad${i}` }], services }));
    const store = compileAll([parse(root("bad", { routes }))]);
    const found = [...store.findings()];
    expect(found).toHaveLength(101);
    expect(found.at(-1)).toMatchObject({ severity: "error", reason: "TooManyFindings" });
    const parsed = parseObject({
      ...root("bad", { routes: many(5000, () => ({ services: [{ name: "web", port: "x".repeat(5000) }] })) }),
    });
    expect("findings" in parsed && parsed.findings.length).toBe(101);
  });
});
