import { describe, expect, it } from "vitest";
import { withoutKubeNames } from "../../src/cli/commands/kube-names.js";
import { kubeTargets } from "../../src/cli/kube-targets.js";
import type { Ref } from "../../src/schema/meta.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { Clusters } from "../../src/sources/kubernetes/clusters.js";
import { withClusters } from "../../src/sources/kubernetes/with-clusters.js";
import { statuses } from "../../src/status/status.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Store } from "../../src/store/store.js";
import { type Change, update } from "../../src/update.js";
import { endpointSlice, httpProxy, type Manifest, service } from "../support/backend.js";
import { dump, platform } from "../support/compile.js";
import { fc } from "../support/fast-check.js";

const parse = (manifest: Manifest): KubeObject => {
  const parsed = parseObject(manifest);
  if (!("object" in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.object;
};

const east = "east";
const west = "west";

interface Both {
  readonly store: Store;
  readonly clusters: Clusters;
  put(cluster: string, ...manifests: readonly Manifest[]): void;
  remove(cluster: string, ref: Ref): void;
  localities(): unknown;
}

function both(clusters: readonly Manifest[] = [{ name: east }, { name: west }], more: Manifest = {}): Both {
  const store = createMemoryStore();
  const { settings, findings } = parseSettings({ clusters, ...more });
  expect(findings).toEqual([]);
  update(store, [settings], platform);
  const all = new Clusters(
    store,
    settings.spec.clusters.map(({ name }) => name),
  );
  const apply = (cluster: string, changes: readonly Change[]): void =>
    void update(store, all.of(cluster).place(changes), platform);
  return {
    store,
    clusters: all,
    put: (cluster, ...manifests) => apply(cluster, manifests.map(parse)),
    remove: (cluster, ref) => apply(cluster, [{ gone: ref }]),
    localities: () => JSON.parse(store.resource("endpoints", "", "default/app/http")?.json ?? "null"),
  };
}

const slice = (address: string, port = 8080): Manifest => ({
  ...endpointSlice("default", "app", port),
  endpoints: [{ addresses: [address], conditions: { ready: true } }],
});

const proxy = (fqdn: string, path = "/"): Manifest =>
  httpProxy("default", "shop", {
    virtualhost: { fqdn },
    routes: [{ conditions: [{ prefix: path }], services: [{ name: "app", port: 80 }] }],
  });

const at = (address: string): unknown => ({
  endpoint: { address: { socket_address: { address, port_value: 8080 } } },
});
const hosts = (store: Store): string[] =>
  [...store.resources("virtual-host", "ingress_http")].map(({ name }) => name);

describe("several clusters", () => {
  it("merge the endpoints of same-named Services, a locality each", () => {
    const { put, remove, localities } = both();
    put(east, service("default", "app"), slice("10.1.0.1"), proxy("shop.test"));
    put(west, service("default", "app"), slice("10.2.0.1"));
    expect(localities()).toEqual([
      { locality: { sub_zone: "east" }, lb_endpoints: [at("10.1.0.1")] },
      { locality: { sub_zone: "west" }, lb_endpoints: [at("10.2.0.1")] },
    ]);
    remove(west, "EndpointSlice/default/app-local");
    expect(localities()).toEqual([{ locality: { sub_zone: "east" }, lb_endpoints: [at("10.1.0.1")] }]);
  });

  it("have the region, zone, weight and priority of the settings", () => {
    const { put, remove, localities, store } = both([
      { name: east, region: "eu", zone: "a", weight: 3 },
      { name: west, priority: 5 },
    ]);
    put(east, service("default", "app"), slice("10.1.0.1"), proxy("shop.test"));
    put(west, slice("10.2.0.1"));
    expect(localities()).toEqual([
      {
        locality: { region: "eu", zone: "a", sub_zone: "east" },
        lb_endpoints: [at("10.1.0.1")],
        load_balancing_weight: 3,
      },
      {
        locality: { sub_zone: "west" },
        lb_endpoints: [at("10.2.0.1")],
        load_balancing_weight: 1,
        priority: 1,
      },
    ]);
    expect(
      [...store.resources("cluster")].find(({ name }) => name.startsWith("default/app"))?.json,
    ).toContain('"locality_weighted_lb_config":{}');
    remove(east, "EndpointSlice/default/app-local");
    expect(localities()).toEqual([
      { locality: { sub_zone: "west" }, lb_endpoints: [at("10.2.0.1")], load_balancing_weight: 1 },
    ]);
  });

  it("give an endpoint that two of them have to the first", () => {
    const { put, localities } = both();
    put(east, service("default", "app"), slice("10.1.0.1"), proxy("shop.test"));
    put(west, slice("10.1.0.1"));
    expect(localities()).toEqual([{ locality: { sub_zone: "east" }, lb_endpoints: [at("10.1.0.1")] }]);
  });

  it("have a Service's own address each in the mode `service`", () => {
    const { put, localities } = both(undefined, { endpoints: "service" });
    const own = (clusterIP: string): Manifest => {
      const plain = service("default", "app");
      return { ...plain, spec: { ...(plain.spec as Manifest), clusterIP } };
    };
    put(west, own("10.20.0.1"), proxy("shop.test"));
    put(east, own("10.10.0.1"));
    const served = (address: string): unknown => ({
      endpoint: { address: { socket_address: { address, port_value: 80 } } },
    });
    expect(localities()).toEqual([
      { locality: { sub_zone: "east" }, lb_endpoints: [served("10.10.0.1")] },
      { locality: { sub_zone: "west" }, lb_endpoints: [served("10.20.0.1")] },
    ]);
  });

  it("serve an object that all of them have once, and go on when one drops it", () => {
    const { put, remove, store, clusters } = both();
    put(west, service("default", "app"), proxy("shop.test"));
    put(east, service("default", "app"), proxy("shop.test"));
    expect(hosts(store)).toEqual(["shop.test"]);
    expect(clusters.findings).toEqual([]);
    expect([...store.findings()]).toEqual([]);
    remove(east, "HTTPProxy/default/shop");
    expect(hosts(store)).toEqual(["shop.test"]);
    remove(west, "HTTPProxy/default/shop");
    expect(hosts(store)).toEqual([]);
    expect([...store.objects()].filter(({ kind }) => kind === "HTTPProxy")).toEqual([]);
  });

  it("tell of objects of one name that differ, and use the first cluster's", () => {
    const { put, remove, store, clusters } = both();
    put(west, service("default", "app"), proxy("west.test"));
    expect(hosts(store)).toEqual(["west.test"]);
    put(east, service("default", "app"), proxy("east.test"));
    expect(hosts(store)).toEqual(["east.test"]);
    expect(clusters.findings).toEqual([
      {
        about: "HTTPProxy/default/shop@west",
        severity: "error",
        type: "ClusterError",
        reason: "ClusterConflict",
        message:
          'clusters "west" and "east" have different HTTPProxy objects of this name, and the one of "east" is used; make them equal or rename one',
      },
    ]);
    remove(east, "HTTPProxy/default/shop");
    expect(hosts(store)).toEqual(["west.test"]);
    expect(clusters.findings).toEqual([]);
  });

  it("may have Services that differ in their addresses alone", () => {
    const { put, clusters } = both();
    const own = (clusterIP: string, port = 80): Manifest => {
      const plain = service("default", "app");
      return { ...plain, spec: { clusterIP, ports: [{ name: "http", port, protocol: "TCP" }] } };
    };
    put(east, own("10.10.0.1"));
    put(west, own("10.20.0.1"));
    expect(clusters.findings).toEqual([]);
    put(west, own("10.20.0.1", 81));
    expect(clusters.findings).toMatchObject([{ about: "Service/default/app@west", severity: "warning" }]);
  });

  it("refuse a host that two names in two clusters claim, as two names in one", () => {
    const { put, store } = both();
    put(east, service("default", "app"), proxy("shop.test"));
    put(
      west,
      httpProxy("default", "other", {
        virtualhost: { fqdn: "shop.test" },
        routes: [{ services: [{ name: "app", port: 80 }] }],
      }),
    );
    expect(new Set([...store.findings()].map(({ reason }) => reason))).toEqual(new Set(["DuplicateVhost"]));
  });

  it("get statuses for their own objects, with the conflict where theirs is not used", () => {
    const { put, store, clusters } = both();
    put(east, service("default", "app"), proxy("east.test"));
    put(
      west,
      proxy("west.test"),
      httpProxy("default", "own", {
        virtualhost: { fqdn: "own.test" },
        routes: [{ services: [{ name: "app", port: 80 }] }],
      }),
    );
    const settings = parseSettings({}).settings.spec;
    const of = (cluster: string): Record<string, unknown> =>
      Object.fromEntries(
        statuses(store, settings, 0, { member: clusters.of(cluster), ...platform }).map(({ ref, status }) => [
          ref,
          status.currentStatus,
        ]),
      );
    expect(of(east)).toEqual({ "HTTPProxy/default/shop": "valid" });
    expect(of(west)).toEqual({ "HTTPProxy/default/own": "valid", "HTTPProxy/default/shop": "invalid" });
  });

  it("that are followed no more leave nothing behind", () => {
    const { put, store } = both();
    put(east, service("default", "app"), slice("10.1.0.1"), proxy("east.test"));
    put(west, slice("10.2.0.1"), proxy("west.test"));
    const left = new Clusters(store, [west]);
    update(store, left.of(west).place([parse(proxy("west.test"))]), platform);
    update(store, left.settle(), platform);
    expect([...store.objects()].map(({ ref }) => ref).sort()).toEqual([
      "EndpointSlice/default/app-local@west",
      "HTTPProxy/default/shop",
      "Settings//isoline",
    ]);
    expect(hosts(store)).toEqual(["west.test"]);
  });

  it("may change places while nobody looks", () => {
    const { put, store } = both();
    put(east, service("default", "app"), slice("10.1.0.1"), proxy("east.test"));
    put(west, slice("10.2.0.1"), proxy("west.test"));
    const turned = new Clusters(store, [west, east]);
    update(store, turned.settle(), platform);
    expect(hosts(store)).toEqual(["west.test"]);
    expect(turned.findings).toMatchObject([{ about: "HTTPProxy/default/shop@east" }]);
    const alone = new Clusters(store, [east]);
    update(store, alone.settle(), platform);
    expect(hosts(store)).toEqual(["east.test"]);
    expect([...store.objects()].filter(({ ref }) => ref.endsWith("@west"))).toEqual([]);
    const unnamed = new Clusters(store, [""]);
    update(store, [parse(proxy("plain.test"))], platform);
    update(store, unnamed.settle(), platform);
    expect([...store.objects()].map(({ ref }) => ref).sort()).toEqual([
      "HTTPProxy/default/shop",
      "Settings//isoline",
    ]);
  });

  it("know what they hold when a store is opened again", () => {
    const { put, store, clusters } = both();
    put(east, service("default", "app"), slice("10.1.0.1"), proxy("east.test"));
    put(west, slice("10.2.0.1"), proxy("west.test"));
    const again = new Clusters(store, [east, west]);
    expect(again.of(west).known().sort()).toEqual([
      "EndpointSlice/default/app-local",
      "HTTPProxy/default/shop",
    ]);
    expect(again.findings).toEqual(clusters.findings);
  });

  it("give after any edits what their end states give, in whatever order they come", () => {
    const cluster = fc.constantFrom(east, "north", west);
    const edit = fc.oneof(
      fc.record({ cluster, object: fc.constantFrom("x.test", "y.test").map((fqdn) => proxy(fqdn)) }),
      fc.record({
        cluster,
        object: fc.constantFrom("10.1.0.1", "10.2.0.1").map((address) => slice(address)),
      }),
      fc.record({ cluster, object: fc.constant(service("default", "app")) }),
      fc.record({
        cluster,
        gone: fc.constantFrom<Ref>(
          "HTTPProxy/default/shop",
          "Service/default/app",
          "EndpointSlice/default/app-local",
        ),
      }),
    );
    const names = [{ name: east }, { name: "north" }, { name: west }];
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 25 }), (edits) => {
        const live = both(names);
        const end = new Map<string, Map<Ref, Manifest>>();
        for (const one of edits) {
          const objects = end.get(one.cluster) ?? new Map<Ref, Manifest>();
          end.set(one.cluster, objects);
          if ("gone" in one) {
            objects.delete(one.gone);
            live.remove(one.cluster, one.gone);
          } else {
            objects.set(parse(one.object).ref, one.object);
            live.put(one.cluster, one.object);
          }
        }
        const fresh = both(names);
        for (const { name } of names) fresh.put(name, ...(end.get(name)?.values() ?? []));
        expect(dump(live.store)).toBe(dump(fresh.store));
        const refs = ({ store }: Both): string[] => [...store.objects()].map(({ ref }) => ref).sort();
        expect(refs(live)).toEqual(refs(fresh));
        expect(live.clusters.findings.map((one) => one.about).sort()).toEqual(
          fresh.clusters.findings.map((one) => one.about).sort(),
        );
        for (const { name } of names)
          expect(live.clusters.of(name).known().sort()).toEqual([...(end.get(name)?.keys() ?? [])].sort());
      }),
    );
  });
});

describe("--kube", () => {
  it("names clusters by contexts", () => {
    expect(kubeTargets([""], { context: "here" })).toEqual([{ name: "", context: "here" }]);
    expect(kubeTargets(["east", "west=arn:aws:eks:1:cluster/w"], { kubeconfig: "f" })).toEqual([
      { name: "east", kubeconfig: "f", context: "east" },
      { name: "west", kubeconfig: "f", context: "arn:aws:eks:1:cluster/w" },
    ]);
  });

  it("says what is wrong with a name", () => {
    expect(() => kubeTargets(["East"], {})).toThrow(/--kube East: expected NAME or NAME=CONTEXT/);
    expect(() => kubeTargets(["a", ""], {})).toThrow(/expected NAME/);
    expect(() => kubeTargets(["a", "a=b"], {})).toThrow(/--kube a is given twice/);
    expect(() => kubeTargets(["a"], { context: "b" })).toThrow(/use --kube NAME=CONTEXT/);
  });

  it("does not take the word after it for a name that can't be one", () => {
    expect(withoutKubeNames(["explain", "--kube", "GET", "http://a.test/"])).toEqual([
      "explain",
      "--kube=",
      "GET",
      "http://a.test/",
    ]);
    expect(withoutKubeNames(["serve", "--kube", "--store", "memory", "--kube"])).toEqual([
      "serve",
      "--kube=",
      "--store",
      "memory",
      "--kube=",
    ]);
    expect(withoutKubeNames(["serve", "--kube", "east", "--kube", "west=b"])).toEqual([
      "serve",
      "--kube",
      "east",
      "--kube",
      "west=b",
    ]);
  });

  it("puts the clusters into the settings, in its own order", () => {
    const { settings } = parseSettings({ clusters: [{ name: "west", priority: 1 }, { name: "north" }] });
    const followed = withClusters(settings, kubeTargets(["east", "west"], {}));
    expect(followed.settings.spec.clusters).toEqual([
      { name: "east", priority: 0 },
      { name: "west", priority: 1 },
    ]);
    expect(followed.findings).toMatchObject([{ severity: "warning", path: "clusters[1]" }]);
  });
});
