import { describe, expect, it } from "vitest";
import { kindOf } from "../../src/schema/meta.js";
import { parseSettings } from "../../src/schema/settings.js";
import { settingsOf } from "../../src/schema/stored-settings.js";
import { hasStatus, type StatusKind, statuses } from "../../src/status/status.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { resume, type Updated, unitsLeft, update } from "../../src/update.js";
import { httpProxy, service } from "../support/backend.js";
import { parseCase, platform } from "../support/compile.js";
import { changesOf, edit, start } from "../support/edits.js";
import { fc } from "../support/fast-check.js";
import {
  gatewayBackground,
  gatewayManifest,
  gatewaySettingsEdit,
  ofClass,
} from "../support/gateway-edits.js";
import { KeptStatuses, unlinkedFindings } from "../support/kept-statuses.js";

it("are the same after any edits as when all of them are computed, for every kind, whole or in batches", () => {
  const kinds = new Set<StatusKind>();
  const changed = new Set<StatusKind>();
  fc.assert(
    fc.property(
      start,
      fc.array(edit, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(2, Number.POSITIVE_INFINITY),
      (objects, edits, maxUnits) => {
        const store = createMemoryStore();
        const batched = { ...platform, maxUnits };
        const kept = new KeptStatuses(store);
        const take = (updated: Updated): void => {
          kept.take(updated);
          while (unitsLeft(store) > 0) kept.take(resume(store, batched));
        };
        take(update(store, objects, batched));
        const state = new Map(objects.map((object) => [object.ref, object]));
        for (const one of edits) {
          const before = new Map(kept.byRef);
          take(update(store, changesOf(one, state), batched));
          expect(unlinkedFindings(store)).toEqual([]);
          expect(kept.all).toEqual(statuses(store, settingsOf(store), 0, platform));
          for (const { ref, kind, status } of kept.all) {
            kinds.add(kind);
            if (JSON.stringify(before.get(ref)?.status) !== JSON.stringify(status)) changed.add(kind);
          }
        }
      },
    ),
    { numRuns: 200 },
  );
  // A small number of runs does not cover every kind.
  if (!fc.full) return;
  const all = [
    "ExtensionService",
    "GRPCRoute",
    "Gateway",
    "GatewayClass",
    "HTTPProxy",
    "HTTPRoute",
    "Ingress",
  ];
  expect([...kinds].sort()).toEqual(expect.arrayContaining([...all, "IngressRoute", "TCPRoute", "TLSRoute"]));
  expect([...changed].sort()).toEqual(
    expect.arrayContaining([...all, "IngressRoute", "TCPRoute", "TLSRoute", "BackendTLSPolicy"]),
  );
}, 120_000);

it("are so of Gateways of classes, which any settings may leave or serve", () => {
  const settings = parseCase("", JSON.stringify(ofClass)).objects;
  const edits = fc.array(
    fc.oneof(fc.record({ put: gatewayManifest }), fc.record({ settings: gatewaySettingsEdit })),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  fc.assert(
    fc.property(edits, (all) => {
      const store = createMemoryStore();
      const kept = new KeptStatuses(store);
      kept.take(update(store, [...gatewayBackground, ...settings], platform));
      for (const one of all) {
        const [yaml, own] = "put" in one ? [JSON.stringify(one.put)] : ["", JSON.stringify(one.settings)];
        kept.take(update(store, parseCase(yaml, own).objects, platform));
        expect(unlinkedFindings(store)).toEqual([]);
        expect(kept.all).toEqual(statuses(store, settingsOf(store), 0, platform));
      }
    }),
    { numRuns: 100 },
  );
});

describe("the statuses that are computed after an edit of one among many objects", () => {
  const manifests = (namespace: string, i: number): object[] => [
    service(namespace, `app-${i}`),
    httpProxy(namespace, `proxy-${i}`, {
      virtualhost: { fqdn: `proxy-${i}.${namespace}.test` },
      routes: [{ services: [{ name: `app-${i}`, port: 80 }] }],
    }),
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name: `route-${i}`, namespace },
      spec: {
        parentRefs: [{ name: "gateway", namespace: "infra" }],
        hostnames: [`route-${i}.${namespace}.test`],
        rules: [{ backendRefs: [{ name: `app-${i}`, port: 80 }] }],
      },
    },
  ];
  const parse = (...of: readonly object[]) => of.flatMap((one) => parseCase(JSON.stringify(one)).objects);
  const gateway = [
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "GatewayClass",
      metadata: { name: "isoline" },
      spec: { controllerName: "isoline.dev/gateway" },
    },
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      metadata: { name: "gateway", namespace: "infra" },
      spec: {
        gatewayClassName: "isoline",
        listeners: [
          { name: "http", port: 80, protocol: "HTTP", allowedRoutes: { namespaces: { from: "All" } } },
        ],
      },
    },
  ];
  const { settings } = parseSettings({ gatewayRef: { namespace: "infra", name: "gateway" } });
  const store = createMemoryStore();
  const many = Array.from({ length: 300 }, (_, i) => manifests(i % 2 === 0 ? "even" : "odd", i));
  update(store, [settings, ...parse(...gateway, ...many.flat())], platform);
  const affected = (...of: readonly object[]): string[] =>
    [...update(store, parse(...of), platform).affected].filter((ref) => hasStatus(kindOf(ref))).sort();
  const broken = (name: string, fqdn: string): object =>
    httpProxy("even", name, {
      virtualhost: { fqdn },
      routes: [{ services: [{ name: "nobody", port: 80 }] }],
    });

  it("are those of the object itself", () => {
    expect(affected(broken("new", "new.test"))).toEqual(["HTTPProxy/even/new"]);
    const orphan = httpProxy("even", "lost", { routes: [] });
    expect(affected(orphan)).toEqual(["HTTPProxy/even/lost"]);
  });

  it("are those of objects that refer to it, or claim the same host", () => {
    expect(affected(service("even", "nobody"))).toEqual(["HTTPProxy/even/new"]);
    expect(affected(broken("twin", "proxy-4.even.test"))).toEqual([
      "HTTPProxy/even/proxy-4",
      "HTTPProxy/even/twin",
    ]);
  });

  it("are those of objects that a host starts or stops including", () => {
    const root = (...includes: readonly object[]): object =>
      httpProxy("even", "root", { virtualhost: { fqdn: "root.test" }, includes, routes: [] });
    const both = ["HTTPProxy/even/lost", "HTTPProxy/even/root"];
    expect(affected(root({ name: "lost" }))).toEqual(both);
    expect(affected(root())).toEqual(both);
  });

  it("for a route, include those of its Gateway", () => {
    const [, , route] = manifests("even", 1000) as [object, object, object];
    expect(affected(route)).toEqual([
      "Gateway/infra/gateway",
      "GatewayClass//isoline",
      "HTTPRoute/even/route-1000",
    ]);
  });
});
