import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { type RunningServer, startServer } from "../../src/runtime/node/serve.js";
import { createSqliteStore } from "../../src/store/sqlite.js";
import { httpProxy, type Manifest } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { HttpKube } from "../support/http-kube.js";
import { hasSqlite } from "../support/sqlite.js";

const folder = mkdtempSync(join(tmpdir(), "isoline-restart-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

const host = (name: string): Manifest =>
  httpProxy("shop", name, {
    virtualhost: { fqdn: `${name}.test` },
    routes: [{ directResponsePolicy: { statusCode: 200 } }],
  });

async function startKube(...names: readonly string[]): Promise<HttpKube> {
  const kube = await HttpKube.start();
  onTestFinished(() => kube.end());
  kube.absent.add("ingressroutes").add("tlscertificatedelegations").add("extensionservices");
  for (const name of names) kube.put("httpproxies", host(name));
  return kube;
}

/** A server that can be stopped and started again on the same file. */
class Replica {
  readonly file = join(folder, `${++files}.sqlite`);
  readonly log: string[] = [];
  #server: (RunningServer & { closeStore(): void }) | undefined;

  async start(kubes: Readonly<Record<string, HttpKube>>, settings: object = {}): Promise<void> {
    await this.end();
    this.log.length = 0;
    const store = createSqliteStore(this.file);
    const targets = Object.entries(kubes).map(([name, { kubeconfig }]) => ({ name, kubeconfig }));
    const server = await startServer({
      paths: [],
      kube: { targets, acceptShrink: false },
      overrides: { ...settings },
      store,
      host: "127.0.0.1",
      port: 0,
      log: (line) => this.log.push(line),
    });
    this.#server = { ...server, closeStore: () => store.close() };
  }

  async end(): Promise<void> {
    await this.#server?.close();
    this.#server?.closeStore();
    this.#server = undefined;
  }

  /** Changes the file while no server has it open. */
  async edit(change: (store: ReturnType<typeof createSqliteStore>) => void): Promise<void> {
    await this.end();
    const store = createSqliteStore(this.file);
    change(store);
    store.close();
  }

  #get(path: string): Promise<Response> {
    return fetch(`${this.#server?.url}${path}`);
  }

  /** A poll for clusters from an Envoy with this version. */
  async poll(version: string): Promise<void> {
    const node = { id: "a", cluster: "a", user_agent_name: "envoy" };
    const type_url = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
    const answer = await fetch(`${this.#server?.url}/v3/discovery:clusters`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-envoy-expected-rq-timeout-ms": "300" },
      body: JSON.stringify({ version_info: version, node, type_url }),
    });
    await answer.text();
  }

  async ready(): Promise<boolean> {
    return (await this.#get("/readyz")).ok;
  }

  async hosts(): Promise<string[]> {
    const text = await (await this.#get("/graph")).text();
    return [...text.matchAll(/"host":"([a-z0-9]+)\.test"/g)].map((found) => found[1] ?? "");
  }

  async sources(): Promise<readonly { stale: boolean; kinds: Record<string, { state: string }> }[]> {
    return ((await (await this.#get("/status")).json()) as { sources: never }).sources;
  }

  async metrics(): Promise<string> {
    return (await this.#get("/metrics")).text();
  }
}

function replica(): Replica {
  const made = new Replica();
  onTestFinished(() => made.end());
  return made;
}

describe.skipIf(!hasSqlite())("a restart from a file", () => {
  it("waits for the cluster if nothing is stored", async () => {
    const kube = await startKube("one");
    await kube.stop();
    const server = replica();
    await server.start({ "": kube });
    expect(await server.ready()).toBe(false);
    await kube.start();
    await eventually(() => server.ready(), "the server is ready");
    expect(await server.hosts()).toEqual(["one"]);
    expect((await server.sources())[0]?.stale).toBe(false);
  });

  it("serves the state before at once while the cluster can't be reached, and reports it as stale", async () => {
    const kube = await startKube("one", "two");
    const server = replica();
    await server.start({ "": kube });
    await eventually(() => server.ready(), "the server is ready");
    await kube.stop();
    // The second time the compiler has another version; the third time the cursors are missing.
    for (const compiler of [undefined, "0", undefined]) {
      if (compiler) await server.edit((store) => store.setCursor("compiler", compiler));
      await server.start({ "": kube });
      expect(await server.ready()).toBe(true);
      expect(await server.hosts()).toEqual(["one", "two"]);
    }
    const [source] = await server.sources();
    expect(source?.stale).toBe(true);
    expect(source?.kinds.Service?.state).toMatch(/stored|failing/);
    expect(await server.metrics()).toContain("isoline_cluster_stale 1");
    expect(server.log.join("\n")).toContain("serving the stored state until the cluster has answered");
    kube.put("httpproxies", host("three"));
    await kube.start();
    await eventually(async () => (await server.hosts()).includes("three"), "the edit is served");
    await eventually(
      async () => (await server.sources())[0]?.stale === false,
      "the cluster has been looked at",
    );
    expect(await server.metrics()).toContain("isoline_cluster_stale 0");
    expect(server.log.join("\n")).toContain("the cluster has answered for every kind");
  });

  it("serves at once if the cluster is idle, and remembers the missing kinds", async () => {
    const kube = await startKube("one");
    const server = replica();
    await server.start({ "": kube });
    await eventually(() => server.ready(), "the server is ready");
    await server.start({ "": kube });
    expect(await server.ready()).toBe(true);
    expect(await server.hosts()).toEqual(["one"]);
    await eventually(
      async () => (await server.sources())[0]?.stale === false,
      "the cluster has been looked at",
    );
    expect((await server.sources())[0]?.kinds.IngressRoute?.state).toBe("absent");
  });

  it("gives the stored state no version above that of another replica, while the cluster can't be reached", async () => {
    const kube = await startKube("one");
    const server = replica();
    await server.start({ "": kube });
    await eventually(() => server.ready(), "the server is ready");
    await kube.stop();
    await server.start({ "": kube });
    const began = performance.now.bind(performance);
    const clock = vi.spyOn(performance, "now");
    onTestFinished(() => clock.mockRestore());
    const raised = async (later: number): Promise<boolean> => {
      const ahead = `${Date.now() + 10_000_000}-${"a".repeat(16)}`;
      await server.poll(ahead);
      clock.mockImplementation(() => began() + later);
      await server.poll(ahead);
      await server.poll(ahead);
      return (await server.metrics()).includes("isoline_versions_raised_total");
    };
    expect(await raised(6000)).toBe(false);
    await kube.start();
    await eventually(
      async () => (await server.sources())[0]?.stale === false,
      "the cluster has been looked at",
    );
    await eventually(
      async () =>
        Object.values((await server.sources())[0]?.kinds ?? {}).every(({ state }) => state !== "failing"),
      "all kinds are followed",
    );
    expect(await raised(60_000)).toBe(true);
  });

  it("follows one cluster while the other can't be reached", async () => {
    const [east, west] = [await startKube("one"), await startKube("two")];
    const server = replica();
    await server.start({ east, west });
    await eventually(() => server.ready(), "the server is ready");
    await west.stop();
    await server.start({ east, west });
    expect(await server.hosts()).toEqual(["one", "two"]);
    east.put("httpproxies", host("three"));
    await eventually(async () => (await server.hosts()).includes("three"), "the edit is served");
    await eventually(
      async () => (await server.sources())[0]?.stale === false,
      "one cluster has been looked at",
    );
    expect((await server.sources())[1]?.stale).toBe(true);
    expect(await server.metrics()).toContain('isoline_cluster_stale{cluster="west"} 1');
  });

  it("follows a cluster next to a new one, which is served only after all of it is read", async () => {
    const [east, west] = [await startKube("one"), await startKube("two")];
    const server = replica();
    await server.start({ east });
    await eventually(() => server.ready(), "the server is ready");
    await west.stop();
    await server.start({ west, east });
    expect(await server.hosts()).toEqual(["one"]);
    east.put("httpproxies", host("three"));
    await eventually(async () => (await server.hosts()).includes("three"), "the edit is served");
    west.fail = "/secrets";
    await west.start();
    await eventually(
      async () => west.requests.some((path) => path.includes("httpproxies")),
      "the kind is listed",
    );
    await eventually(
      async () => (await server.sources())[0]?.kinds.HTTPProxy?.state === "synced",
      "the kind is read",
    );
    expect(await server.hosts()).toEqual(["one", "three"]);
    west.fail = undefined;
    await eventually(async () => (await server.hosts()).includes("two"), "the new cluster is served");
    await server.start({ west, east });
    expect(await server.hosts()).toEqual(["one", "three", "two"]);
  });

  it("follows the other kinds if a new one can't be read", async () => {
    const kube = await startKube("one");
    const server = replica();
    await server.start({ "": kube });
    await eventually(() => server.ready(), "the server is ready");
    kube.fail = "/gateways";
    await server.start({ "": kube }, { gatewayRef: { namespace: "shop", name: "front" } });
    expect(await server.hosts()).toEqual(["one"]);
    kube.put("httpproxies", host("three"));
    await eventually(async () => (await server.hosts()).includes("three"), "the edit is served");
  });
});
