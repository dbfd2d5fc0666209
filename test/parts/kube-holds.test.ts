import { describe, expect, it } from "vitest";
import type { Ref } from "../../src/schema/meta.js";
import { createApp } from "../../src/server/app.js";
import { everyone } from "../../src/server/auth.js";
import type { FollowedHolds } from "../../src/server/holds.js";
import { Hub } from "../../src/server/hub.js";
import type { Comparison, ListVerdict } from "../../src/sources/kubernetes/guard.js";
import { ListGuard } from "../../src/sources/kubernetes/guard.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { tlsSecret } from "../support/backend.js";
import { type Cluster, cluster, event, failure, type Item, proxy } from "../support/fake-kube.js";

const names = (namespace: string, count: number, prefix = "h"): Ref[] =>
  Array.from({ length: count }, (_, i): Ref => `HTTPProxy/${namespace}/${prefix}${i}`);

const unbelieved = { all: false, version: false };

function judge(known: readonly Ref[], listed: readonly Ref[], more: Partial<Comparison> = {}): ListVerdict {
  const comparison = { known: new Set(known), listed: new Set(listed), from: "1", to: "2", ...more };
  return new ListGuard().decide(comparison, unbelieved, 0);
}

describe("what a list lacks", () => {
  it("goes where other names came in its namespace", () => {
    const verdict = judge(names("a", 12), names("a", 12, "renamed"));
    expect(verdict).toEqual({ gone: names("a", 12), kept: [] });
  });

  it("stays where only other namespaces gained: nobody hides a loss of others", () => {
    const verdict = judge(names("a", 12), [...names("a", 2), ...names("mallory", 500)]);
    expect(verdict.kept).toHaveLength(10);
    expect(verdict.held?.reason).toBe("Shrink");
  });

  it("stays only in the namespaces that lose much, where the others lose little", () => {
    const others = Array.from({ length: 20 }, (_, i) => names(`team${i}`, 5)).flat();
    const without = others.filter((ref) => ref !== "HTTPProxy/team3/h0");
    const verdict = judge([...others, ...names("mallory", 80), ...names("mallory2", 60)], without);
    expect(verdict.gone).toEqual(["HTTPProxy/team3/h0"]);
    expect(verdict.kept).toHaveLength(140);
  });

  it("stays everywhere where the list lacks much of all", () => {
    const all = Array.from({ length: 100 }, (_, i) => names(`team${i}`, 5)).flat();
    const half = all.filter((_, i) => i % 2 === 0);
    expect(judge(all, half)).toMatchObject({ gone: [], held: { reason: "Shrink" } });
    expect(judge(all, all.slice(0, 250)).gone).toEqual([]);
    expect(judge(all, [])).toMatchObject({ gone: [], held: { reason: "Empty" } });
  });

  it("counts by owner where names rotate: one that has an object left has lost nothing", () => {
    const slices = Array.from({ length: 12 }, (_, i): Ref => `EndpointSlice/a/s${i}-old`);
    const rotated = slices.map((ref) => ref.replace("-old", "-new") as Ref);
    const ownerOf = (ref: Ref): string => ref.replace(/-.*/, "");
    const two = [...slices, ...rotated];
    expect(judge(two, rotated, { ownerOf }).kept).toEqual([]);
    expect(judge(slices, rotated.slice(0, 2), { ownerOf }).kept).toHaveLength(10);
  });

  it("is judged as any other where it was confirmed that the server went back in time", () => {
    const list = { known: new Set(names("a", 12)), listed: new Set<Ref>(), from: "9", to: "2" };
    expect(new ListGuard().decide(list, unbelieved, 0).refused?.reason).toBe("VersionWentBack");
    expect(new ListGuard().decide(list, { all: false, version: true }, 0).kept).toHaveLength(12);
    expect(new ListGuard().decide(list, { all: true, version: false }, 0).gone).toHaveLength(12);
  });

  it("goes with a second list a minute later where there were few", () => {
    const guard = new ListGuard();
    const few = { known: new Set(names("a", 3)), listed: new Set<Ref>(), from: "1", to: "2" };
    expect(guard.decide(few, unbelieved, 0)).toMatchObject({ gone: [], held: { reason: "Empty", since: 0 } });
    expect(guard.decide(few, unbelieved, 59_000).gone).toEqual([]);
    expect(guard.decide(few, unbelieved, 60_000).gone).toHaveLength(3);
    expect(judge(names("a", 3), names("a", 1)).held?.reason).toBe("Shrink");
    expect(judge(names("a", 4), names("a", 3)).gone).toHaveLength(1);
  });
});

const secret = (name: string): Item => ({
  metadata: { name, namespace: "default" },
  type: "Opaque",
  data: {},
});

const tls = (name: string): Item => {
  const made = tlsSecret("default", "secure");
  return { ...made, metadata: { name, namespace: "default" } };
};
/** Hosts with a certificate. */
const chains = (c: Cluster): string[] =>
  [...c.store.resources("filter-chain", "ingress_https")].map(({ name }) => name);

/** Lists a kind again, as after an interruption that the server does not remember. */
const relist = (c: Cluster, kind: string): void => c.store.setCursor(`kubernetes:${kind}`, "");
const proxies = (c: Cluster, ...items: readonly Item[]): void =>
  void c.api.collections.set("httpproxies", [...items]);
const heldOf = (c: Cluster, kind = "HTTPProxy"): unknown => c.source.status()[kind];

async function holding(given: Parameters<typeof cluster>[0] = {}): Promise<Cluster> {
  const c = cluster({ hosts: 12, ...given });
  await c.refresh();
  proxies(c, proxy("h0"), proxy("h1"));
  relist(c, "HTTPProxy");
  await c.refresh();
  return c;
}

describe("a kind with deletions that are held", () => {
  it("says so with the right numbers, as a state, a finding and a line, and never that the list is empty", async () => {
    const c = await holding();
    expect(c.hosts()).toHaveLength(12);
    expect(heldOf(c)).toMatchObject({ state: "held", held: { reason: "Shrink", objects: 10 } });
    const [finding] = c.source.findings;
    expect(finding).toMatchObject({ about: "HTTPProxy//", severity: "warning", reason: "HeldShrink" });
    expect(finding?.message).toContain("the list lacks 10 of them, and there were 12 httpproxies");
    expect(finding?.message).not.toContain("empty");
    expect(c.log.filter((line) => line.startsWith("kube-held: "))).toHaveLength(1);
  });

  it("takes the additions and changes of the list, and goes on being watched", async () => {
    const c = cluster({ hosts: 12 });
    await c.refresh();
    const changed = proxy("h0");
    (changed.spec as { virtualhost: object }).virtualhost = { fqdn: "changed.test" };
    proxies(c, changed, proxy("fresh"));
    relist(c, "HTTPProxy");
    c.api.events.set("httpproxies", event("ADDED", proxy("watched"), 120));
    await c.refresh();
    expect(c.hosts()).toContain("changed.test");
    expect(c.hosts()).toContain("fresh.test");
    expect(c.hosts()).toContain("watched.test");
    expect(c.hosts()).not.toContain("h0.test");
    expect(c.hosts()).toContain("h11.test");
  });

  it("deletes what a watch says is gone, and keeps what it says is there, however it is confirmed later", async () => {
    const c = await holding();
    proxies(c, proxy("h0"), proxy("h1"), proxy("h3"));
    c.api.events.set("httpproxies", event("DELETED", proxy("h2"), 120) + event("MODIFIED", proxy("h3"), 121));
    await c.refresh();
    expect(c.hosts()).toHaveLength(11);
    expect(heldOf(c)).toMatchObject({ held: { objects: 8 } });
    expect(c.source.acceptShrink("HTTPProxy")).toBe(8);
    expect(c.hosts()).toEqual(["h0.test", "h1.test", "h3.test"]);
    await c.refresh();
    expect(heldOf(c)).toEqual({ state: "synced" });
    expect(c.source.findings).toEqual([]);
    expect(c.source.acceptShrink("HTTPProxy")).toBeUndefined();
  });

  it("holds nothing any more when the objects are in the next list", async () => {
    const c = await holding();
    proxies(c, ...Array.from({ length: 12 }, (_, i) => proxy(`h${i}`)));
    await c.refresh();
    expect(heldOf(c)).toEqual({ state: "synced" });
    expect(c.hosts()).toHaveLength(12);
  });

  it("is confirmed for that list alone", async () => {
    const c = await holding();
    c.source.acceptShrink("HTTPProxy");
    proxies(c, ...Array.from({ length: 12 }, (_, i) => proxy(`h${i}`)));
    relist(c, "HTTPProxy");
    await c.refresh();
    proxies(c);
    relist(c, "HTTPProxy");
    await c.refresh();
    expect(c.hosts()).toHaveLength(12);
    expect(c.source.findings[0]?.message).toContain("the list is empty, and there were 12 httpproxies");
  });

  it("is held again after a restart: what was not deleted is not forgotten", async () => {
    const c = await holding();
    const again = cluster({ store: c.store });
    proxies(again, proxy("h0"), proxy("h1"));
    expect(again.source.ready).toBe(true);
    await again.refresh();
    expect(again.hosts()).toHaveLength(12);
    expect(heldOf(again)).toMatchObject({ held: { objects: 10 } });
    again.source.acceptShrink("HTTPProxy");
    expect(again.hosts()).toHaveLength(2);
    const third = cluster({ store: c.store });
    proxies(third, proxy("h0"), proxy("h1"));
    await third.refresh();
    expect(third.api.requests.some((path) => path.includes("httpproxies?limit"))).toBe(false);
  });

  it("is not confirmed by another kind, and other kinds are not held", async () => {
    const c = await holding();
    expect(c.source.acceptShrink("Secret")).toBeUndefined();
    expect(c.source.acceptShrink("Nothing")).toBeUndefined();
    expect(c.hosts()).toHaveLength(12);
    expect(heldOf(c, "Service")).toEqual({ state: "synced" });
  });

  it("of a CRD that is gone is deleted when that is confirmed", async () => {
    const c = cluster();
    await c.refresh();
    c.api.absent.add("httpproxies");
    await c.refresh();
    expect(heldOf(c)).toMatchObject({ state: "failing", code: "kube-missing" });
    expect(c.hosts()).toHaveLength(2);
    c.source.acceptShrink("HTTPProxy");
    await c.refresh();
    expect(c.hosts()).toEqual([]);
    expect(heldOf(c)).toEqual({ state: "absent" });
  });
});

describe("POST /accept-shrink", () => {
  const post = (c: Cluster, query: string, name = ""): Promise<Response> => {
    const hub = new Hub({ now: Date.now, log: () => undefined });
    const holds = (): FollowedHolds[] => [{ cluster: name, source: c.source }];
    const app = createApp({ hub, status: () => ({}), authenticate: everyone, holds });
    return Promise.resolve(app.request(`/accept-shrink?${query}`, { method: "POST" }));
  };
  const answer = async (...given: Parameters<typeof post>): Promise<unknown> => {
    const response = await post(...given);
    const { code } = (await response.json()) as { code?: string };
    return [response.status, code];
  };

  it("confirms what is held of a kind, if it is what was looked at", async () => {
    const c = await holding();
    expect(await answer(c, "kind=HTTPProxy&expect=9")).toEqual([409, "hold-changed"]);
    expect(await answer(c, "kind=Secret")).toEqual([404, "nothing-held"]);
    expect(await answer(c, "")).toEqual([404, "nothing-held"]);
    expect(await answer(c, "kind=HTTPProxy&cluster=west")).toEqual([404, "no-cluster"]);
    expect(c.hosts()).toHaveLength(12);
    const done = await post(c, "kind=HTTPProxy&expect=10");
    expect(await done.json()).toEqual({ kind: "HTTPProxy", deleted: 10 });
    expect(c.hosts()).toHaveLength(2);
  });

  it("is for one of several clusters by its name", async () => {
    const c = await holding();
    expect(await answer(c, "kind=HTTPProxy", "east")).toEqual([404, "no-cluster"]);
    expect((await post(c, "kind=HTTPProxy&cluster=east", "east")).status).toBe(200);
  });
});

describe("what was renamed while nothing was followed", () => {
  it("goes only when what refers to it has come", async () => {
    const store = createMemoryStore();
    const c = cluster({ store });
    c.api.collections.set("secrets", ["a", "b", "c"].map(secret));
    await c.refresh();
    expect(store.object("Secret/default/a")).toBeDefined();
    // The HTTPProxies, whose references were renamed, can't be listed yet.
    c.api.collections.set("secrets", ["x", "y", "z"].map(secret));
    relist(c, "Secret");
    relist(c, "HTTPProxy");
    c.api.fault = (path) =>
      path.includes("httpproxies") ? { status: 500, body: (async function* () {})() } : undefined;
    await c.refresh();
    expect(store.object("Secret/default/x")).toBeDefined();
    expect(store.object("Secret/default/a")).toBeDefined();
    // A restart meanwhile forgets nothing.
    const again = cluster({ store });
    again.api.collections.set("secrets", ["x", "y", "z"].map(secret));
    await again.refresh();
    expect(store.object("Secret/default/a")).toBeUndefined();
    expect(store.object("Secret/default/x")).toBeDefined();
    expect(again.log.filter((line) => line.startsWith("kube-held"))).toEqual([]);
  });

  it("stays as long as what refers to it fails, also where a watch says that it is gone; endpoints go at once", async () => {
    const slice: Item = {
      metadata: { name: "s", namespace: "default" },
      addressType: "IPv4",
      endpoints: [],
      ports: [],
    };
    const c = cluster({ hosts: 4 });
    c.api.collections.set("secrets", ["a", "b", "c", "d"].map(secret));
    c.api.collections.set("endpointslices", [slice]);
    await c.refresh();
    c.api.fault = (path) => (path.includes("httpproxies") ? failure(500) : undefined);
    c.api.events.set("secrets", event("DELETED", secret("a"), 120));
    c.api.events.set("endpointslices", event("DELETED", slice, 120));
    c.now = 5000;
    await c.refresh();
    expect(c.store.object("Secret/default/a")).toBeDefined();
    expect(c.store.object("EndpointSlice/default/s")).toBeUndefined();
    c.api.fault = () => undefined;
    c.api.collections.set("secrets", ["b", "c", "d"].map(secret));
    await c.refresh();
    expect(c.store.object("Secret/default/a")).toBeUndefined();
  });

  it("goes after a minute where the others do not catch up", async () => {
    const c = cluster();
    c.api.collections.set("secrets", ["a", "b", "c", "d"].map(secret));
    await c.refresh();
    c.api.collections.set("secrets", ["a", "c", "d"].map(secret));
    relist(c, "Secret");
    c.api.fault = (path) =>
      path.includes("/services") ? { status: 500, body: (async function* () {})() } : undefined;
    await c.refresh();
    expect(c.store.object("Secret/default/b")).toBeDefined();
    c.now = 61_000;
    await c.refresh();
    expect(c.store.object("Secret/default/b")).toBeUndefined();
  });

  it("comes and goes as one when kinds catch up by their watches, in whatever order they come", async () => {
    for (const late of ["secrets", "httpproxies"]) {
      const c = cluster({ hosts: 0 });
      const secure = (name: string, secretName: string): Item => ({
        ...proxy(name),
        spec: { ...(proxy(name).spec as object), virtualhost: { fqdn: `${name}.test`, tls: { secretName } } },
      });
      c.api.collections.set("httpproxies", [secure("h", "old")]);
      c.api.collections.set("secrets", [tls("old")]);
      await c.refresh();
      const seen: string[][] = [];
      c.told = () => void seen.push(chains(c));
      expect(chains(c)).toEqual(["h.test"]);
      c.api.events.set("secrets", event("ADDED", tls("new"), 120) + event("DELETED", tls("old"), 121));
      c.api.events.set("httpproxies", event("MODIFIED", secure("h", "new"), 120));
      c.api.delays.set(late, 30);
      c.now += 5000;
      await c.refresh();
      expect(seen.length).toBeGreaterThan(0);
      for (const names of seen) expect(names).toEqual(["h.test"]);
      expect(c.store.object("Secret/default/old")).toBeUndefined();
      expect(c.store.object("Secret/default/new")).toBeDefined();
    }
  });
});
