import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { xdsTypes } from "../../src/link/snapshot.js";
import { startServer } from "../../src/runtime/node/serve.js";
import { openApi } from "../../src/server/openapi.js";
import { createSqliteStore } from "../../src/store/sqlite.js";
import { hostProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { freePort } from "../support/http.js";
import { compatibility } from "../support/wrangler.js";

const line = (role: string, rest = "", token = role): string =>
  `${role} sha256:${createHash("sha256").update(token).digest("hex")} ${rest}`;
const tokens = [
  ...["node", "publish", "read", "admin", "hook"].map((role) => line(role)),
  line("publish", "name=tenant namespaces=team", "tenant"),
  line("node", "nodes=one", "other-node"),
].join("\n");

interface Running {
  readonly url: string;
  close(): Promise<void>;
}

async function startNode(folder: string): Promise<Running> {
  const tokensFile = join(folder, "tokens");
  writeFileSync(tokensFile, tokens);
  const store = createSqliteStore(join(folder, "store.db"));
  const port = await freePort();
  const options = { paths: [], push: true, tokensFile, store, host: "127.0.0.1", port };
  const server = await startServer({ ...options, log: () => undefined });
  return {
    url: server.url,
    close: async () => {
      await server.close();
      store.close();
    },
  };
}

async function startWorker(folder: string): Promise<Running> {
  const port = await freePort();
  const contents = readFileSync(new URL("../../dist/worker.js", import.meta.url), "utf8");
  const worker = new Miniflare({
    host: "127.0.0.1",
    port,
    modules: [{ type: "ESModule", path: "worker.js", contents }],
    ...compatibility,
    durableObjects: { FLEET: { className: "Fleet", useSQLite: true } },
    durableObjectsPersist: folder,
    bindings: { ISOLINE_INSECURE: "1", ISOLINE_TOKENS: tokens },
  });
  await worker.ready;
  return { url: `http://127.0.0.1:${port}`, close: () => worker.dispose() };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

const lines = (...objects: readonly Manifest[]): string =>
  objects.map((object) => JSON.stringify(object)).join("\n");
const base = [service("default", "a"), service("default", "b")];
const hosts = (count: number, to = "a"): Manifest[] =>
  Array.from({ length: count }, (_, i) => hostProxy(`h${i}.test`, to));

describe.each([
  ["Node", startNode],
  ["the Worker", startWorker],
])("the HTTP surface of %s", (_, start) => {
  let folder: string;
  let running: Running;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "isoline-surface-"));
    running = await start(folder);
  });
  afterAll(async () => {
    await running?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function ask(method: string, path: string, role: string, init: RequestInit = {}): Promise<Answer> {
    const headers = { ...(role ? { authorization: `Bearer ${role}` } : {}), ...init.headers };
    const answer = await fetch(`${running.url}${path}`, { ...init, method, headers, redirect: "manual" });
    const text = await answer.text();
    const json = text.startsWith("{") ? (JSON.parse(text) as Answer["json"]) : {};
    return { status: answer.status, headers: answer.headers, text, json };
  }
  const put = (name: string, body: string, query = ""): Promise<Answer> =>
    ask("PUT", `/sources/${name}${query}`, "publish", { body });
  const poll = (
    type: string,
    node: string,
    version = "",
    names: readonly string[] = [],
    hold = "",
  ): Promise<Answer> => {
    const body = JSON.stringify({ version_info: version, node: { id: node }, resource_names: names });
    const headers: Record<string, string> = hold ? { "x-envoy-expected-rq-timeout-ms": hold } : {};
    return ask("POST", `/v3/discovery:${type}`, "node", { body, headers });
  };
  const versionOf = ({ json }: Answer): string => String(json.version_info ?? "");

  it("refuses a poll with an invalid name of the xDS cluster", async () => {
    const body = JSON.stringify({ node: { id: "a", metadata: { isoline: { xds_cluster: "a b" } } } });
    expect((await ask("POST", "/v3/discovery:clusters", "node", { body })).json).toMatchObject({
      code: "bad-xds-cluster",
    });
  });

  it("is not ready, and serves nothing, before anything is published", async () => {
    expect((await ask("GET", "/readyz", "")).status).toBe(503);
    expect((await ask("GET", "/readyz", "read")).status).toBe(503);
    expect((await ask("GET", "/healthz", "")).text).toBe("ok\n");
    for (const type of xdsTypes) expect((await poll(type, "early", "", ["x"])).status).toBe(503);
    for (const path of ["/graph", "/config"]) expect((await ask("GET", path, "read")).status).toBe(503);
  });

  it("describes its HTTP API without a token", async () => {
    const { status, json } = await ask("GET", "/openapi.json", "");
    const { version } = json.info as { readonly version: string };
    expect([status, json]).toEqual([200, openApi(version)]);
  });

  it("refuses requests without a token: every method and path", async () => {
    const paths = [
      "/status",
      "/overview",
      "/overview?live",
      "/hosts",
      "/hosts/a.test",
      "/findings",
      "/envoys",
      "/changes",
      "/metrics",
      "/graph",
      "/explain",
      "/config",
      "/sources/x",
      "/nothing",
      "//status",
      "/v3/discovery:secrets",
      "/hooks/audit",
    ];
    const statuses: number[] = [];
    for (const path of paths)
      for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
        statuses.push((await ask(method, path, "")).status);
    const tooMany = statuses.indexOf(429);
    expect(tooMany).toBeGreaterThan(15);
    expect(new Set(statuses.slice(0, tooMany))).toEqual(new Set([401]));
    expect(new Set(statuses.slice(tooMany))).toEqual(new Set([429]));
    expect((await ask("GET", "/status", "read")).status).toBe(200);
  });

  it("accepts pushes by revision, and strict ones completely or not at all", async () => {
    const good = lines(...base, ...hosts(3));
    const bad = hostProxy("bad.test", "missing");
    expect((await put("main", good, "?revision=5")).json).toMatchObject({ revision: 5, changed: true });
    expect((await put("main", good, "?revision=5")).json).toMatchObject({ revision: 5, changed: false });
    expect((await put("main", lines(...base), "?revision=4")).json).toMatchObject({
      status: 409,
      code: "stale-revision",
    });
    expect((await put("main", good, "?expect=4")).json).toMatchObject({ status: 412 });
    expect((await put("main", `${good}\n${lines(bad)}`, "?revision=6&strict=1")).json).toMatchObject({
      status: 422,
      code: "invalid-objects",
    });
    const dry = await put("main", lines(...base, ...hosts(2)), "?revision=6&dry-run=1");
    expect(dry.json.traffic).toContainEqual(expect.stringContaining("h2.test"));
    expect((await ask("GET", "/sources/main", "publish")).json).toMatchObject({ revision: 5, objects: 5 });
    const taken = await put("main", `${good}\n${lines(bad)}`, "?revision=6");
    expect(taken.json).toMatchObject({ revision: 6, findings: [{ about: "HTTPProxy/default/bad-test" }] });
  });

  it("refuses a push that removes many hosts until it is confirmed", async () => {
    const name = "shrink";
    const many = Array.from({ length: 12 }, (_, i) => hostProxy(`${name}-${i}.test`, "a"));
    expect((await put(name, lines(...many))).status).toBe(200);
    expect((await put(name, lines(...many.slice(0, 2)))).json).toMatchObject({ status: 409, code: "shrink" });
    expect((await put(name, lines(...many.slice(0, 2)), "?accept-shrink=1")).status).toBe(200);
  });

  it("answers polls: content, no change, held until a change, and no rejected version again", async () => {
    await put("main", lines(...base, ...hosts(3)));
    const first = await poll("clusters", "one");
    expect(first.headers.get("cache-control")).toBe("no-store");
    expect((await poll("clusters", "one", versionOf(first))).status).toBe(304);
    const routes = await poll("routes", "one", "", ["ingress_http"]);
    const held = poll("routes", "one", versionOf(routes), ["ingress_http"], "20000");
    await put("main", lines(...base, ...hosts(3, "b")));
    // Routes wait for their clusters and endpoints.
    const clusters = await poll("clusters", "one", versionOf(first));
    await poll("clusters", "one", versionOf(clusters));
    for (const [, name = ""] of clusters.text.matchAll(/"service_name":"([^"]+)"/g)) {
      const endpoints = await poll("endpoints", "one", "", [name]);
      await poll("endpoints", "one", versionOf(endpoints), [name]);
    }
    // It holds no poll for clusters, which may thus be at another replica: polls for routes then end soon, with 304.
    let changed = await held;
    while (changed.status === 304)
      changed = await poll("routes", "one", versionOf(routes), ["ingress_http"], "20000");
    expect(changed.status).toBe(200);
    expect(versionOf(changed)).not.toBe(versionOf(routes));
    expect((await poll("routes", "one", versionOf(routes), ["ingress_http"])).status).toBe(304);
    const { fleet } = (await ask("GET", "/status", "read")).json as {
      fleet: { node: string; subscriptions: Record<string, { refused?: string }> }[];
    };
    const one = fleet.find(({ node }) => node === "one");
    expect(one?.subscriptions["routes/ingress_http"]?.refused).toBe(versionOf(changed).split("+")[0]);
  });

  it("accepts gzip, and bodies only up to their limits", async () => {
    const body = gzipSync(JSON.stringify({ version_info: "", node: { id: "zipped" } }));
    const headers = { "content-encoding": "gzip" };
    expect((await ask("POST", "/v3/discovery:clusters", "node", { body, headers })).status).toBe(200);
    const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024, " "));
    expect((await ask("POST", "/v3/discovery:clusters", "node", { body: bomb, headers })).status).toBe(413);
    const large = JSON.stringify({ node: { id: "x".repeat(300_000) } });
    expect((await ask("POST", "/v3/discovery:clusters", "node", { body: large })).status).toBe(413);
    for (const broken of ["", "null", "[]", "{", '{"node":{"id":"a\\nb"}}'])
      expect([
        broken,
        (await ask("POST", "/v3/discovery:clusters", "node", { body: broken })).status,
      ]).toEqual([broken, 400]);
  });

  it("separates roles", async () => {
    const asked = {
      node: (role: string) =>
        ask("POST", "/v3/discovery:clusters", role, { body: JSON.stringify({ node: { id: "r" } }) }),
      publish: (role: string) => ask("GET", "/sources/main", role),
      read: (role: string) => ask("GET", "/status", role),
    };
    const allowed: Readonly<Record<keyof typeof asked, readonly string[]>> = {
      node: ["node"],
      publish: ["publish", "admin"],
      read: ["read", "admin"],
    };
    for (const [what, send] of Object.entries(asked))
      for (const role of ["node", "publish", "read", "admin", "hook"]) {
        const isAllowed = allowed[what as keyof typeof asked].includes(role);
        expect([what, role, (await send(role)).status]).toEqual([what, role, isAllowed ? 200 : 401]);
      }
  });

  it("binds a publisher of some namespaces to its source, and shows it only these", async () => {
    await put("wages", lines(hostProxy("wages.test", "missing", "payroll")));
    const own = { body: lines(service("team", "a")) };
    for (const answer of [
      await ask("PUT", "/sources/tenant", "tenant", own),
      await ask("PUT", "/sources/tenant?dry-run", "tenant", own),
      await ask("GET", "/sources/tenant", "tenant"),
    ]) {
      expect(answer.status).toBe(200);
      expect(answer.text).not.toMatch(/payroll|wages/);
    }
    expect((await ask("PUT", "/sources/squatted", "tenant", own)).status).toBe(403);
    expect((await ask("GET", "/sources/wages", "publish")).text).toContain("HTTPProxy/payroll/wages-test");
  });

  it("permits only an admin to remove a source, whose revisions then begin again", async () => {
    const high = Date.now() + 2 * 86_400_000;
    expect((await put("old", lines(), `?revision=${high}`)).json).toMatchObject({
      code: "revision-too-high",
    });
    await put("old", lines(hostProxy("old.test", "a")), "?revision=9");
    for (const role of ["publish", "tenant", "read", "node", "hook", ""])
      expect((await ask("DELETE", "/sources/old", role)).status).toBeOneOf([401, 429]);
    expect((await ask("DELETE", "/sources/old", "admin")).json).toMatchObject({ objects: 1, changed: true });
    expect((await ask("GET", "/graph?host=old.test", "read")).status).toBe(404);
    expect((await ask("DELETE", "/sources/old", "admin")).status).toBe(404);
    expect((await put("old", lines(), "?revision=1")).status).toBe(400);
    expect((await put("old", "[]", "?revision=1")).status).toBe(200);
  });

  it("serves an Envoy even if another token uses its node.id", async () => {
    await put("main", lines(...base, ...hosts(3)));
    const settled = versionOf(await poll("clusters", "one"));
    const held = poll("clusters", "one", settled, [], "20000");
    const pose = (version: string): Promise<Answer> =>
      ask("POST", "/v3/discovery:clusters", "other-node", {
        body: JSON.stringify({ version_info: version, node: { id: "one" } }),
      });
    await pose(settled);
    await put("main", lines(...base, service("default", "c"), ...hosts(3), hostProxy("new.test", "c")));
    for (let i = 0; i < 3; i++) await pose(settled);
    expect((await held).status).toBe(200);
    expect((await poll("clusters", "one", settled)).status).toBe(304);
    const stranger = { body: JSON.stringify({ node: { id: "one-more" } }) };
    expect((await ask("POST", "/v3/discovery:clusters", "other-node", stranger)).status).toBe(403);
  });

  it("explains, counts and shows the graph, without keys", async () => {
    await put("keys", lines(tlsSecret("default", "secure")));
    const explained = await ask("GET", "/explain?url=http://h0.test/", "read");
    expect(explained.json).toMatchObject({ outcome: "forward", virtualHost: { name: "h0.test" } });
    const graph = await ask("GET", "/graph?host=h0.test", "read");
    expect(graph.json).toMatchObject({ hosts: [{ host: "h0.test" }] });
    const config = await ask("GET", "/config", "read");
    expect(config.json).toMatchObject({ values: "hidden" });
    expect(config.text).toContain('"name":"h0.test"');
    const metrics = await ask("GET", "/metrics", "read");
    expect(metrics.text).toMatch(/isoline_polls_total\{type="clusters",code="200"\} \d+/);
    const status = await ask("GET", "/status", "read");
    for (const { text } of [explained, graph, config, metrics, status])
      expect(text).not.toMatch(/PRIVATE KEY|LS0tLS1CRUdJTi/);
    expect((await ask("DELETE", "/status", "read")).headers.get("allow")).toBe("GET");
    expect((await ask("GET", "/nothing", "read")).status).toBe(404);
    expect((await ask("GET", "/", "")).headers.get("content-security-policy")).toContain(
      "default-src 'none'",
    );
  });

  it("has what the page shows: the state as it changes, hosts, findings, Envoys and the history", async () => {
    const [line = ""] = (await ask("GET", "/overview?live=once", "read")).text.split("\n");
    const { digest, overview } = JSON.parse(line) as {
      digest: string;
      overview: { last: { number: number } };
    };
    const held = ask("GET", `/overview?live=once&have=${digest}`, "read");
    await put("page", lines(hostProxy("page.test", "a")));
    const next = JSON.parse((await held).text.split("\n")[0] ?? "") as { overview: typeof overview };
    expect(next.overview.last).toMatchObject({ source: "page", revision: 1 });
    expect(next.overview.last.number).toBe(overview.last.number + 1);
    const { json: all } = await ask("GET", "/hosts?limit=2000", "read");
    expect(all.hosts).toContainEqual(expect.objectContaining({ host: "page.test", state: "empty" }));
    expect((await ask("GET", "/hosts/page.test", "read")).json).toMatchObject({
      node: { host: "page.test" },
    });
    expect((await ask("GET", "/hosts/page.test", "publish")).status).toBe(401);
    expect((await ask("GET", "/findings?list", "read")).json).toHaveProperty("total");
    expect((await ask("GET", "/envoys", "read")).json).toHaveProperty("envoys");
    const { json: history } = await ask("GET", "/changes?limit=1", "admin");
    expect(history).toMatchObject({
      changes: [{ hosts: ["page.test"], causes: [{ source: "page", revision: 1 }] }],
    });
  });

  it("lets an Envoy keep its configuration after its store was lost, until an admin confirms that all is pushed", async () => {
    await put("main", lines(...base, ...hosts(3)));
    await put("other", lines(hostProxy("other.test", "b")));
    const version = versionOf(await poll("clusters", "lost"));
    expect(version).not.toBe("");
    await running.close();
    running = await start(mkdtempSync(join(folder, "lost-")));
    await put("main", lines(...base, ...hosts(2)));
    expect((await poll("clusters", "lost", version)).status).toBe(503);
    expect((await poll("clusters", "new")).status).toBe(503);
    expect((await put("main", lines(...base, ...hosts(3)))).json.missing).toBeGreaterThan(0);
    expect((await ask("POST", "/sources?complete", "publish")).status).toBe(401);
    expect((await ask("POST", "/sources?complete", "admin")).json).toMatchObject({ sources: ["main"] });
    expect((await poll("clusters", "lost", version, [], "20000")).status).toBe(200);
    expect((await poll("clusters", "new")).status).toBe(200);
  });
});
