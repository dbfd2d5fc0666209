import { describe, expect, it } from "vitest";
import { cluster, encode, event, failure, proxy } from "../support/fake-kube.js";

describe("a cluster as a source", () => {
  it("lists once, then asks for what changed", async () => {
    const c = cluster();
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test"]);
    expect(c.changes).toBeGreaterThan(0);
    c.api.requests.length = 0;
    c.api.events.set("httpproxies", event("ADDED", proxy("new"), 120) + event("DELETED", proxy("h0"), 121));
    await c.refresh();
    expect(c.hosts()).toEqual(["h1.test", "new.test"]);
    expect(c.api.requests.every((path) => path.includes("watch=1"))).toBe(true);
    await c.refresh();
    const paths = c.api.requests.filter((path) => path.includes("httpproxies"));
    expect(paths.at(-1)).toContain("resourceVersion=121");
  });

  it("reads long lists page by page, and goes on where a store left off", async () => {
    const c = cluster({ hosts: 1100 });
    await c.refresh();
    expect(c.hosts()).toHaveLength(1100);
    expect(c.api.requests.filter((path) => /httpproxies\?limit/.test(path))).toHaveLength(3);
    const again = cluster({ store: c.store, hosts: 1100 });
    await again.refresh();
    expect(again.api.requests.some((path) => path.includes("limit=500"))).toBe(false);
    expect(again.hosts()).toHaveLength(1100);
  });

  it("keeps with the store that a kind is known, also one that is not there and one that is to be listed again", async () => {
    const c = cluster();
    c.api.absent.add("ingressroutes");
    await c.refresh();
    c.source.relist();
    const again = cluster({ store: c.store });
    expect(again.source.ready).toBe(true);
    expect(again.source.hasAnswered).toBe(false);
    expect(again.source.status().HTTPProxy).toEqual({ state: "stored" });
    again.api.absent.add("ingressroutes");
    await again.refresh();
    expect(again.source.hasAnswered).toBe(true);
    expect(again.source.status().IngressRoute).toEqual({ state: "absent" });
    expect(again.api.requests.some((path) => path.includes("httpproxies?limit"))).toBe(true);
  });

  it("reads only the namespaces that it is told to watch", async () => {
    const c = cluster({ namespaces: ["elsewhere"] });
    await c.refresh();
    expect(c.source.ready).toBe(true);
    expect(c.hosts()).toEqual([]);
  });

  it("publishes nothing before every kind is known", async () => {
    const c = cluster();
    c.api.fault = (path) => (path.includes("/secrets") ? failure(403) : undefined);
    await c.refresh();
    expect(c.changes).toBe(0);
    expect(c.source.ready).toBe(false);
    expect(c.log.join("\n")).toContain("grant get, list and watch on secrets");
    c.api.fault = () => undefined;
    await c.refresh();
    expect(c.changes).toBeGreaterThan(0);
  });

  it("does without kinds whose CRD is not there, and picks them up later", async () => {
    const c = cluster();
    c.api.absent.add("ingressroutes").add("httpproxies");
    await c.refresh();
    expect(c.source.ready).toBe(true);
    expect(c.source.status().HTTPProxy).toEqual({ state: "absent" });
    c.api.absent.clear();
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test"]);
  });

  it.each([401, 403, 404, 410, 429, 500, 503])(
    "loses nothing when a list or watch gets %i",
    async (status) => {
      const c = cluster({ hosts: 1100 });
      await c.refresh();
      for (const plural of ["namespaces", "services", "secrets", "ingresses", "httpproxies"]) {
        for (const page of ["watch=1", "limit=500", "continue=500", "continue=1000"]) {
          c.api.fault = (path) =>
            path.includes(plural) && path.includes(page) ? failure(status) : undefined;
          if (page !== "watch=1") c.store.setCursor("kubernetes:HTTPProxy", "");
          await c.refresh();
          expect(c.hosts(), `${plural} ${page}`).toHaveLength(1100);
        }
      }
      c.api.fault = () => undefined;
      c.api.collections.get("httpproxies")?.push(proxy("after"));
      c.store.setCursor("kubernetes:HTTPProxy", "");
      await c.refresh();
      expect(c.hosts()).toHaveLength(1101);
    },
  );

  it.each([
    ["HTML", "<html>hello</html>"],
    ["null", "null"],
    ["an empty object", "{}"],
    ["a list of texts", '{"metadata":{"resourceVersion":"1"},"items":["a"]}'],
    ["half an answer", '{"metadata":{"resourceVersion":"1"},"items":[{"meta'],
  ])("loses nothing when the answer is %s", async (_, body) => {
    const c = cluster();
    await c.refresh();
    c.store.setCursor("kubernetes:HTTPProxy", "");
    c.api.fault = (path) => (path.includes("httpproxies") ? { status: 200, body: encode(body) } : undefined);
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test"]);
    expect(c.log.join("\n")).not.toContain("meta");
  });

  it("drops an event that was cut off, and gets it the next time", async () => {
    const c = cluster();
    await c.refresh();
    const whole = event("ADDED", proxy("new"), 120);
    c.api.events.set("httpproxies", whole.slice(0, whole.length / 2));
    await c.refresh();
    expect(c.hosts()).toHaveLength(2);
    c.api.events.set("httpproxies", whole);
    await c.refresh();
    expect(c.hosts()).toHaveLength(3);
  });

  it("lists again when the server has forgotten the version", async () => {
    const c = cluster();
    await c.refresh();
    c.api.collections.get("httpproxies")?.push(proxy("missed"));
    const gone = `${JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } })}\n`;
    c.api.events.set("httpproxies", gone);
    await c.refresh();
    expect(c.hosts()).toHaveLength(2);
    await c.refresh();
    expect(c.hosts()).toHaveLength(3);
  });

  it("holds a list that lacks much of what was there, but not single deletes", async () => {
    const c = cluster({ hosts: 100 });
    await c.refresh();
    for (const left of [0, 50, 69]) {
      c.api.collections.set(
        "httpproxies",
        Array.from({ length: left }, (_, i) => proxy(`h${i}`)),
      );
      c.store.setCursor("kubernetes:HTTPProxy", "");
      await c.refresh();
      expect(c.hosts()).toHaveLength(100);
      expect(c.source.status().HTTPProxy).toMatchObject({ state: "held" });
    }
    c.api.collections.set(
      "httpproxies",
      Array.from({ length: 80 }, (_, i) => proxy(`h${i}`)),
    );
    await c.refresh();
    expect(c.hosts()).toHaveLength(80);
    const deletes = Array.from({ length: 79 }, (_, i) => event("DELETED", proxy(`h${i}`), 200 + i));
    c.api.events.set("httpproxies", deletes.join(""));
    await c.refresh();
    expect(c.hosts()).toEqual(["h79.test"]);
  });

  it("applies such a list when it is told to", async () => {
    const c = cluster({ hosts: 100, acceptShrink: true });
    await c.refresh();
    c.api.collections.set("httpproxies", []);
    c.store.setCursor("kubernetes:HTTPProxy", "");
    await c.refresh();
    expect(c.hosts()).toEqual([]);
  });

  it("lists everything again when it is told to, and is ready all the while", async () => {
    const c = cluster();
    await c.refresh();
    c.source.relist();
    expect(c.source.ready).toBe(true);
    c.api.requests.length = 0;
    c.api.collections.set("httpproxies", [proxy("other"), proxy("h0"), proxy("h1")]);
    await c.refresh();
    expect(c.api.requests.filter((path) => path.includes("limit=500")).length).toBeGreaterThan(5);
    expect(c.hosts()).toContain("other.test");
  });

  it("waits for a second list when the server went back in time", async () => {
    const c = cluster();
    await c.refresh();
    c.api.version = 50;
    c.api.collections.set("httpproxies", [proxy("old"), proxy("h0")]);
    c.store.setCursor("kubernetes:HTTPProxy", "");
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test"]);
    c.now = 61_000;
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test", "old.test"]);
    // The other kinds are believed by now, too: what is gone may go.
    c.now = 122_000;
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "old.test"]);
  });

  it.each<[string, object]>([
    [
      "a Status",
      { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", code: 503, message: "busy" },
    ],
    ["a Status with items", { kind: "Status", apiVersion: "v1", metadata: {}, items: [] }],
    ["a list of another kind", { kind: "SecretList", apiVersion: "v1", metadata: {}, items: [] }],
    ["a table", { kind: "Table", apiVersion: "meta.k8s.io/v1", metadata: {}, items: [] }],
    ["a list without items", { kind: "HTTPProxyList", metadata: {} }],
    ["an empty object", {}],
  ])("takes %s that comes with a 200 for a failure", async (_, body) => {
    const c = cluster();
    await c.refresh();
    c.source.relist();
    c.api.fault = (path) =>
      path.includes("httpproxies") ? { status: 200, body: encode(JSON.stringify(body)) } : undefined;
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test"]);
    expect(c.source.status().HTTPProxy).toMatchObject({ state: "failing" });
    c.api.fault = () => undefined;
    await c.refresh();
    expect(c.source.status().HTTPProxy).toEqual({ state: "synced" });
  });

  it("takes a Status in an event for a failure", async () => {
    const c = cluster();
    await c.refresh();
    const status = { kind: "Status", apiVersion: "v1", metadata: {}, code: 500, message: "storage is gone" };
    c.api.events.set("httpproxies", event("ADDED", status as never, 120));
    await c.refresh();
    expect(c.source.status().HTTPProxy).toMatchObject({ state: "failing" });
    expect(c.hosts()).toEqual(["h0.test", "h1.test"]);
  });

  it("keeps an object that can't be read any more as it was, and says why", async () => {
    const c = cluster();
    await c.refresh();
    const bad = { metadata: { name: "h0", namespace: "default" }, spec: { virtualhost: { fqdn: 7 } } };
    c.api.events.set("httpproxies", event("MODIFIED", bad, 120));
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test"]);
    expect(c.source.findings).toMatchObject([
      { about: "HTTPProxy/default/h0", path: "spec.virtualhost.fqdn" },
    ]);
    c.api.events.set("httpproxies", event("MODIFIED", proxy("h0"), 121));
    await c.refresh();
    expect(c.source.findings).toEqual([]);
  });

  it("tells of edits that change nothing that is served, as statuses do change", async () => {
    const orphan = (generation: number, prefix: string): Parameters<typeof event>[1] => ({
      metadata: { name: "orphan", namespace: "default", generation },
      spec: { routes: [{ conditions: [{ prefix }], services: [{ name: "nowhere", port: 80 }] }] },
    });
    const c = cluster();
    await c.refresh();
    const changesBy = async (...events: Parameters<typeof event>): Promise<number> => {
      const before = c.changes;
      c.api.events.set("httpproxies", event(...events));
      await c.refresh();
      return c.changes - before;
    };
    expect(await changesBy("ADDED", orphan(1, "/a"), 120)).toBe(1);
    expect(await changesBy("MODIFIED", orphan(2, "/b"), 121)).toBe(1);
    expect(await changesBy("MODIFIED", orphan(2, "/b"), 122)).toBe(0);
    expect(await changesBy("MODIFIED", orphan(3, "no-slash"), 123)).toBe(1);
    expect(await changesBy("MODIFIED", orphan(2, "/b"), 124)).toBe(1);
    expect(await changesBy("DELETED", orphan(2, "/b"), 125)).toBe(1);
  });
});
