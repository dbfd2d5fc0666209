import { describe, expect, it } from "vitest";
import type { ApiResponse } from "../../src/kubernetes/api.js";
import { resources, versionsOf } from "../../src/kubernetes/resources.js";
import { parseObject } from "../../src/schema/object.js";
import { clusterHooks } from "../../src/server/cluster-surface.js";
import type { Store } from "../../src/store/store.js";
import { engineOf } from "../support/engine.js";
import { type Cluster, cluster, failure, type Item, proxy } from "../support/fake-kube.js";

const gatewayRef = { namespace: "default", name: "gateway" };
const gatewayKinds = resources.filter(({ ofGateway }) => ofGateway).map(({ plural }) => plural);

/** A cluster with a Gateway for HTTP, and a route of each of two kinds. */
function gatewayCluster(settings: object = {}, store?: Store): Cluster {
  const c = cluster({ hosts: 0, settings: { gatewayRef, ...settings }, ...(store ? { store } : {}) });
  const of = (name: string, spec: object): Item => ({ metadata: { name, namespace: "default" }, spec });
  const listeners = [{ name: "http", port: 80, protocol: "HTTP" }];
  const parentRefs = [{ name: "gateway" }];
  const rules = [{ backendRefs: [{ name: "app", port: 80 }] }];
  c.api.collections.set("gatewayclasses", [
    { metadata: { name: "isoline" }, spec: { controllerName: "a/b" } },
  ]);
  c.api.collections.set("gateways", [of("gateway", { gatewayClassName: "isoline", listeners })]);
  c.api.collections.set("httproutes", [of("web", { parentRefs, hostnames: ["web.test"], rules })]);
  c.api.collections.set("grpcroutes", [of("rpc", { parentRefs, hostnames: ["rpc.test"], rules })]);
  return c;
}

const asked = ({ api }: Cluster, plural: string): string[] =>
  api.requests.filter((path) => path.includes(`/${plural}?`)).map((path) => path.split("/").at(-2) ?? "");

describe("a cluster with a Gateway", () => {
  it("is asked for the Gateway API where the setting is, and for no more than before where it is not", async () => {
    const without = cluster();
    await without.refresh();
    expect(without.api.requests).toHaveLength(20);
    expect(gatewayKinds.flatMap((plural) => asked(without, plural))).toEqual([]);
    const c = gatewayCluster();
    await c.refresh();
    expect(c.hosts()).toEqual(["rpc.test", "web.test"]);
    for (const plural of gatewayKinds) expect(asked(c, plural), plural).toHaveLength(2);
  });

  it("is not asked for kinds that are left out, nor for ConfigMaps without a policy that needs them", async () => {
    const disableFeatures = ["extensionservices", "grpcroutes", "tcproutes", "backendtlspolicies"];
    const c = gatewayCluster({ disableFeatures });
    await c.refresh();
    expect(c.hosts()).toEqual(["web.test"]);
    for (const plural of [...disableFeatures, "configmaps"]) expect(asked(c, plural), plural).toEqual([]);
    expect(c.source.status()).toHaveProperty("TLSRoute");
  });

  it("has no effect of kinds that are left out, be they in the store", async () => {
    const c = gatewayCluster();
    await c.refresh();
    const again = gatewayCluster({ disableFeatures: ["grpcroutes"] }, c.store);
    expect(again.hosts()).toEqual(["web.test"]);
    await gatewayCluster({}, c.store).refresh();
    expect(again.hosts()).toEqual(["rpc.test", "web.test"]);
  });

  it("has the webhook warn of what is not there yet, as files are applied in any order", async () => {
    const c = gatewayCluster();
    await c.refresh();
    const rules = [{ backendRefs: [{ name: "later", port: 80 }] }];
    const spec = { parentRefs: [{ name: "gateway" }, { name: "gateway", sectionName: "later" }], rules };
    const hooks = clusterHooks(engineOf(c.store), {
      strict: false,
      ready: () => true,
      ring: () => undefined,
    });
    const route = { apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", spec };
    const verdict = hooks.review({ ...route, metadata: { name: "new", namespace: "default" } }, null);
    expect(verdict.allowed).toBe(true);
    expect(verdict.warnings.map(({ reason }) => reason)).toEqual(["NoMatchingParent", "BackendNotFound"]);
  });

  it("has writes to its kinds ring", () => {
    const concerns = (store: Store): boolean =>
      clusterHooks(engineOf(store), {
        strict: false,
        ready: () => true,
        ring: () => undefined,
      }).concerns("gateway.networking.k8s.io", "httproutes");
    expect([concerns(gatewayCluster().store), concerns(cluster().store)]).toEqual([true, false]);
  });

  it("is asked at versions that the schema reads", () => {
    for (const { apiVersion, kind } of resources.flatMap(versionsOf)) {
      const parsed = parseObject({ apiVersion, kind, metadata: { name: "a" } });
      const paths = "findings" in parsed ? parsed.findings.map(({ path }) => path) : [];
      expect(parsed, `${apiVersion} ${kind}`).not.toHaveProperty("ignored");
      expect(paths, `${apiVersion} ${kind}`).not.toContain("apiVersion");
    }
  });

  it("is asked at older versions where it has no newer one, and goes on with what it has", async () => {
    let served = /v1alpha2/;
    const fault = (path: string): ApiResponse | undefined =>
      path.includes("/grpcroutes?") && !served.test(path) ? failure(404) : undefined;
    const c = gatewayCluster();
    c.api.fault = fault;
    await c.refresh();
    await c.refresh();
    expect(c.hosts()).toEqual(["rpc.test", "web.test"]);
    expect(asked(c, "grpcroutes")).toEqual(["v1", "v1alpha2", "v1alpha2", "v1alpha2"]);

    const again = gatewayCluster({}, c.store);
    again.api.fault = fault;
    await again.refresh();
    expect(asked(again, "grpcroutes")).toEqual(["v1", "v1alpha2"]);
    served = /v1\//;
    await again.refresh();
    expect(asked(again, "grpcroutes").slice(2)).toEqual(["v1alpha2", "v1"]);
    expect(again.source.status().GRPCRoute).toEqual({ state: "synced" });
    expect([...c.log, ...again.log]).toEqual([]);
  });

  it("serves all else before its CRDs are there, and them once they are", async () => {
    const c = gatewayCluster();
    c.api.collections.set("httpproxies", [proxy("h0")]);
    for (const plural of gatewayKinds) if (plural !== "configmaps") c.api.absent.add(plural);
    await c.refresh();
    expect(c.source.ready).toBe(true);
    expect(c.hosts()).toEqual(["h0.test"]);
    expect(c.source.status()).toMatchObject({ Gateway: { state: "absent" }, TLSRoute: { state: "absent" } });
    c.api.absent.clear();
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "rpc.test", "web.test"]);
  });
});
