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
import { application, applications } from "../bench/apps.js";
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
      "an HTTPRoute: its host, its verdict and the endpoints that nobody wants any more",
      gatewayRoute("HTTPRoute", "route-7", moved),
      3,
    ],
    ["a new HTTPRoute", gatewayRoute("HTTPRoute", "new", { ...moved, hostnames: ["new.test"] }), 2],
    [
      "a Service of one",
      { ...serviceOf("default", "app-7"), spec: { ports: [{ name: "other", port: 81 }] } },
      4,
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
