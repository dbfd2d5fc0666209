import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import {
  hostProxy,
  httpProxy,
  type Manifest,
  service,
  startBackends,
  tlsSecret,
} from "../support/backend.js";
import { eventually, startEnvoy } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";
import { compatibility } from "../support/wrangler.js";

const token = "a-token-for-tests";
const readToken = "a-token-to-read";
const nodeToken = "a-token-of-envoys";
const lineOf = (role: string, text: string, rest = ""): string =>
  `${role} sha256:${createHash("sha256").update(text).digest("hex")} ${rest}`;
const tokens = [lineOf("publish", token), lineOf("read", readToken), lineOf("node", nodeToken)].join("\n");
const script = new URL("../../dist/worker.js", import.meta.url);

interface Put {
  readonly status: number;
  readonly body: {
    readonly objects?: number;
    readonly version?: number;
    readonly code?: string;
    readonly left?: number;
    readonly findings?: readonly { readonly reason: string; readonly message: string }[];
  };
}

/** The built Worker in workerd on one port, with a Durable Object whose storage is a folder. */
class TestWorker {
  #running: Miniflare | undefined;

  constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly source: string,
  ) {}

  async start(bindings: Record<string, string> = { ISOLINE_TOKENS: tokens }): Promise<void> {
    this.#running = new Miniflare({
      host: "127.0.0.1",
      port: this.port,
      modules: [{ type: "ESModule", path: "worker.js", contents: this.source }],
      ...compatibility,
      durableObjects: { FLEET: { className: "Fleet", useSQLite: true } },
      durableObjectsPersist: this.folder,
      bindings: { ISOLINE_INSECURE: "1", ...bindings },
    });
    await this.#running.ready;
  }

  async stop(): Promise<void> {
    await this.#running?.dispose();
    this.#running = undefined;
  }

  async put(body: string, name = "main", bearer = token): Promise<Put> {
    const headers = { authorization: `Bearer ${bearer}` };
    const answer = await fetch(`http://127.0.0.1:${this.port}/sources/${name}`, {
      method: "PUT",
      headers,
      body,
    });
    return { status: answer.status, body: (await answer.json()) as Put["body"] };
  }

  async status(): Promise<{
    readonly types: Readonly<Record<string, { readonly version: string; readonly resources: number }>>;
    readonly findings: readonly object[];
  }> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/status`, {
      headers: { authorization: `Bearer ${readToken}` },
    });
    return (await answer.json()) as Awaited<ReturnType<TestWorker["status"]>>;
  }

  /** The sequence in the version of the type that changed last. */
  async sequence(): Promise<number> {
    const { types } = await this.status();
    return Math.max(...Object.values(types).map(({ version }) => Number(version.split("-")[0])));
  }
}

let source: string;
let worker: TestWorker;

beforeAll(async () => {
  source = await readFile(script, "utf8");
});

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), "isoline-worker-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  worker = new TestWorker(await freePort(), folder, source);
  onTestFinished(() => worker.stop());
  await worker.start();
});

const list = (...items: readonly Manifest[]): string =>
  JSON.stringify({ apiVersion: "v1", kind: "List", items });

const tlsProxy = httpProxy("default", "tls", {
  virtualhost: { fqdn: "secure.test", tls: { secretName: "secure" } },
  routes: [{ services: [{ name: "a", port: 80 }] }],
});

describe("the Worker", () => {
  it("serves pushes to a real Envoy, also after a restart", async () => {
    const backends = await startBackends("one", "two");
    onTestFinished(() => backends.close());
    const [http, https, stats] = [await freePort(), await freePort(), await freePort()];
    const at = (port: number): object => ({ address: "127.0.0.1", port });
    const settings = {
      kind: "IsolineSettings",
      spec: { allowLoopbackEndpoints: true, http: at(http), https: at(https), stats: at(stats) },
    };
    const content = (to: string): string => list(settings, ...backends.objects, hostProxy("app.test", to));

    const first = await worker.put(content("one"));
    expect(first).toMatchObject({ status: 200, body: { objects: 6, findings: [] } });
    const envoy = await startEnvoy({ xdsPort: worker.port, token: nodeToken, http1: true });
    onTestFinished(() => envoy.stop());
    const answers = async (service: string): Promise<boolean> => {
      const answer = await request({ port: http, host: "app.test" });
      return answer.status === 200 && answer.echo().service === service;
    };
    await eventually(() => answers("one"), "traffic goes to the first backend");

    const second = await worker.put(content("two"));
    expect(second.status).toBe(200);
    expect(second.body.version).toBeGreaterThan(first.body.version ?? Number.NaN);
    await eventually(() => answers("two"), "traffic goes to the second backend");
    const before = await worker.sequence();

    await worker.stop();
    expect(await answers("two")).toBe(true);
    await worker.start();
    expect(await worker.sequence()).toBeGreaterThanOrEqual(before);
    expect(await answers("two")).toBe(true);
    expect((await worker.put(content("one"))).status).toBe(200);
    await eventually(() => answers("one"), "traffic follows a push after the restart");
    expect(await envoy.rejected()).toEqual([]);
  });

  it("compiles a large push by alarm, serves the state before until then, and continues after a restart", async () => {
    const poll = async (type: string): Promise<{ status: number; hosts: number }> => {
      const answer = await fetch(`http://127.0.0.1:${worker.port}/v3/discovery:${type}`, {
        method: "POST",
        headers: { authorization: `Bearer ${nodeToken}` },
        body: JSON.stringify({ node: { id: "n" }, resource_names: ["ingress_http"] }),
      });
      if (answer.status !== 200) return { status: answer.status, hosts: 0 };
      const { resources } = (await answer.json()) as { resources: { virtual_hosts: unknown[] }[] };
      return { status: 200, hosts: resources[0]?.virtual_hosts.length ?? 0 };
    };
    const settings = { kind: "IsolineSettings", spec: { routeShards: 1 } };
    const hosts = (count: number): string =>
      list(
        settings,
        service("default", "a"),
        ...Array.from({ length: count }, (_, i) => hostProxy(`h${i}.test`, "a")),
      );
    expect((await worker.put(hosts(1))).body).not.toHaveProperty("left");
    expect(await poll("routes")).toEqual({ status: 200, hosts: 1 });

    const pushed = await worker.put(hosts(9000));
    expect(pushed.body.left).toBeGreaterThan(2000);
    expect(await poll("routes")).toEqual({ status: 200, hosts: 1 });
    await worker.stop();
    await worker.start();
    const statuses = new Set<number>();
    await eventually(async () => {
      const { status, hosts: count } = await poll("routes");
      statuses.add(status);
      // The result is always complete: all hosts, or none while they are compiled.
      expect([0, 9000]).toContain(count);
      return count === 9000;
    }, "the rest is compiled");
    expect([...statuses].filter((status) => status !== 503)).toEqual([200]);
  });

  it("accepts nothing without the right token", async () => {
    expect(await worker.put(list(hostProxy("app.test", "a")), "main", "another")).toMatchObject({
      status: 401,
      body: { code: "unauthorized" },
    });
    expect((await worker.status()).types.clusters?.version).toBe("");
    await worker.stop();
    await worker.start({});
    expect(await worker.put(list())).toMatchObject({ status: 503, body: { code: "not-configured" } });
  });

  it("shows a reader the configuration without keys, and nothing without a token", async () => {
    await worker.put(
      list(service("default", "a"), hostProxy("app.test", "a"), tlsSecret("default", "secure")),
    );
    const get = async (path: string, bearer?: string): Promise<{ status: number; text: string }> => {
      const headers: Record<string, string> = bearer ? { authorization: `Bearer ${bearer}` } : {};
      const answer = await fetch(`http://127.0.0.1:${worker.port}${path}`, { headers });
      return { status: answer.status, text: await answer.text() };
    };
    for (const path of ["/metrics", "/graph", "/config", "/explain?url=http://app.test/"]) {
      expect((await get(path)).status).toBe(401);
      expect((await get(path, nodeToken)).status).toBe(401);
      const answer = await get(path, readToken);
      expect(answer.status).toBe(200);
      expect(answer.text).not.toContain("PRIVATE KEY");
    }
    expect((await get("/graph?host=app.test", readToken)).text).toContain("HTTPProxy/default/app-test");
    expect((await get("/metrics", readToken)).text).toContain("isoline_publications_total 1");
    const page = await get("/");
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining("<title>Isoline</title>") });
    expect(page.text).not.toContain("app.test");
  });

  it("sends keys only to nodes of the fleet", async () => {
    const other = "a-token-of-another-fleet";
    await worker.stop();
    await worker.start({ ISOLINE_TOKENS: `${tokens}\n${lineOf("node", other, "fleet=other")}` });
    await worker.put(list(tlsSecret("default", "secure"), tlsProxy));
    const secrets = async (bearer: string, extra: Record<string, string> = {}): Promise<Response> =>
      fetch(`http://127.0.0.1:${worker.port}/v3/discovery:secrets`, {
        method: "POST",
        headers: { authorization: `Bearer ${bearer}`, ...extra },
        body: JSON.stringify({ node: { id: "a" }, resource_names: ["default/secure"] }),
      });
    const pem = "LS0tLS1CRUdJTi";
    const good = await secrets(nodeToken);
    expect([good.status, good.headers.get("cache-control")]).toEqual([200, "no-store"]);
    expect(await good.text()).toContain(pem);
    expect((await secrets(other)).status).toBe(503);
    const forged = { "x-isoline-identity": JSON.stringify([{ role: "node", name: "", fleet: "default" }]) };
    for (const bearer of [token, readToken, "", "x"]) {
      const refused = await secrets(bearer, forged);
      expect(refused.status).toBe(401);
      expect(await refused.text()).not.toContain(pem);
    }
  });

  it("changes nothing after a body that can't be read", async () => {
    const yaml = `${JSON.stringify(hostProxy("app.test", "a"))}\n---\n`;
    expect(await worker.put(yaml)).toMatchObject({ status: 200, body: { objects: 1 } });
    const before = await worker.status();
    for (const body of ["a: [", '{"kind":"Secret"}\n{"data": "hidden', "", "a: *none"]) {
      const { status, body: result } = await worker.put(`${body}`);
      expect([status, result.findings?.length]).toEqual([400, 1]);
      expect(JSON.stringify(result)).not.toContain("hidden");
    }
    expect((await worker.status()).types).toEqual(before.types);
  });

  it("separates sources", async () => {
    const objects = ["a.test", "b.test"].map((host) => JSON.stringify(hostProxy(host, "a")));
    expect((await worker.put(`[${objects[0]}]`, "left")).body.objects).toBe(1);
    expect((await worker.put(`${objects[1]}\n${JSON.stringify(tlsProxy)}\n`, "right")).body.objects).toBe(2);
    expect(await worker.put(objects[0] ?? "", "right")).toMatchObject({
      status: 409,
      body: { code: "in-another-source", findings: [{ reason: "Conflict" }] },
    });
    expect(await worker.put("[]", "left")).toMatchObject({ status: 200, body: { objects: 0 } });
    expect((await worker.put(objects[0] ?? "", "right")).status).toBe(200);
  });

  it("checks key pairs", async () => {
    const good = await worker.put(list(tlsSecret("default", "secure"), tlsProxy));
    expect(good.body.findings?.filter(({ reason }) => /Secret|TLS/.test(reason))).toEqual([]);
    expect((await worker.status()).types.secrets?.resources).toBe(1);
    const { data: own } = tlsSecret("default", "secure") as { data: Record<string, string> };
    const { data: other } = tlsSecret("default", "tcp") as { data: Record<string, string> };
    const wrong = { ...tlsSecret("default", "secure"), data: { ...own, "tls.key": other["tls.key"] } };
    const bad = await worker.put(list(wrong, tlsProxy));
    expect(JSON.stringify(bad.body.findings)).toContain("the private key does not match");
  });
});
