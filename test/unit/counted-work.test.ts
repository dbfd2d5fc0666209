import { describe, expect, it } from "vitest";
import { claimsOf } from "../../src/graph/core/claims.js";
import { createReport } from "../../src/graph/core/reader.js";
import { buildVirtualHost } from "../../src/graph/core/virtual-host.js";
import { link, type Snapshot, xdsTypes } from "../../src/link/snapshot.js";
import { StoreCache, UnitCache } from "../../src/schema/compile-cache.js";
import { refOf } from "../../src/schema/meta.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { type Change, update } from "../../src/update.js";
import {
  application,
  applications,
  gatewaySettings as benchSettings,
  gatewayApplications,
} from "../bench/apps.js";
import { type Manifest, service as serviceOf, tlsSecret } from "../support/backend.js";
import { platform } from "../support/compile.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";

const parse = (value: unknown): KubeObject => {
  const parsed = parseObject(value);
  if (!("object" in parsed)) throw new Error("an object of the test is not valid");
  return parsed.object;
};
const options = { endpoints: "inline", xdsCluster: "isoline", routeShards: 16 } as const;

/** The cost of an edit, in counts that are equal on every machine. */
function workOf(count: number, change: Change): Record<string, number> {
  const store = createMemoryStore();
  const objects = applications(count)
    .split("\n")
    .map((line) => parse(JSON.parse(line)));
  update(store, objects, platform);
  const before = link(store, options);
  const { units } = update(store, [change], platform);
  const after = link(store, options, before);
  return { units, ...Object.fromEntries(xdsTypes.map((type) => [type, changedOf(type, before, after)])) };
}

/** The number of resources of a type that were linked again. */
function changedOf(type: (typeof xdsTypes)[number], before: Snapshot, after: Snapshot): number {
  const [old, now] = [before.sets[type], after.sets[type]];
  return [...now.names()].filter((name) => old.get(name)?.pieces !== now.get(name)?.pieces).length;
}

const [service, slice, proxy] = application(7, "team-7", "99s");
/** A change of a route table changes the part that Envoys use, and the whole table for other clients. */
const base = { clusters: 0, endpoints: 0, routes: 0, secrets: 0 };
const edits: readonly [string, Change, Record<string, number>][] = [
  ["the timeout of a route", parse(proxy), { units: 1, ...base, routes: 2 }],
  [
    "an endpoint",
    parse({ ...slice, endpoints: [{ addresses: ["10.9.9.9"], conditions: { ready: true } }] }),
    { units: 1, ...base, clusters: 1 },
  ],
  ["a Service that is gone", { gone: parse(service).ref }, { units: 3, ...base, routes: 2 }],
  ["a Secret that nobody uses", parse(tlsSecret("team-7", "secure")), { units: 0, ...base }],
  [
    "a new host",
    parse({
      ...proxy,
      metadata: { name: "new", namespace: "team-7" },
      spec: { virtualhost: { fqdn: "new.test" }, routes: [{ services: [{ name: "app-7", port: 80 }] }] },
    }),
    { units: 1, ...base, routes: 2 },
  ],
];

/** The number of units that an edit compiles among `count` HTTPRoutes of one Gateway. */
function gatewayWork(count: number, change: Manifest): number {
  const { settings } = parseSettings(gatewaySettings);
  const routes = Array.from({ length: count }, (_, i) =>
    gatewayRoute("HTTPRoute", `route-${i}`, {
      hostnames: [`host-${i}.test`],
      rules: [{ backendRefs: backendRefs(`app-${i}`) }],
    }),
  );
  const listeners = [onPort(8080, "http", "HTTP"), onPort(8443, "any", "HTTP", { hostname: "*.test" })];
  const apps = Array.from({ length: count }, (_, i) => serviceOf("default", `app-${i}`));
  const store = createMemoryStore();
  update(store, [settings, ...[...gateway(...listeners), ...apps, ...routes].map(parse)], platform);
  return update(store, [parse(change)], platform).units;
}

/** The number of reads of a Service for a host on several Envoy listeners. */
function readsOfService(kind: "HTTPRoute" | "GRPCRoute", listeners: number): number {
  const { settings } = parseSettings(gatewaySettings);
  const ports = Array.from({ length: listeners }, (_, i) => onPort(8080 + i, `http-${i}`, "HTTP"));
  const route = gatewayRoute(kind, "web", {
    hostnames: ["a.test"],
    rules: [{ backendRefs: backendRefs("app") }],
  });
  const objects = [settings, ...[...gateway(...ports), serviceOf("default", "app"), route].map(parse)];
  const byRef = new Map(objects.map((object) => [object.ref as string, object]));
  let reads = 0;
  buildVirtualHost(
    "a.test",
    {
      settings: settings.spec,
      cache: new StoreCache(),
      unitCache: new UnitCache(),
      get: (of, namespace, name) => {
        if (of === "Service") reads++;
        return byRef.get(refOf(of, namespace, name)) as undefined;
      },
      claimants: (key) => objects.filter((object) => claimsOf(object).includes(key)).map(({ ref }) => ref),
      shared(find, _key, ...args) {
        return find(this, ...args);
      },
      need: () => undefined,
      overrun: () => undefined,
      checkKeyPair: platform.checkKeyPair,
    },
    createReport(),
  );
  return reads;
}

it.each(["HTTPRoute", "GRPCRoute"] as const)(
  "%s: a route is read once for a host, on however many listeners",
  (kind) => {
    expect([readsOfService(kind, 3), readsOfService(kind, 1) > 0]).toEqual([readsOfService(kind, 1), true]);
  },
);

const moved = { hostnames: ["host-7.test"], rules: [{ backendRefs: backendRefs("app-8") }] };

describe("the work for one edit is the same at any size", () => {
  it.each([
    [
      "an HTTPRoute: its host and the endpoints that no route needs any more",
      gatewayRoute("HTTPRoute", "route-7", moved),
      2,
    ],
    ["a new HTTPRoute", gatewayRoute("HTTPRoute", "new", { ...moved, hostnames: ["new.test"] }), 1],
    [
      "a Service of one",
      { ...serviceOf("default", "app-7"), spec: { ports: [{ name: "other", port: 81 }] } },
      3,
    ],
  ] as const)("%s", (_, change, units) => {
    for (const count of [50, 500]) expect(gatewayWork(count, change), `at ${count} routes`).toBe(units);
  });

  it.each(edits)("%s", (_, change, expected) => {
    // With fewer applications, application 7 is not in namespace team-7.
    for (const count of [400, 1200]) {
      const { listeners: _listeners, "scoped-routes": _scopes, ...work } = workOf(count, change);
      expect(work, `at ${count} applications`).toEqual(expected);
    }
  });
});

const infra = (name: string): object => ({ metadata: { name, namespace: "infra" } });
const apiVersion = `${"gateway.networking.k8s.io"}/v1`;
const from = (namespaces: object): object => ({ allowedRoutes: { namespaces } });
const onHttp = { name: "http", protocol: "HTTP", port: 80 };
/** A Gateway of a class, with another listener for namespaces with a label, and room for ListenerSets. */
const classGateway = (name: string, port = 80, labels = {}): Manifest => ({
  apiVersion,
  kind: "Gateway",
  metadata: { name, namespace: "infra", labels },
  spec: {
    gatewayClassName: "isoline",
    allowedListeners: { namespaces: { from: "All" } },
    listeners: [
      { ...onHttp, port, ...from({ from: "All" }) },
      {
        ...onHttp,
        name: "chosen",
        hostname: "*.chosen.test",
        ...from({ from: "Selector", selector: { matchLabels: { tier: "front" } } }),
      },
    ],
  },
});
const listenerSet = (hostname: string): Manifest => ({
  apiVersion,
  kind: "ListenerSet",
  ...infra("set"),
  spec: { parentRef: { name: "gateway-1" }, listeners: [{ ...onHttp, hostname, ...from({ from: "All" }) }] },
});
const namespace = (name: string, tier: string): Manifest => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: { tier } },
});
const onGateway = (i: number, name: string, hostname: string, app = i): Manifest => ({
  apiVersion,
  kind: "HTTPRoute",
  metadata: { name: `route-${i}`, namespace: "default" },
  spec: {
    parentRefs: [{ name, namespace: "infra" }],
    hostnames: [hostname],
    rules: [{ backendRefs: backendRefs(`app-${app}`) }],
  },
});

/** Ten routes on each of several Gateways of a class, and two more on `gateway-1`. */
function classStore(count: number): ReturnType<typeof createMemoryStore> {
  const { settings } = parseSettings(benchSettings);
  const manifests = [
    {
      apiVersion,
      kind: "GatewayClass",
      metadata: { name: "isoline" },
      spec: { controllerName: benchSettings.gateway.controllerName },
    },
    namespace("default", "back"),
    ...Array.from({ length: count / 10 }, (_, k) => classGateway(`gateway-${k}`)),
    listenerSet("set.test"),
    ...Array.from({ length: count }, (_, i) => serviceOf("default", `app-${i}`)),
    ...Array.from({ length: count }, (_, i) => onGateway(i, `gateway-${i % (count / 10)}`, `host-${i}.test`)),
    onGateway(count, "gateway-1", "a.chosen.test", 1),
    {
      ...onGateway(count + 1, "gateway-1", "set.test", 1),
      spec: {
        parentRefs: [{ kind: "ListenerSet", name: "set", namespace: "infra" }],
        rules: [{ backendRefs: backendRefs("app-1") }],
      },
    },
  ];
  const store = createMemoryStore();
  update(store, [settings, ...manifests.map(parse)], platform);
  return store;
}

describe("the work for one edit of Gateways of a class is the same at any size", () => {
  // Of `gateway-1`: its Envoy listeners, a host for each of its three hostnames, its ten routes with hostnames, one of
  // the chosen listener, and the route without hostnames.
  const whole = 1 + 3 + 10 + 1 + 1;
  it.each<[string, (i: number) => Manifest, number]>([
    ["a route: its host", () => onGateway(1, "gateway-1", "host-1.test", 11), 1],
    [
      "a route that moves to another host: both, and its endpoints stay",
      () => onGateway(1, "gateway-1", "new.test"),
      2,
    ],
    ["a port of a Gateway: its own hosts", () => classGateway("gateway-1", 81), whole],
    ["a label of a Gateway", () => classGateway("gateway-2", 80, { team: "edge" }), 0],
    [
      "a Service: the hosts of its routes, and its endpoints",
      () => ({ ...serviceOf("default", "app-2"), spec: { ports: [{ name: "http", port: 80 }] } }),
      2,
    ],
    ["a label of a namespace without routes", () => namespace("other", "front"), 0],
    [
      "a label of a namespace: the hosts of listeners that select namespaces by labels",
      () => namespace("default", "front"),
      1,
    ],
    ["a hostname of a ListenerSet: the hosts of its Gateway", () => listenerSet("set2.test"), whole + 1],
  ])("%s", (_, change, units) => {
    for (const count of [60, 600])
      expect(update(classStore(count), [parse(change(count))], platform).units, `at ${count} routes`).toBe(
        units,
      );
  });
});

it("compiles a unit for each HTTPRoute, as for each HTTPProxy, and reads each object of a host once", () => {
  const unitsOf = (text: string, ...settings: readonly KubeObject[]): number => {
    const store = createMemoryStore();
    const objects = text.split("\n").map((line) => parse(JSON.parse(line)));
    return update(store, [...settings, ...objects], platform).units;
  };
  const proxies = unitsOf(applications(200));
  const routes = unitsOf(gatewayApplications(200, 10), parseSettings(benchSettings).settings);
  // Besides: the listeners of each Gateway, and the host of their hostname.
  expect(routes).toBe(proxies + 10 + 1);
});
