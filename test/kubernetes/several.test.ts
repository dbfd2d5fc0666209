import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer } from "../../src/runtime/node/serve.js";
import { customResourceDefinitions } from "../../src/schema/crds.js";
import { httpProxy, type Manifest } from "../support/backend.js";
import { eventually, startEnvoy, type TestEnvoy } from "../support/envoy.js";
import { freePort, onLoopback, request } from "../support/http.js";
import { kubeBinaries, startKube, type TestKube } from "../support/kube.js";

const binaries = await kubeBinaries();
if ("reason" in binaries)
  console.error(`isoline: tests with real API servers are skipped: ${binaries.reason}`);

/** Services of these clusters have addresses of the loopback network, where the backends of this test listen. */
const clusters = [
  { name: "east", range: "127.10.0.0/16", address: "127.10.0.50" },
  { name: "west", range: "127.20.0.0/16", address: "127.20.0.50" },
] as const;

const isoline = fileURLToPath(new URL("../../dist/isoline.js", import.meta.url));

describe.skipIf("reason" in binaries)("two real API servers", () => {
  const folder = mkdtempSync(join(tmpdir(), "isoline-several-"));
  const kubes: TestKube[] = [];
  const backends: Server[] = [];
  let envoy: TestEnvoy;
  let server: Awaited<ReturnType<typeof startServer>>;
  let httpPort: number;
  let servicePort: number;

  const service = (clusterIP: string): Manifest => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "app", namespace: "default" },
    spec: { clusterIP, ports: [{ name: "http", port: servicePort, protocol: "TCP" }] },
  });
  const proxy = (fqdn: string, name: string): Manifest =>
    httpProxy("default", name, {
      virtualhost: { fqdn },
      routes: [{ services: [{ name: "app", port: servicePort }] }],
    });
  const kube = (name: "east" | "west"): TestKube => kubes[name === "east" ? 0 : 1] as TestKube;
  const answer = async (host: string): Promise<string> => {
    const { status, body } = await request({ port: httpPort, host });
    return status === 200 ? body : String(status);
  };
  const statusOf = async (name: "east" | "west", object: Manifest): Promise<unknown> =>
    ((await kube(name).get(object)).status as Manifest | undefined)?.currentStatus;

  const serve = async (): Promise<typeof server> =>
    startServer({
      paths: [],
      settingsFile: join(folder, "settings.yaml"),
      kube: {
        targets: clusters.map(({ name }) => ({ name, kubeconfig: kube(name).adminConfig })),
        acceptShrink: false,
        status: {},
      },
      overrides: {
        ...(await onLoopback(httpPort)),
      },
      host: "127.0.0.1",
      port: await freePort(),
      log: () => undefined,
    });

  beforeAll(async () => {
    if ("reason" in binaries) return;
    [httpPort, servicePort] = [await freePort(), await freePort()];
    for (const { name, address } of clusters) {
      const backend = createServer((_, response) => response.end(name));
      backends.push(backend);
      await new Promise<void>((resolve) => backend.listen(servicePort, address, resolve));
    }
    kubes.push(...(await Promise.all(clusters.map(({ range }) => startKube(binaries, range)))));
    for (const [i, { address }] of clusters.entries()) {
      const one = kubes[i] as TestKube;
      await one.apply(...(customResourceDefinitions() as readonly Manifest[]));
      await eventually(async () => {
        await one.apply(service(address), proxy("shop.test", "shop"));
        return true;
      }, "the CRDs are served");
    }
    const settingsFile = join(folder, "settings.yaml");
    writeFileSync(
      settingsFile,
      "allowLoopbackEndpoints: true\nendpoints: service\nclusters:\n- name: east\n- name: west\n  priority: 1\n",
    );
    server = await serve();
    envoy = await startEnvoy({ xdsPort: Number(new URL(server.url).port) });
    await eventually(() => envoy.ready(), "Envoy is ready");
  });

  afterAll(async () => {
    await envoy?.stop();
    await server?.close();
    await Promise.all(kubes.map((one) => one.stop()));
    for (const backend of backends) {
      backend.closeAllConnections();
      backend.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it("serve one host from the cluster with the highest priority, and from the next one after its Service is deleted", async () => {
    for (let i = 0; i < 20; i++) expect(await answer("shop.test")).toBe("east");
    await kube("east").remove(service("127.10.0.50"));
    await eventually(async () => (await answer("shop.test")) === "west", "the other cluster answers");
    await kube("east").apply(service("127.10.0.50"));
    await eventually(async () => (await answer("shop.test")) === "east", "the first cluster is back");
    expect(await envoy.rejected()).toEqual([]);
  });

  it("get the statuses of their own objects, and a conflict is reported on the shadowed object", async () => {
    await kube("east").apply(proxy("one.test", "same"));
    await kube("west").apply(proxy("two.test", "same"), proxy("west.test", "own"));
    await eventually(async () => (await answer("one.test")) === "east", "the first cluster's host answers");
    expect(await answer("two.test")).toBe("404");
    await eventually(
      async () => (await statusOf("west", proxy("", "same"))) === "invalid",
      "the conflict is reported",
    );
    await eventually(async () => (await statusOf("west", proxy("", "own"))) === "valid", "its own is valid");
    await eventually(
      async () => (await statusOf("east", proxy("", "same"))) === "valid",
      "the winner is valid",
    );
    const { findings } = (await (await fetch(`${server.url}/status`)).json()) as { findings: Manifest[] };
    expect(findings).toContainEqual(
      expect.objectContaining({ about: "HTTPProxy/default/same@west", reason: "ClusterConflict" }),
    );
    await kube("east").remove(proxy("", "same"));
    await eventually(
      async () => (await answer("two.test")) === "east",
      "the other cluster's object takes over",
    );
    await eventually(async () => (await statusOf("west", proxy("", "same"))) === "valid", "and is valid now");
  });

  it("are read by compile and explain as one", async () => {
    const kubeconfig = join(folder, "kubeconfig.json");
    const configs = clusters.map(({ name }) => ({
      name,
      ...(JSON.parse(readFileSync(kube(name).adminConfig, "utf8")) as Record<
        string,
        { [key: string]: unknown }[]
      >),
    }));
    const named = (key: string, inner: string): unknown[] =>
      configs.map((config) => ({ name: config.name, [inner]: (config[key as "name"] as never)[0][inner] }));
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: named("clusters", "cluster"),
        users: named("users", "user"),
        contexts: clusters.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
      }),
    );
    const args = [
      "explain",
      "--kube",
      "east",
      "--kube=west",
      "--kubeconfig",
      kubeconfig,
      "--settings",
      join(folder, "settings.yaml"),
      "GET",
      "http://west.test/",
    ];
    const output = await new Promise<string>((resolve) =>
      execFile(process.execPath, [isoline, ...args], (_, stdout, stderr) => resolve(stdout + stderr)),
    );
    expect(output).toContain("HTTPProxy/default/own spec.routes[0]");
    expect(output).toContain("2 endpoints");
  });

  it("fail independently: the other one is followed, and nothing of the failing one is lost", async () => {
    kube("west").crash();
    await kube("east").apply(proxy("later.test", "later-test"));
    await eventually(
      async () => (await answer("later.test")) === "east",
      "a change of the cluster that is left",
    );
    expect(await answer("west.test")).toBe("east");
    expect(await envoy.rejected()).toEqual([]);
  });

  it("must both be read before the first publication: a part is never served", async () => {
    const second = await serve();
    const kinds = async (): Promise<Record<string, { state: string }>[]> =>
      ((await (await fetch(`${second.url}/status`)).json()) as { sources: { kinds: never }[] }).sources.map(
        (source) => source.kinds,
      );
    await eventually(
      async () => Object.values((await kinds())[0] ?? {}).every(({ state }) => state !== "starting"),
      "the first cluster is read",
    );
    expect((await fetch(`${second.url}/readyz`)).status).toBe(503);
    await kube("west").restart();
    await eventually(async () => (await fetch(`${second.url}/readyz`)).status === 200, "both are read");
    await second.close();
  });
});
