import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import type { PublishedChange } from "../../src/engine/published-changes.js";
import { startServer } from "../../src/runtime/node/serve.js";
import { settingsRef } from "../../src/schema/settings.js";
import type { HostDetail, HostRow } from "../../src/server/hosts.js";
import { LiveRequests } from "../../src/server/live.js";
import { pageResponse } from "../../src/server/page.js";
import { Remembered } from "../../src/server/remembered.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Overview } from "../../src/verdict/overview.js";
import { endpointSlice, hostProxy, httpProxy, service, tlsSecret } from "../support/backend.js";
import { parseCase } from "../support/compile.js";
import { eventually } from "../support/envoy.js";
import { fiveHosts, manyHosts } from "../support/page-objects.js";
import { pushServer } from "../support/pushing.js";

const tokens = [
  "admin root",
  "read viewer",
  "publish ci source=web",
  "publish tenant source=shop namespaces=shop",
  "node edge",
  "hook ring",
];

async function served(objects: readonly object[] | string = fiveHosts()) {
  const server = pushServer({ tokens });
  const push = (content: readonly object[] | string, query = "") =>
    server.ask("PUT", `/sources/web${query}`, content, "ci");
  await push(objects);
  const get = async <T>(path: string, token = "viewer"): Promise<T> =>
    (await server.ask("GET", path, undefined, token)) as T;
  return { ...server, push, get };
}

describe("the page's document", () => {
  const ask = (headers: Record<string, string> = {}): Response =>
    pageResponse(new Request("http://a.test/", { headers }));

  it("runs the script and the style whose hashes its policy names, and nothing else", async () => {
    const html = await ask().text();
    const policy = ask().headers.get("content-security-policy") ?? "";
    const hashOf = (tag: string): string => {
      const [, text = ""] = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html) ?? [];
      return `sha256-${createHash("sha256").update(text).digest("base64")}`;
    };
    expect(policy).toContain(`script-src '${hashOf("script")}'`);
    expect(policy).toContain(`style-src '${hashOf("style")}'`);
    expect(policy).toMatch(/^default-src 'none'/);
    expect(policy).not.toContain("unsafe");
    expect(html).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)=/);
  });

  it("is not sent again to a browser that has it", () => {
    const etag = ask().headers.get("etag") ?? "";
    expect(ask({ "if-none-match": etag }).status).toBe(304);
  });

  it("parses nothing as HTML", () => {
    const folder = join(import.meta.dirname, "../../src/page");
    for (const file of readdirSync(folder))
      expect(readFileSync(join(folder, file), "utf8")).not.toMatch(
        /innerHTML|insertAdjacent|document\.write|\beval\(/,
      );
  });
});

describe("what the page asks for", () => {
  const paths = [
    "/overview",
    "/overview?live",
    "/hosts",
    "/hosts/shop.example.com",
    "/findings",
    "/findings?list",
    "/envoys",
    "/changes",
  ];

  it.each(paths)("GET %s is for the roles read and admin alone", async (path) => {
    const { ask } = await served();
    for (const token of ["ci", "tenant", "edge", "ring", "", "nobody"])
      expect((await ask("GET", path, undefined, token)).status).toBe(401);
    if (path.includes("live")) return;
    for (const token of ["viewer", "root"])
      expect((await ask("GET", path, undefined, token)).status).toBe(200);
  });

  it("comes in pages, whose bounds are checked", async () => {
    const { get } = await served(manyHosts(7, 5));
    const all = await get<{ hosts: HostRow[] }>("/hosts");
    const first = await get<{ total: number; hosts: HostRow[]; next: number }>("/hosts?limit=5");
    const second = await get<{ hosts: HostRow[]; next?: number }>(`/hosts?limit=500&after=${first.next}`);
    expect(first.total).toBe(12);
    expect([...first.hosts, ...second.hosts]).toEqual(all.hosts);
    expect(second.next).toBeUndefined();
    for (const path of [
      "/hosts?limit=2001",
      "/hosts?limit=0",
      "/hosts?after=-1",
      "/findings?list&limit=501",
      "/envoys?limit=x",
      "/changes?limit=1e9",
    ])
      expect(await get(path), path).toMatchObject({ status: 400 });
  });

  it("has hosts with their state: served, without endpoints, with errors, not served", async () => {
    const { get } = await served([
      ...fiveHosts(),
      httpProxy("shop", "half", {
        virtualhost: { fqdn: "half.test", tls: { secretName: "gone" } },
        routes: [{ services: [{ name: "web", port: 80 }] }],
      }),
    ]);
    const { hosts } = await get<{ hosts: HostRow[] }>("/hosts");
    const states = Object.fromEntries(hosts.map(({ host, state }) => [host, state]));
    expect(states).toMatchObject({
      "shop.example.com": "served",
      "grafana.example.com": "empty",
      "half.test": "failing",
    });
    const shop = hosts.find(({ host }) => host === "shop.example.com");
    expect(shop).toMatchObject({
      routes: 5,
      owners: ["HTTPProxy/shop/storefront"],
      tables: ["ingress_http"],
    });
  });

  it("has one host with its graph, findings and addresses that are not ready; 404 for one that nothing claims", async () => {
    const { get } = await served();
    const shop = await get<HostDetail>("/hosts/SHOP.example.com");
    expect(Object.keys(shop.node?.tables ?? {})).toEqual(["ingress_http"]);
    expect(shop.notReady).toEqual({ "shop/catalog-next": 1 });
    expect(JSON.stringify(shop)).toContain("x-beta is (hidden)");
    expect(JSON.stringify(await get("/hosts/shop.example.com", "root"))).toContain('x-beta is \\"yes\\"');
    expect(await get("/hosts/nobody.test")).toMatchObject({ status: 404 });
    expect(await get("/hosts/%2a")).toMatchObject({ status: 404 });
  });

  it("names the file and the line of routes and findings where the server reads files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "isoline-page-files-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, "shop.yaml");
    const objects = [service("default", "a"), hostProxy("a.test", "a"), hostProxy("b.test", "gone")];
    await writeFile(file, objects.map((object) => stringify(object)).join("---\n"));
    const server = await startServer({ paths: [folder], host: "127.0.0.1", port: 0, log: () => undefined });
    onTestFinished(() => server.close());
    const ask = async (host: string): Promise<HostDetail> =>
      (await (await fetch(`${server.url}/hosts/${host}`)).json()) as HostDetail;
    const lines = (await readFile(file, "utf8")).split("\n");
    const [place] = Object.values((await ask("a.test")).places);
    expect(place?.file).toBe(file);
    expect(lines[(place?.line ?? 0) - 1]).toContain("- services:");
    const [finding] = (await ask("b.test")).findings;
    expect(finding).toMatchObject({ file, line: expect.any(Number), reason: "ServiceUnresolvedReference" });
    const history = (await (await fetch(`${server.url}/changes`)).json()) as { changes: PublishedChange[] };
    expect(history.changes).toMatchObject([{ start: "first", causes: [{ source: "files" }] }]);
  });

  it("groups findings by reason and namespace, and lists those that are asked for", async () => {
    const { get } = await served(manyHosts(3, 258));
    const { total, groups } = await get<{
      total: number;
      groups: { reason: string; count: number; fix: string; namespaces: unknown[] }[];
    }>("/findings");
    expect(total).toBe(258);
    expect(groups.map(({ count }) => count).sort()).toEqual([86, 86, 86]);
    expect(groups[0]?.fix).not.toBe("");
    const [{ reason = "" } = {}] = groups;
    const list = await get<{ total: number; findings: { about: string; reason: string }[] }>(
      `/findings?list&reason=${reason}&namespace=team-1`,
    );
    expect(list.total).toBeGreaterThan(0);
    for (const finding of list.findings)
      expect(finding).toMatchObject({ reason, about: expect.stringContaining("/team-1/") });
    expect(await get("/findings?list&q=nothing-like-this")).toMatchObject({ total: 0 });
  });
});

describe("what takes a while to work out", () => {
  it("is remembered while its key is the same, and for twenty times as long as it took", () => {
    let now = 0;
    let made = 0;
    const make = (): number => {
      now += 10;
      return ++made;
    };
    const remembered = new Remembered({ make, now: () => now, freshMs: 1000 });
    expect([remembered.get("a"), remembered.get("a"), remembered.get("b")]).toEqual([1, 1, 1]);
    now += 200;
    expect([remembered.get("a"), remembered.get("b")]).toEqual([1, 2]);
    now += 1000;
    expect(remembered.get("b")).toBe(3);
  });
});

describe("GET /overview?live", () => {
  const linesOf = async (answer: Response): Promise<{ digest: string; overview: Overview }[]> =>
    (await answer.text())
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));

  it("answers at once what is new to the client, and holds the request until there is something else", async () => {
    const { app, put } = pushServer();
    await put(fiveHosts());
    const [first, ...none] = await linesOf(await app.request("/overview?live"));
    expect(none).toEqual([]);
    expect(first?.overview.hosts).toBe(5);
    const held = linesOf(await app.request(`/overview?live&have=${first?.digest}`));
    const ended = await Promise.race([
      held.then(() => true),
      new Promise((resolve) => setTimeout(resolve, 200, false)),
    ]);
    expect(ended).toBe(false);
    await put(fiveHosts(20));
    const [next] = await held;
    expect(next?.overview.last?.number).toBe(2);
  });

  it("is a stream on Node, which ends when it is released, and is bounded for each token", async () => {
    const live = new LiveRequests({ mode: "stream", now: Date.now });
    const { app, put } = pushServer({ live });
    await put(fiveHosts());
    const open = await Promise.all(Array.from({ length: 33 }, () => app.request("/overview?live")));
    expect(open.map(({ status }) => status)).toEqual([...Array<number>(32).fill(200), 429]);
    await put(fiveHosts(20));
    await eventually(async () => live.size === 32, "they stay open");
    const [first] = open;
    setTimeout(() => live.release(), 1500);
    await open[1]?.body?.cancel();
    expect(live.size).toBe(31);
    const lines = await linesOf(first as Response);
    expect(lines.map(({ overview }) => overview.last?.number)).toEqual([1, 2]);
    expect(live.size).toBe(0);
    expect((await app.request("/overview?live")).status).toBe(200);
    live.release();
  });
});

describe("the history of what was served", () => {
  const changes = async (get: <T>(path: string) => Promise<T>): Promise<readonly PublishedChange[]> =>
    (await get<{ changes: readonly PublishedChange[] }>("/changes")).changes;
  const words = (change: PublishedChange | undefined): string => JSON.stringify(change?.sections);

  it("says when, by whom, from which revision, and in words what changed; what changed nothing is no entry", async () => {
    const { push, get, clock } = await served();
    clock.now += 60_000;
    await push(fiveHosts(50));
    await push(fiveHosts(50));
    const [newest, first, ...others] = await changes(get);
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      number: 1,
      start: "first",
      hostCount: 5,
      causes: [{ source: "web", revision: 1, by: "ci" }],
    });
    expect(newest).toMatchObject({
      number: 2,
      at: clock.now,
      types: ["routes"],
      hosts: ["shop.example.com"],
      causes: [{ source: "web", revision: 2, by: "ci" }],
    });
    expect(words(newest)).toContain("shop/catalog-next/80 (weight 10)");
    expect(words(newest)).not.toMatch(/\/[0-9a-f]{16}/);
    expect(await get<Overview>("/overview")).toMatchObject({
      last: { number: 2, source: "web", revision: 2, by: "ci" },
    });
  });

  it("shows no key, and no value that a route compares or sets", async () => {
    const { push, get } = await served();
    const secret = httpProxy("shop", "secret", {
      virtualhost: { fqdn: "secret.test", tls: { secretName: "secure" } },
      routes: [
        {
          conditions: [{ prefix: "/" }, { header: { name: "x-key", exact: "hunter2" } }],
          services: [{ name: "web", port: 80 }],
          requestHeadersPolicy: { set: [{ name: "x-token", value: "hunter3" }] },
        },
      ],
    });
    await push([
      ...fiveHosts(),
      tlsSecret("shop", "secure"),
      secret,
      { kind: "IsolineSettings", spec: { secrets: "inline" } },
    ]);
    const [newest] = await changes(get);
    expect(words(newest)).toContain("secret.test");
    expect(words(newest)).not.toMatch(/hunter|PRIVATE KEY|LS0tLS1CRUdJTi/);
  });

  it("describes no more than can be read", async () => {
    const { push, get } = await served(manyHosts(500));
    await push(manyHosts(500).replaceAll('"10.100.', '"10.110.'));
    const [large] = await changes(get);
    expect(words(large)).toContain("too many changes to describe each");
    expect(JSON.stringify(large).length).toBeLessThan(20_000);
  });

  it("joins what a cluster writes shortly after another, and changes of endpoints alone for longer", () => {
    const { engine, clock } = pushServer();
    const list = () => engine.changes.list(10);
    const publish = (objects: readonly object[], ms: number): void => {
      clock.now += ms;
      const text = objects.map((object) => JSON.stringify(object)).join("\n---\n");
      const parsed = parseCase(text, '{"allowLoopbackEndpoints": true}').objects;
      engine.because({
        source: "cluster",
        objects: parsed.map(({ ref }) => ref).filter((ref) => ref !== settingsRef),
      });
      engine.put(parsed);
      engine.offer();
    };
    const slice = (port: number): object => endpointSlice("default", "a", port);
    publish([service("default", "a"), slice(1), hostProxy("a.test", "a")], 0);
    publish([hostProxy("b.test", "a")], 10_000);
    publish([hostProxy("c.test", "a")], 1000);
    publish([hostProxy("d.test", "a")], 10_000);
    for (let i = 2; i < 6; i++) publish([slice(i)], 60_000);
    expect(list().map(({ count, hosts, onlyEndpoints }) => [count, hosts, onlyEndpoints])).toEqual([
      [4, [], true],
      [1, ["d.test"], false],
      [2, ["b.test", "c.test"], false],
      [1, [], false],
    ]);
    expect(list()[2]?.causes).toEqual([
      { source: "cluster", objects: ["HTTPProxy/default/b-test", "HTTPProxy/default/c-test"] },
    ]);
  });

  it("is bounded, and goes on after a restart, which is an entry where what is served is something else", async () => {
    const store = createMemoryStore();
    const before = pushServer({ store });
    for (let i = 0; i < 210; i++) await before.put([service("default", "a"), hostProxy(`h${i}.test`, "a")]);
    const list = before.engine.changes.list(1000);
    expect(list).toHaveLength(200);
    expect(list[0]?.number).toBe(210);
    const after = pushServer({ store });
    expect(after.engine.changes.list(1)[0]?.number).toBe(210);
    await after.put([service("default", "a"), hostProxy("other.test", "a")]);
    expect(after.engine.changes.list(1)[0]).toMatchObject({
      number: 211,
      hosts: expect.arrayContaining(["other.test"]),
    });
    expect(after.engine.changes.list(2, 211).map(({ number }) => number)).toEqual([210, 209]);
  });

  it("has the sources that were taken away", async () => {
    const { ask, get } = await served();
    await ask("DELETE", "/sources/web", undefined, "root");
    expect((await changes(get))[0]).toMatchObject({ causes: [{ source: "web" }], hostCount: 5 });
  });
});
