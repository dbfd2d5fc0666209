import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../../src/store/memory.js";
import { replaceAll, resume } from "../../src/update.js";
import { httpProxy, ingressRoute, type Manifest, service, tlsSecret } from "../support/backend.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";
import { pushServer } from "../support/pushing.js";

const team = "team";
const app = service(team, "app");
const to = (port: number): Manifest => ({ services: [{ name: "app", port }] });
const root = (name: string, spec: Manifest): Manifest =>
  httpProxy(team, name, { virtualhost: { fqdn: "a.test" }, routes: [to(80)], ...spec });
const proxy = (spec: Manifest = {}): Manifest => root("web", spec);
const broken = proxy({ routes: [to(81)] });

const path = (port: number, at = "/"): Manifest => ({
  path: at,
  pathType: "Prefix",
  backend: { service: { name: "app", port: { number: port } } },
});
const ingress = (paths: readonly Manifest[], more: Manifest = {}): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { namespace: team, name: "web" },
  spec: { rules: [{ host: "a.test", http: { paths } }], ...more },
});
const legacy = (route: Manifest): Manifest =>
  ingressRoute(team, "web", { virtualhost: { fqdn: "a.test" }, routes: [{ match: "/", ...route }] });

const listeners = [
  onPort(8080, "http", "HTTP"),
  onPort(8443, "tls", "TLS", { tls: { mode: "Passthrough" } }),
  onPort(8090, "tcp", "TCP"),
];
const gatewayed = [
  { kind: "IsolineSettings", spec: gatewaySettings },
  ...gateway(...listeners),
  service("default", "s1"),
  service("default", "s2"),
];
const route = (kind: string, section: string, rule: Manifest, more: Manifest = {}): Manifest =>
  gatewayRoute(
    kind,
    "web",
    { ...(kind === "TCPRoute" ? {} : { hostnames: ["a.test"] }), rules: [rule], ...more },
    section,
  );
const refs = (...names: readonly string[]): Manifest => ({ backendRefs: backendRefs(...names) });

/** A Gateway with an HTTPS listener beside the others, and a route on it. */
const https = (secretName: string): readonly Manifest[] => [
  { kind: "IsolineSettings", spec: gatewaySettings },
  ...gateway(
    ...listeners,
    onPort(8444, "https", "HTTPS", { tls: { certificateRefs: [{ name: secretName }] } }),
  ),
  tlsSecret("infra", "secure"),
  service("default", "s1"),
  route("HTTPRoute", "https", refs("s1")),
];

const child = (spec: Manifest): Manifest => httpProxy(team, "child", spec);
const including = proxy({ routes: [], includes: [{ name: "child", conditions: [{ prefix: "/c" }] }] });

const passthrough = (fqdn: string, port: number): Manifest => ({
  virtualhost: { fqdn, tls: { passthrough: true } },
  tcpproxy: to(port),
});

type Case = readonly [
  name: string,
  others: readonly Manifest[],
  good: readonly Manifest[],
  bad: readonly Manifest[],
  about: string,
];
const kept: readonly Case[] = [
  ["HTTPProxy: a missing port", [app], [proxy()], [broken], "HTTPProxy/team/web"],
  [
    "HTTPProxy: a bad regex",
    [app],
    [proxy()],
    [proxy({ routes: [{ conditions: [{ regex: "/a(" }], ...to(80) }] })],
    "HTTPProxy/team/web",
  ],
  [
    "HTTPProxy: a missing Secret",
    [app],
    [proxy()],
    [proxy({ virtualhost: { fqdn: "a.test", tls: { secretName: "no" } } })],
    "HTTPProxy/team/web",
  ],
  [
    "HTTPProxy: a missing include",
    [app, child({ routes: [to(80)] })],
    [including],
    [proxy({ routes: [], includes: [{ name: "no" }] })],
    "HTTPProxy/team/web",
  ],
  [
    "HTTPProxy: equal conditions",
    [app],
    [proxy()],
    [proxy({ routes: [{ conditions: [{ prefix: "/" }, { prefix: "/x" }], ...to(80) }] })],
    "HTTPProxy/team/web",
  ],
  [
    "HTTPProxy: an included object",
    [app, including],
    [child({ routes: [to(80)] })],
    [child({ routes: [to(81)] })],
    "HTTPProxy/team/child",
  ],
  [
    "HTTPProxy: another host and an error",
    [app],
    [proxy()],
    [proxy({ virtualhost: { fqdn: "b.test" }, routes: [to(81)] })],
    "HTTPProxy/team/web",
  ],
  [
    "HTTPProxy: no authorization service",
    [app],
    [proxy({ virtualhost: { fqdn: "a.test", tls: { secretName: "secure" } } }), tlsSecret(team, "secure")],
    [
      proxy({
        virtualhost: {
          fqdn: "a.test",
          tls: { secretName: "secure" },
          authorization: { extensionRef: { name: "no" } },
        },
      }),
      tlsSecret(team, "secure"),
    ],
    "HTTPProxy/team/web",
  ],
  [
    "HTTPProxy with keep-valid",
    [app, { kind: "IsolineSettings", spec: { invalidRoutes: "keep-valid" } }],
    [proxy()],
    [broken],
    "HTTPProxy/team/web",
  ],
  [
    "HTTPProxy: passthrough of a host that is kept, below a wildcard of others",
    [
      { kind: "IsolineSettings", spec: { hostOwners: [{ host: "a.test", namespaces: [team] }] } },
      app,
      service("other", "app"),
      httpProxy("other", "wild", passthrough("*.test", 80)),
    ],
    [httpProxy(team, "web", passthrough("a.test", 80))],
    [httpProxy(team, "web", passthrough("a.test", 81))],
    "HTTPProxy/team/web",
  ],
  ["IngressRoute: a missing port", [app], [legacy(to(80))], [legacy(to(81))], "IngressRoute/team/web"],
  ["Ingress: a missing port", [app], [ingress([path(80)])], [ingress([path(81)])], "Ingress/team/web"],
  [
    "Ingress: one of two paths",
    [app],
    [ingress([path(80), path(80, "/b")])],
    [ingress([path(80), path(81, "/b")])],
    "Ingress/team/web",
  ],
  [
    "Ingress: a missing Secret",
    [app, tlsSecret(team, "secure")],
    [ingress([path(80)], { tls: [{ hosts: ["a.test"], secretName: "secure" }] })],
    [ingress([path(80)], { tls: [{ hosts: ["a.test"], secretName: "no" }] })],
    "Ingress/team/web",
  ],
  [
    "HTTPRoute: a missing Service",
    gatewayed,
    [route("HTTPRoute", "http", refs("s1"))],
    [route("HTTPRoute", "http", refs("no"))],
    "HTTPRoute/default/web",
  ],
  [
    "HTTPRoute: another parent",
    gatewayed,
    [route("HTTPRoute", "http", refs("s1"))],
    [route("HTTPRoute", "no", refs("s1"))],
    "HTTPRoute/default/web",
  ],
  [
    "GRPCRoute: a missing Service",
    gatewayed,
    [route("GRPCRoute", "http", refs("s1"))],
    [route("GRPCRoute", "http", refs("no"))],
    "GRPCRoute/default/web",
  ],
  [
    "TLSRoute: a missing Service",
    gatewayed,
    [route("TLSRoute", "tls", refs("s1"))],
    [route("TLSRoute", "tls", refs("no"))],
    "TLSRoute/default/web",
  ],
  [
    "TCPRoute: a missing Service",
    gatewayed,
    [route("TCPRoute", "tcp", refs("s1"))],
    [route("TCPRoute", "tcp", refs("no"))],
    "TCPRoute/default/web",
  ],
  ["Gateway: a missing Secret", [], https("secure"), https("no"), "Gateway/infra/edge"],
];

describe("an edit that is not valid and takes down what answered", () => {
  it.each(kept)("%s: keeps the text before", async (_, others, good, bad, about) => {
    const { put, ask, log, store } = pushServer();
    expect(
      (await put([...others, ...good])).findings?.filter(({ severity }) => severity === "error"),
    ).toEqual([]);
    const dry = await put([...others, ...bad], "?dry-run=1");
    const answer = await put([...others, ...bad]);
    expect(answer).toMatchObject({ status: 200, revision: 2, changed: false });
    const errors = (answer.findings ?? []).filter(({ severity }) => severity === "error");
    expect(errors.length).toBeGreaterThan(1);
    expect(errors.every((one) => one.about === about)).toBe(true);
    expect(errors.at(-1)).toMatchObject({
      reason: "LastGoodKept",
      message: expect.stringContaining("its text of revision 1 "),
    });
    expect(dry).toMatchObject({
      changed: false,
      findings: answer.findings,
      traffic: ["no change for traffic"],
    });
    expect((await ask("GET", "/status")).findings).toEqual(answer.findings);
    expect(log.join("\n")).toContain(about);
    const fresh = createMemoryStore();
    replaceAll(fresh, [...store.objects()], { checkKeyPair: () => undefined });
    expect(new Map([...store.units()].map((unit) => [unit.unit, unit.resources]))).toEqual(
      new Map([...fresh.units()].map((unit) => [unit.unit, unit.resources])),
    );
  });
});

const off: Manifest = { kind: "IsolineSettings", spec: { keepLastGood: false } };
const secure = proxy({ virtualhost: { fqdn: "a.test", tls: { secretName: "infra/secure" } } });
const delegation: Manifest = {
  apiVersion: "projectcontour.io/v1",
  kind: "TLSCertificateDelegation",
  metadata: { namespace: "infra", name: "all" },
  spec: { delegations: [{ secretName: "secure", targetNamespaces: [team] }] },
};
const pair = tlsSecret("infra", "secure");
const annotated = (one: Manifest): Manifest => ({
  ...one,
  metadata: { ...(one.metadata as Manifest), annotations: { "projectcontour.io/ingress.class": "contour" } },
});
const only = (namespaces: readonly string[]): Manifest => ({
  kind: "IsolineSettings",
  spec: { hostOwners: [{ host: "a.test", namespaces }] },
});
const otherRoot = (name: string, created: string): Manifest => {
  const other = httpProxy("other", name, { virtualhost: { fqdn: "a.test" }, routes: [to(80)] });
  return { ...other, metadata: { ...(other.metadata as Manifest), creationTimestamp: created } };
};
const grant: Manifest = {
  apiVersion: "gateway.networking.k8s.io/v1beta1",
  kind: "ReferenceGrant",
  metadata: { namespace: team, name: "all" },
  spec: {
    from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "default" }],
    to: [{ group: "", kind: "Service" }],
  },
};
const across = (...more: readonly string[]): Manifest =>
  route("HTTPRoute", "http", {
    backendRefs: [{ name: "app", namespace: team, port: 80 }, ...backendRefs(...more)],
  });

const twoPaths = (port: number, name: string): Manifest =>
  ingress([path(port), { ...path(80, "/b"), backend: { service: { name, port: { number: 80 } } } }]);

const gone: readonly (readonly [string, readonly Manifest[], readonly Manifest[]])[] = [
  ["a Secret that is removed", [app, delegation, pair, secure], [app, delegation, annotated(secure)]],
  [
    "a Secret that is changed",
    [app, delegation, pair, secure],
    [app, delegation, { ...pair, data: {} }, annotated(secure)],
  ],
  ["a delegation that is removed", [app, delegation, pair, secure], [app, pair, annotated(secure)]],
  ["a Service that is removed", [app, proxy()], [proxy({ routes: [to(81)] })]],
  ["a grant that is removed", [...gatewayed, app, grant, across()], [...gatewayed, app, across("no")]],
  ["an include that is removed", [app, child({ routes: [to(80)] }), including], [app, annotated(including)]],
  ["a setting", [app, proxy()], [only(["other"]), app, broken]],
  ["another owner's claim", [app, proxy()], [app, broken, otherRoot("a", "2020-01-01T00:00:00Z")]],
  ["a deletion", [app, proxy()], [app]],
  ["keepLastGood: false", [off, app, proxy()], [off, app, broken]],
  ["keepLastGood: false, which comes with it", [app, proxy()], [off, app, broken]],
  [
    "a Service of one path that is removed",
    [app, service(team, "b"), twoPaths(80, "b")],
    [app, twoPaths(81, "b")],
  ],
  [
    "an object that was partly valid before, and would be whole now",
    [app, twoPaths(80, "b")],
    [app, service(team, "b"), twoPaths(81, "b")],
  ],
  [
    "an object that was valid before, and answered nothing as its root was not",
    [app, proxy({ routes: [to(81)], includes: [{ name: "child" }] }), child({ routes: [to(80)] })],
    [app, including, child({ routes: [to(81)] })],
  ],
  ["an object that was not valid before", [app, broken], [app, proxy({ routes: [to(82)] })]],
  [
    "an object that answered nothing before",
    [app, child({ routes: [to(80)] })],
    [app, child({ routes: [to(81)] })],
  ],
];

describe("the text before is not kept", () => {
  it.each(gone)("for %s", async (_, before, after) => {
    const { put, serves, store } = pushServer();
    await put(before);
    const answer = await put(after);
    expect(answer.status).toBe(200);
    expect(answer.findings?.map(({ reason }) => reason)).not.toContain("LastGoodKept");
    expect(await serves("a.test")).not.toBe('"forward"');
    expect(store.revisionContent("main", 2)?.held).toEqual([]);
    expect(store.cursor("judging")).toBeFalsy();
  });

  it("where nothing that answered is lost", async () => {
    const { put, serves } = pushServer();
    await put([app, ingress([path(80)])]);
    const answer = await put([app, ingress([path(80), path(81, "/new")])]);
    expect(answer.findings?.map(({ reason }) => reason)).toEqual(["ServiceUnresolvedReference"]);
    expect(await serves("a.test")).toBe('"forward"');
  });

  it("where the push is strict: it changes nothing", async () => {
    const { put, store } = pushServer();
    await put([app, proxy()]);
    expect(await put([app, broken], "?strict=1")).toMatchObject({ status: 422, code: "invalid-objects" });
    expect(store.revisions("main")).toHaveLength(1);
  });

  it("of objects whose text before would be broken without another one that is kept", async () => {
    const { put, serves } = pushServer();
    await put([app, delegation, pair, secure, root("b", { virtualhost: { fqdn: "b.test" } })]);
    const answer = await put([
      app,
      pair,
      annotated(secure),
      root("b", { virtualhost: { fqdn: "b.test" }, routes: [to(81)] }),
    ]);
    const kept = answer.findings?.filter(({ reason }) => reason === "LastGoodKept").map(({ about }) => about);
    expect(kept).toEqual(["HTTPProxy/team/b"]);
    expect([await serves("a.test"), await serves("b.test")]).toEqual([
      expect.not.stringContaining("forward"),
      '"forward"',
    ]);
  });
});

describe("a text that is kept", () => {
  it("gives way to the next one that is valid, and to a deletion", async () => {
    const { put, serves, store } = pushServer();
    await put([app, proxy()]);
    await put([app, broken]);
    const again = await put([app, proxy({ routes: [to(82)] })]);
    expect(again.findings?.at(-1)?.message).toContain("its text of revision 1 ");
    expect(
      await put([
        app,
        service(team, "late"),
        proxy({ routes: [{ services: [{ name: "late", port: 80 }] }] }),
      ]),
    ).toMatchObject({ findings: [] });
    expect(store.revisionContent("main", 4)?.held).toEqual([]);
    await put([app, service(team, "late"), broken]);
    expect(await serves("a.test")).toBe('"forward"');
    expect(await put([app])).toMatchObject({ findings: [] });
    expect(await serves("a.test")).not.toBe('"forward"');
  });

  it("gives way to the same text when that has become valid", async () => {
    const { put } = pushServer();
    const late = proxy({ routes: [{ services: [{ name: "late", port: 80 }] }] });
    await put([app, proxy()]);
    expect((await put([app, late])).findings).toHaveLength(2);
    await put([service(team, "late")], "", { name: "services" });
    expect(await put([app, late])).toMatchObject({ findings: [], changed: true });
  });

  it("goes when it becomes invalid itself, by what another source takes away", async () => {
    const { put, serves } = pushServer();
    const more = { name: "infra" };
    await put([delegation, pair], "", more);
    await put([app, secure]);
    const worse = proxy({
      virtualhost: { fqdn: "a.test", tls: { secretName: "infra/secure" } },
      routes: [to(81)],
    });
    expect((await put([app, worse])).findings?.map(({ reason }) => reason)).toContain("LastGoodKept");
    expect(await serves("a.test")).not.toBe("undefined");
    await put([pair], "", more);
    const answer = await put([app, annotated(worse)]);
    expect(answer.findings?.map(({ reason }) => reason)).not.toContain("LastGoodKept");
    expect(await serves("a.test")).not.toBe('"redirect"');
  });

  it("is stored with the source: a restart, a copy and a rollback serve it", async () => {
    const store = createMemoryStore();
    const first = pushServer({ store });
    await first.put([app, proxy()]);
    const { findings } = await first.put([app, broken]);
    const second = pushServer({ store });
    expect(await second.serves("a.test")).toBe('"forward"');
    expect((await second.ask("GET", "/sources/main")).findings).toEqual(findings);
    const copy = await second.ask("GET", "/sources/main/revisions/2");
    const other = pushServer();
    expect(await other.ask("PUT", "/sources/main/revisions/2", copy)).toMatchObject({
      status: 200,
      findings,
    });
    expect(await other.serves("a.test")).toBe('"forward"');
    await second.put([app]);
    expect(await second.ask("PUT", "/sources/main?rollback=2")).toMatchObject({ revision: 4, findings });
    expect(await second.serves("a.test")).toBe('"forward"');
    expect((await second.put([app, broken])).findings?.at(-1)?.message).toContain("its text of revision 1 ");
  });

  it.each([1, 2, 7])("is the same where %i units are compiled at a time", async (maxUnits) => {
    const hosts = Array.from({ length: 12 }, (_, i) =>
      root(`h${i}`, { virtualhost: { fqdn: `h${i}.test` } }),
    );
    const edited = hosts.map((one, i) =>
      i % 3 ? one : { ...one, spec: { ...(one.spec as Manifest), routes: [to(81)] } },
    );
    const [whole, sliced] = [pushServer(), pushServer({ maxUnits })];
    for (const { put } of [whole, sliced]) await put([app, ...hosts]);
    const answers = [await whole.put([app, ...edited]), await sliced.put([app, ...edited])];
    expect(answers[1]?.findings).toEqual(answers[0]?.findings);
    expect(answers[0]?.findings).toHaveLength(8);
    for (const { serves, store } of [whole, sliced]) {
      expect(await serves("h0.test")).toBe('"forward"');
      expect(store.revisionContent("main", 2)?.held).toHaveLength(4);
    }
  });

  it("is settled by the next process where one ends before, and never published between", async () => {
    const store = createMemoryStore();
    const hosts = Array.from({ length: 12 }, (_, i) =>
      root(`h${i}`, { virtualhost: { fqdn: `h${i}.test` } }),
    );
    const first = pushServer({ store, maxUnits: 2 });
    await first.put([app, ...hosts]);
    const bad = hosts.map((one) => ({ ...one, spec: { ...(one.spec as Manifest), routes: [to(81)] } }));
    const { left } = await first.ask("PUT", "/sources/main", [app, ...bad]);
    expect(left).toBeGreaterThan(0);
    for (let rounds = 0; store.cursor("judging"); rounds++) {
      expect(rounds).toBeLessThan(60);
      const next = pushServer({ store, maxUnits: 2 });
      const { snapshot } = next.engine;
      if (store.cursor("judging")) expect(snapshot).toBeUndefined();
      await next.sources.resume();
    }
    const last = pushServer({ store });
    for (const i of [0, 5, 11]) expect(await last.serves(`h${i}.test`)).toBe('"forward"');
  });

  it("is judged before anything is published, where a process ended between compiling and that", async () => {
    const store = createMemoryStore();
    const first = pushServer({ store, maxUnits: 1 });
    await first.put([app, proxy(), root("b", { virtualhost: { fqdn: "b.test" } })]);
    const b = root("b", { virtualhost: { fqdn: "b.test" }, routes: [to(81)] });
    await first.ask("PUT", "/sources/main", [app, broken, b]);
    resume(store, { checkKeyPair: () => undefined });
    expect([store.pendingCount, store.cursor("judging")]).toEqual([0, '["main"]']);
    const { engine, serves, sources } = pushServer({ store });
    expect(engine.snapshot).toBeUndefined();
    await sources.resume();
    expect(await serves("a.test")).toBe('"forward"');
  });

  it("is judged before the next push of the source changes what it is judged by", async () => {
    const { ask, put, serves } = pushServer({ maxUnits: 1 });
    await put([app, proxy(), root("b", { virtualhost: { fqdn: "b.test" } })]);
    expect(
      (
        await ask("PUT", "/sources/main", [
          app,
          broken,
          root("b", { virtualhost: { fqdn: "b.test" }, routes: [to(81)] }),
        ])
      ).left,
    ).toBeGreaterThan(0);
    const answer = await put([app, proxy({ routes: [to(82)] })]);
    expect(answer.findings?.at(-1)?.message).toContain("its text of revision 1 ");
    expect(await serves("a.test")).toBe('"forward"');
  });
});
