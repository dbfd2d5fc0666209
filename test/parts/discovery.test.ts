import { describe, expect, it } from "vitest";
import { encodeResponse } from "../../src/link/respond.js";
import type { Snapshot, XdsType } from "../../src/link/snapshot.js";
import { defaultPollTimes } from "../../src/schema/polls.js";
import { createApp } from "../../src/server/app.js";
import { everyone } from "../../src/server/auth.js";
import { holdTime } from "../../src/server/hold-time.js";
import { Hub } from "../../src/server/hub.js";
import { setOf } from "../support/resource-set.js";

type Sets = Partial<Record<XdsType, Record<string, string>>>;

const snapshot = (sets: Sets): Snapshot => {
  const set = (type: XdsType) => setOf(sets[type] ?? {});
  return {
    sets: {
      clusters: set("clusters"),
      endpoints: set("endpoints"),
      listeners: set("listeners"),
      routes: set("routes"),
      "scoped-routes": set("scoped-routes"),
      secrets: set("secrets"),
    },
    mode: "inline",
    xdsCluster: "isoline",
    polls: defaultPollTimes,
    findings: [],
    tables: new Map(),
    split: new Set(),
    parts: new Set(),
  };
};

const cluster = (name: string, extra = ""): Record<string, string> => ({
  [name]: `{"name":"${name}"${extra}}`,
});
const base: Sets = {
  clusters: cluster("blue"),
  listeners: { http: '{"name":"http"}' },
  routes: { r: '{"name":"r","to":"blue"}' },
};

/** A server with a clock that the test controls. */
function rig(): { hub: Hub; poll: typeof poll; tick(ms: number): void } {
  let now = 1_000_000;
  const hub = new Hub({ now: () => now, log: () => undefined });
  const app = createApp({ hub, status: () => ({}), authenticate: everyone });
  async function poll(
    type: XdsType,
    version = "",
    options: { names?: readonly string[]; node?: string; timeout?: number } = {},
  ): Promise<{ status: number; version: string; names: string[]; headers: Headers }> {
    const { names = [], node = "envoy", timeout } = options;
    const response = await app.request(`/v3/discovery:${type}`, {
      method: "POST",
      body: JSON.stringify({ node: { id: node }, version_info: version, resource_names: names }),
      headers: timeout ? { "x-envoy-expected-rq-timeout-ms": String(timeout) } : {},
    });
    const body =
      response.status === 200
        ? ((await response.json()) as { version_info: string; resources: { name: string }[] })
        : undefined;
    const found = body?.resources.map(({ name }) => name) ?? [];
    return {
      status: response.status,
      version: body?.version_info ?? "",
      names: found,
      headers: response.headers,
    };
  }
  return {
    hub,
    poll,
    tick(ms) {
      now += ms;
    },
  };
}

describe("discovery", () => {
  it("answers 503 before the first publication, never an empty 200", async () => {
    const { poll, hub } = rig();
    expect((await poll("clusters")).status).toBe(503);
    hub.publish(snapshot({ clusters: {}, listeners: {} }), 1);
    expect((await poll("clusters")).status).toBe(503);
    expect(() =>
      encodeResponse("clusters", { resources: setOf({}), version: "1-h" }, { xdsCluster: "isoline" }),
    ).toThrow(/empty/);
  });

  it("answers with content once and then with 304, with a length and without caching", async () => {
    const { poll, hub } = rig();
    hub.publish(snapshot(base), 1);
    const first = await poll("clusters");
    expect(first).toMatchObject({ status: 200, names: ["blue"] });
    expect(Number(first.headers.get("content-length"))).toBeGreaterThan(50);
    expect(first.headers.get("cache-control")).toBe("no-store");
    expect(first.headers.get("content-encoding")).toBeNull();
    expect((await poll("clusters", first.version)).status).toBe(304);
    expect((await poll("clusters", "")).status).toBe(200);
  });

  it("keeps the version of a type with equal content", async () => {
    const { poll, hub } = rig();
    hub.publish(snapshot(base), 1);
    const before = await poll("listeners");
    hub.publish(snapshot({ ...base, clusters: cluster("blue", ',"x":1') }), 2);
    expect((await poll("listeners")).version).toBe(before.version);
  });

  it("holds a poll for the time that Envoy requests, and answers it on a change", async () => {
    expect([holdTime(undefined), holdTime("1000"), holdTime("30000"), holdTime("9000")]).toEqual([
      0, 0, 25_000, 7000,
    ]);
    const { poll, hub } = rig();
    hub.publish(snapshot(base), 1);
    const { version } = await poll("routes", "", { names: ["r"] });
    const held = poll("routes", version, { names: ["r"], timeout: 30_000 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    hub.publish(snapshot({ ...base, routes: { r: '{"name":"r","to":"new"}' } }), 2);
    await poll("listeners", (await poll("listeners")).version);
    await poll("clusters", (await poll("clusters")).version);
    expect(await held).toMatchObject({ status: 200, names: ["r"] });
  });

  it("switches routes only when Envoy has the new cluster, and then removes the old one", async () => {
    const { poll, hub, tick } = rig();
    hub.publish(snapshot(base), 1);
    const clusters = await poll("clusters");
    const routes = await poll("routes", "", { names: ["r"] });
    await poll("clusters", clusters.version);
    await poll("listeners", (await poll("listeners")).version);
    await poll("routes", routes.version, { names: ["r"] });

    hub.publish(
      snapshot({ ...base, clusters: cluster("green"), routes: { r: '{"name":"r","to":"green"}' } }),
      2,
    );
    expect((await poll("routes", routes.version, { names: ["r"] })).status).toBe(304);
    const both = await poll("clusters", clusters.version);
    expect(both.names).toEqual(["blue", "green"]);
    expect((await poll("routes", routes.version, { names: ["r"] })).status).toBe(304);
    await poll("clusters", both.version);
    const switched = await poll("routes", routes.version, { names: ["r"] });
    expect(switched.status).toBe(200);
    expect((await poll("clusters", both.version)).status).toBe(304);
    await poll("routes", switched.version, { names: ["r"] });
    expect((await poll("clusters", both.version)).status).toBe(304);
    tick(300_000);
    await poll("listeners");
    expect((await poll("clusters", both.version)).names).toEqual(["green"]);
  });

  it("continues after some time without an Envoy that does not poll", async () => {
    const { poll, hub, tick } = rig();
    hub.publish(snapshot(base), 1);
    await poll("clusters");
    await poll("clusters", "", { node: "gone" });
    hub.publish(snapshot({ ...base, clusters: cluster("green") }), 2);
    tick(35_000);
    await poll("listeners");
    expect((await poll("clusters")).names).toEqual(["blue", "green"]);
    tick(35_000);
    await poll("listeners");
    tick(300_000);
    await poll("listeners");
    expect((await poll("clusters")).names).toEqual(["green"]);
  });

  it("does not repeat a rejected version at once, and serves earlier content with a new version", async () => {
    const { poll, hub } = rig();
    hub.publish(snapshot(base), 1);
    const good = await poll("listeners");
    await poll("listeners", good.version);
    hub.publish(snapshot({ ...base, listeners: { http: '{"name":"http","bad":1}' } }), 2);
    const bad = await poll("listeners", good.version);
    expect(bad.status).toBe(200);
    expect((await poll("listeners", good.version)).status).toBe(304);
    expect(JSON.stringify(hub.status())).toContain(`"refused":"${bad.version}"`);
    hub.publish(snapshot(base), 3);
    const back = await poll("listeners", good.version);
    expect(back.status).toBe(200);
    expect(back.version).not.toBe(good.version);
    expect((await poll("listeners", back.version)).status).toBe(304);
    expect(JSON.stringify(hub.status())).not.toContain("refused");
  });

  it("never sends an Envoy the older content of another replica", async () => {
    const { poll, hub, tick } = rig();
    hub.publish(snapshot(base), 5);
    expect((await poll("clusters", `9-${"a".repeat(16)}`)).status).toBe(304);
    // The Envoy has clusters of another replica, which gets time to send its newer ones.
    expect((await poll("clusters", `3-${"a".repeat(16)}`)).status).toBe(304);
    tick(2001);
    expect((await poll("clusters", `3-${"a".repeat(16)}`)).status).toBe(200);
    expect((await poll("clusters", "of-another-control-plane")).status).toBe(200);
  });

  it("serves by name, and answers no held poll for other names", async () => {
    const { poll, hub } = rig();
    hub.publish(
      snapshot({ ...base, endpoints: { a: '{"cluster_name":"a"}', b: '{"cluster_name":"b"}' } }),
      1,
    );
    const a = await poll("endpoints", "", { names: ["a"] });
    hub.publish(
      snapshot({ ...base, endpoints: { a: '{"cluster_name":"a"}', b: '{"cluster_name":"b","n":1}' } }),
      2,
    );
    expect((await poll("endpoints", a.version, { names: ["a"] })).status).toBe(304);
    expect((await poll("endpoints", "", { names: ["nobody"] })).status).toBe(503);
    expect((await poll("endpoints", "", { names: [] })).status).toBe(503);
  });
});

describe("the HTTP surface", () => {
  it("answers invalid requests with problem details and never with 200", async () => {
    const { hub } = rig();
    const app = createApp({ hub, status: () => ({}), authenticate: everyone });
    for (const [method, path, status] of [
      ["GET", "/v3/discovery:clusters", 405],
      ["POST", "/v3/discovery%3Aclusters", 404],
      ["POST", "/v3//discovery:clusters", 404],
      ["POST", "/v3/discovery:runtime", 404],
      ["PUT", "/sources/main", 404],
      ["GET", "/readyz", 503],
    ] as const) {
      const response = await app.request(path, { method });
      expect([path, response.status]).toEqual([path, status]);
      expect(response.headers.get("content-type")).toContain("application/problem+json");
    }
    expect((await app.request("/v3/discovery:clusters", { method: "POST", body: "{" })).status).toBe(400);
    expect((await app.request("/healthz")).status).toBe(200);
  });
});
