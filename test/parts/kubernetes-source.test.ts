import { describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { parseSettings } from "../../src/schema/settings.js";
import { KubernetesSource } from "../../src/sources/kubernetes/kubernetes-source.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Platform } from "../../src/update.js";
import { platform } from "../support/compile.js";
import { noOutlet } from "../support/engine.js";
import { cluster, event, failure, proxy } from "../support/fake-kube.js";

/** A source that follows clusters in memory, and is looked at when a test asks. */
function rig(
  apis: Readonly<Record<string, ReturnType<typeof cluster>["api"]>>,
  limits: Partial<Platform> = {},
) {
  const log: string[] = [];
  const failed: string[] = [];
  const engine = new Engine({
    store: createMemoryStore(),
    platform: { ...platform, ...limits },
    outlet: noOutlet(),
    now: () => 1000,
  });
  const source = new KubernetesSource(engine, {
    targets: Object.entries(apis).map(([name, api]) => ({
      name,
      transport: { server: "https://kube.test", send: (request) => api.send(request) },
    })),
    ...parseSettings({ clusters: Object.keys(apis).flatMap((name) => (name ? [{ name }] : [])) }),
    acceptShrink: false,
    pollSeconds: "never",
    failed: (name, kind, code) => void failed.push([name, kind, code].join(" ")),
    log: (line) => void log.push(line),
    now: () => 1000,
    sleep: async () => undefined,
    random: () => 0,
  });
  source.start();
  return { engine, source, log, failed, look: () => source.refresh(1) };
}

describe("clusters as a source", () => {
  it("are published when every kind of each was read, and not before", async () => {
    const [east, west] = [cluster().api, cluster().api];
    west.fault = (path) => (path.includes("/secrets?") ? failure(500) : undefined);
    const { engine, source, failed, look } = rig({ east, west });
    await look();
    expect([source.ready, source.complete, engine.snapshot]).toEqual([false, false, undefined]);
    expect(failed).toEqual(["west Secret kube-server-error"]);
    west.fault = () => undefined;
    await look();
    expect([source.ready, source.hasAnswered, engine.snapshot !== undefined]).toEqual([true, true, true]);
    expect(source.clusters().map(({ cluster: name, stale }) => [name, stale])).toEqual([
      ["east", false],
      ["west", false],
    ]);
    await source.close();
  });

  it("are not published where units that were left are compiled before every kind was read", async () => {
    const { api } = cluster();
    api.fault = (path) => (path.includes("/secrets?") ? failure(500) : undefined);
    const { engine, source, look } = rig({ "": api }, { maxUnits: 1 });
    await look();
    expect(engine.pending).toBeGreaterThan(0);
    while (engine.pending > 0) expect(await source.resume()).toBe(true);
    expect(engine.snapshot).toBeUndefined();
    api.fault = () => undefined;
    await look();
    while (engine.pending > 0) await source.resume();
    expect(engine.snapshot).toBeDefined();
    expect(engine.changes.list(1)).toMatchObject([{ start: "first", causes: [{ source: "cluster" }] }]);
  });

  it("say in the history who changed an object: the user of a hook, and the field manager", async () => {
    const { api } = cluster();
    const { engine, source, look } = rig({ "": api });
    await look();
    const edited = (timeout: string, manager: string) => ({
      ...proxy("h0"),
      metadata: {
        name: "h0",
        namespace: "default",
        managedFields: [{ manager, time: "2026-01-01T00:00:00Z" }],
      },
      spec: {
        virtualhost: { fqdn: "h0.test" },
        routes: [{ services: [{ name: "app", port: 80 }], timeoutPolicy: { response: timeout } }],
      },
    });
    api.events.set("httpproxies", event("MODIFIED", edited("1s", "kubectl-edit"), 101));
    await look();
    expect(engine.changes.list(1)[0]?.causes).toMatchObject([
      { source: "cluster", objects: ["HTTPProxy/default/h0"], by: "kubectl-edit" },
    ]);
    source.wrote("HTTPProxy/default/h1", "bob");
    source.wrote("HTTPProxy/default/h0", "alice@example.com");
    api.events.set("httpproxies", event("MODIFIED", edited("2s", "argocd"), 102));
    await look();
    expect(engine.changes.list(1)[0]?.causes[0]?.by).toBe("kubectl-edit, alice@example.com (argocd)");
  });

  it("are in step only as long as every kind is followed", async () => {
    const { api } = cluster();
    const { source, look } = rig({ "": api });
    expect(source.synced).toBe(false);
    await look();
    expect(source.synced).toBe(true);
    api.fault = () => failure(500);
    await look();
    expect([source.synced, source.ready]).toEqual([false, true]);
  });
});
