import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { statusReport } from "../../src/engine/status-report.js";
import { createApp } from "../../src/server/app.js";
import { everyone } from "../../src/server/auth.js";
import { Hub } from "../../src/server/hub.js";
import { PushedSources } from "../../src/sources/push/push-source.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Store } from "../../src/store/store.js";
import { resume } from "../../src/update.js";
import { hostProxy, type Manifest } from "../support/backend.js";
import { engineOf } from "../support/engine.js";

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly revision?: number;
  readonly changed?: boolean;
  readonly detail?: string;
  readonly left?: number;
  readonly traffic?: readonly string[];
  readonly findings?: readonly { readonly about: string; readonly reason: string }[];
}

function rig(store: Store = createMemoryStore(), namespaces?: readonly string[], maxUnits?: number) {
  const hub = new Hub({ now: () => 1_000_000, log: () => undefined });
  const platform = { checkKeyPair: () => undefined, ...(maxUnits ? { maxUnits } : {}) };
  const engine = engineOf(store, { outlet: hub, platform, now: () => 1_000_000 });
  const sources = new PushedSources(engine);
  sources.start();
  const app = createApp({
    hub,
    sources,
    status: () => statusReport(engine, sources),
    authenticate: namespaces
      ? () => Promise.resolve([{ role: "publish", name: "", id: "", fleet: "default", namespaces }])
      : everyone,
  });
  const put = async (
    objects: readonly Manifest[] | string | Uint8Array<ArrayBuffer>,
    query = "",
    { name = "main", headers = {} }: { name?: string; headers?: Record<string, string> } = {},
  ): Promise<Answer> => {
    const body =
      typeof objects === "string" || objects instanceof Uint8Array ? objects : JSON.stringify(objects);
    const answer = await app.request(`/sources/${name}${query}`, { method: "PUT", body, headers });
    return { ...((await answer.json()) as object), status: answer.status };
  };
  const hosts = (): string[] =>
    [...store.objects()].flatMap(({ ref }) => (ref.startsWith("HTTPProxy/") ? [ref] : [])).sort();
  const get = async (): Promise<Answer> => (await (await app.request("/sources/main")).json()) as Answer;
  return { put, get, hosts, engine, store };
}

const proxies = (count: number): Manifest[] =>
  Array.from({ length: count }, (_, i) => hostProxy(`h${i}.test`, "a"));
const broken = { ...hostProxy("bad.test", "a"), spec: { virtualhost: { fqdn: 7 } } } as unknown as Manifest;

describe("a push", () => {
  it("takes higher revisions, the same one again, and no older one", async () => {
    const { put, hosts } = rig();
    expect(await put(proxies(1), "?revision=5")).toMatchObject({ status: 200, revision: 5, changed: true });
    expect(await put(proxies(1), "?revision=5")).toMatchObject({ status: 200, revision: 5, changed: false });
    expect(await put(proxies(2), "?revision=5")).toMatchObject({ status: 409, code: "stale-revision" });
    expect(await put(proxies(2), "?revision=4")).toMatchObject({ status: 409, code: "stale-revision" });
    expect(hosts()).toHaveLength(1);
    expect(await put(proxies(2))).toMatchObject({ status: 200, revision: 6 });
    expect(await put(proxies(3), "?expect=5")).toMatchObject({ status: 412, code: "other-revision" });
    expect(await put(proxies(3), "?expect=6&revision=9")).toMatchObject({ status: 200, revision: 9 });
  });

  it("is published when all its units are compiled, where that is done in batches", async () => {
    const { put, get, engine, store } = rig(createMemoryStore(), undefined, 2);
    const first = await put([...proxies(4), broken]);
    expect(first).toMatchObject({ status: 200, revision: 1, left: 3 });
    expect(engine.snapshot).toBeUndefined();
    expect(await put(proxies(4), "?strict=1")).toMatchObject({ status: 422, code: "invalid-objects" });
    expect(engine.snapshot).toBeDefined();
    const edited = proxies(4).map((one) => ({ ...one, spec: { ...(one.spec as object), routes: [] } }));
    const served = engine.sequence;
    const second = await put(edited);
    expect([second.left, engine.sequence]).toEqual([2, served]);
    expect(await get()).toMatchObject({ revision: 2, left: 2 });
    resume(store, { checkKeyPair: () => undefined });
    engine.offer();
    expect(engine.sequence).toBeGreaterThan(served);
    const { left, findings } = await get();
    expect([left, findings?.length]).toEqual([undefined, 4]);
  });

  it("of one of two publishers that race is refused", async () => {
    const { put } = rig();
    await put(proxies(1), "?revision=1");
    const answers = await Promise.all([
      put(proxies(2), "?revision=2&expect=1"),
      put(proxies(3), "?revision=2&expect=1"),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
  });

  it("with one bad object serves all others, and keeps the bad one as it was", async () => {
    const { put, hosts } = rig();
    const good = proxies(5000);
    const [first] = good;
    await put(good);
    const worse = { ...first, spec: { virtualhost: { fqdn: 7 } } } as unknown as Manifest;
    const answer = await put([worse, ...good.slice(1), hostProxy("new.test", "a")]);
    expect(answer.status).toBe(200);
    expect(answer.findings).toContainEqual(
      expect.objectContaining({ about: "HTTPProxy/default/h0-test", type: "SchemaError" }),
    );
    expect(hosts()).toHaveLength(5001);
  });

  it("that is strict is refused for one bad object, and changes nothing", async () => {
    const { put, hosts, engine } = rig();
    await put(proxies(1));
    const before = engine.sequence;
    expect(await put([...proxies(2), broken], "?strict")).toMatchObject({
      status: 422,
      code: "invalid-objects",
    });
    expect([hosts().length, engine.sequence]).toEqual([1, before]);
    expect(await put(proxies(2), "?strict=false")).toMatchObject({ status: 200 });
  });

  it("that is dry says what would come, and changes nothing", async () => {
    const { put, hosts, engine, store } = rig();
    await put(proxies(2));
    const before = [engine.sequence, [...store.objects()].length, engine.preview().sets.routes.hash];
    const dry = await put([...proxies(3), broken], "?dry-run");
    expect(dry).toMatchObject({ status: 200, changed: true });
    expect(dry.traffic?.join("\n")).toContain("h2.test");
    expect(dry.traffic?.join("\n")).not.toContain("h1.test");
    expect([engine.sequence, [...store.objects()].length, engine.preview().sets.routes.hash]).toEqual(before);
    expect(hosts()).toHaveLength(2);
    expect(await put(proxies(2), "?revision=2")).toMatchObject({ status: 200, changed: false });
  });

  it("that takes many hosts away has to say that it means it", async () => {
    const { put, hosts } = rig();
    await put(proxies(20));
    expect(await put(proxies(13))).toMatchObject({ status: 409, code: "shrink" });
    expect(await put([])).toMatchObject({ status: 409, code: "shrink" });
    expect(await put(proxies(14))).toMatchObject({ status: 200 });
    expect(await put([], "?accept-shrink")).toMatchObject({ status: 200 });
    expect(hosts()).toEqual([]);
  });

  it("stays in the namespaces of its token", async () => {
    const store = createMemoryStore();
    await rig(store).put(proxies(1), "", { name: "other" });
    const own = rig(store, ["team"]);
    const inTeam = { ...hostProxy("t.test", "a"), metadata: { name: "t", namespace: "team" } };
    expect(await own.put([inTeam])).toMatchObject({ status: 200 });
    expect(await own.put([inTeam, hostProxy("x.test", "a")])).toMatchObject({
      status: 403,
      code: "namespace-not-allowed",
      findings: [{ about: "HTTPProxy/default/x-test" }],
    });
    expect(await own.put([], "", { name: "other" })).toMatchObject({ status: 403 });
    expect(await own.put([{ kind: "IsolineSettings", spec: {} } as unknown as Manifest])).toMatchObject({
      status: 403,
    });
    expect([...store.objects()]).toHaveLength(2);
  });

  it("is refused when it can't be read, quoting nothing", async () => {
    const { put } = rig();
    const bodies = { "a: [": "not-readable", '{"a":[]}\n{"data": "hidden': "not-an-object", "": "empty" };
    for (const [body, code] of [...Object.entries(bodies), ["a: *none", "not-readable"] as const]) {
      const answer = await put(body);
      expect(answer).toMatchObject({ status: 400, code, findings: [{ about: "Source//" }] });
      expect(JSON.stringify(answer)).not.toContain("hidden");
    }
    const bomb = gzipSync(Buffer.alloc(40_000_000));
    expect(await put(bomb, "", { headers: { "content-encoding": "gzip" } })).toMatchObject({ status: 413 });
    expect(await put("[]", "?revision=-1")).toMatchObject({ status: 400, code: "bad-revision" });
    expect(await put("[]", "", { name: "..%2fmain" })).toMatchObject({ status: 400, code: "bad-source" });
  });
});
