import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startServer } from "../../src/runtime/node/serve.js";
import { customResourceDefinitions } from "../../src/schema/crds.js";
import { hostProxy, type Manifest, service } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { freePort } from "../support/http.js";
import { kubeBinaries, startKube, type TestKube } from "../support/kube.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";

const binaries = await kubeBinaries();
if ("reason" in binaries)
  console.error(`isoline: tests with a real API server are skipped: ${binaries.reason}`);

interface Asked {
  readonly plural: string;
  readonly isWatch: boolean;
  readonly token: string;
}

type Fault = "hang" | 401 | 410 | "end" | undefined;

type Running = Awaited<ReturnType<typeof startServer>>;

describe.skipIf("reason" in binaries)("between Isoline and a real API server", () => {
  const folder = mkdtempSync(join(tmpdir(), "isoline-connections-"));
  let kube: TestKube;
  let tcp: TcpProxy;
  let http: Server;
  let isoline: Running;
  const log: string[] = [];

  /** What the proxy for HTTP does with a request, and how many it had. */
  let fault: (asked: Asked) => Fault = () => undefined;
  let requests = 0;

  const relay = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests++;
    const url = request.url ?? "";
    const wrong = fault({
      plural: /\/([a-z]+)\?/.exec(url)?.[1] ?? "",
      isWatch: url.includes("watch=1"),
      token: (request.headers.authorization ?? "").replace("Bearer ", ""),
    });
    if (wrong === "hang") return;
    if (wrong === "end") return void response.end();
    if (wrong !== undefined) {
      response.statusCode = wrong;
      response.end(JSON.stringify({ kind: "Status", apiVersion: "v1", code: wrong, message: "a fault" }));
      return;
    }
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const { status, body } = await kube.admin.send({
      method: "GET",
      path: url,
      headers: { accept: "application/json" },
      signal: gone.signal,
    });
    response.writeHead(status);
    response.flushHeaders();
    for await (const chunk of body) response.write(chunk);
    response.end();
  };

  /** A kubeconfig that is the administrator's, but for these. */
  const kubeconfig = (name: string, cluster: Manifest, user: Manifest = {}): string => {
    const config = JSON.parse(readFileSync(kube.adminConfig, "utf8")) as {
      clusters: { cluster: Manifest }[];
      users: { user: Manifest }[];
    };
    Object.assign(config.clusters[0]?.cluster ?? {}, cluster);
    Object.assign(config.users[0]?.user ?? {}, user);
    writeFileSync(join(folder, name), JSON.stringify(config));
    return join(folder, name);
  };
  const throughHttp = (name: string, user: Manifest = {}): string =>
    kubeconfig(
      name,
      {
        server: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
        "insecure-skip-tls-verify": true,
        "certificate-authority-data": undefined,
      },
      user,
    );

  const serve = async (config: string, more: object = {}): Promise<void> => {
    isoline = await startServer({
      paths: [],
      kube: { targets: [{ name: "", kubeconfig: config }], acceptShrink: false, ...more },
      host: "127.0.0.1",
      port: await freePort(),
      log: (line) => log.push(line),
    });
    await eventually(
      async () => (await fetch(`${isoline.url}/readyz`)).status === 200,
      "the server is ready",
    );
  };

  const hosts = async (): Promise<string> => (await fetch(`${isoline.url}/graph?limit=500`)).text();
  const metrics = async (): Promise<string> => (await fetch(`${isoline.url}/metrics`)).text();
  const states = async (): Promise<Record<string, { state: string }>> =>
    (
      (await (await fetch(`${isoline.url}/status`)).json()) as {
        sources: { kinds: Record<string, { state: string }> }[];
      }
    ).sources[0]?.kinds ?? {};

  let count = 0;
  /** Adds a host, and returns how long it takes to be served, in ms. */
  const edit = async (withinMs: number): Promise<number> => {
    const host = `edit${count++}.test`;
    await kube.apply(hostProxy(host, "app"));
    const began = performance.now();
    await eventually(async () => (await hosts()).includes(`"${host}"`), `${host} is served`, withinMs);
    return performance.now() - began;
  };

  beforeAll(async () => {
    if ("reason" in binaries) return;
    kube = await startKube(binaries);
    const { clusters } = JSON.parse(readFileSync(kube.adminConfig, "utf8")) as {
      clusters: { cluster: { server: string } }[];
    };
    tcp = await startTcpProxy(Number(new URL(clusters[0]?.cluster.server ?? "").port));
    http = createServer((request, response) => void relay(request, response).catch(() => response.destroy()));
    await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
    await kube.apply(...(customResourceDefinitions() as readonly Manifest[]));
    await eventually(
      () => kube.apply(service("default", "app"), hostProxy("first.test", "app")).then(() => true),
      "the CRDs are served",
    );
  });

  afterEach(async () => {
    fault = () => undefined;
    tcp?.cutIdleAfter(0);
    await isoline?.close();
    log.length = 0;
  });

  afterAll(async () => {
    http?.closeAllConnections();
    http?.close();
    await tcp?.close();
    await kube?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("connections that die without a reset are noticed within a minute, and counted", async () => {
    await serve(kubeconfig("tcp", { server: `https://127.0.0.1:${tcp.port}` }));
    await edit(5000);
    tcp.silence();
    expect(await edit(60_000)).toBeLessThan(60_000);
    expect(await metrics()).toMatch(/cluster_failures_total\{kind="HTTPProxy",code="kube-stalled"\} 1/);
    expect(log.filter((line) => /^kube-stalled: \w+: the watch was silent/.test(line))).toHaveLength(1);
    await eventually(
      async () =>
        Object.values(await states()).every(({ state }) => state === "synced" || state === "absent"),
      "all kinds are followed again",
    );
    expect(await edit(3000)).toBeLessThan(3000);
  });

  it("a load balancer that cuts idle connections keeps no edit waiting, and no kind failing", async () => {
    await serve(kubeconfig("tcp", { server: `https://127.0.0.1:${tcp.port}` }));
    tcp.cutIdleAfter(2000);
    await sleep(12_000);
    for (let i = 0; i < 3; i++) {
      expect(await edit(5000)).toBeLessThan(3000);
      await sleep(700);
    }
    tcp.cutIdleAfter(0);
    await eventually(
      async () =>
        Object.values(await states()).every(({ state }) => state === "synced" || state === "absent"),
      "all kinds are followed",
      5000,
    );
  });

  it.each<[string, Fault]>([
    ["answers 410 to every watch", 410],
    ["ends every watch at once", "end"],
  ])("a server that %s is asked a few times a second, and followed when that is over", async (_, wrong) => {
    await serve(throughHttp("http"));
    fault = ({ isWatch }) => (isWatch ? wrong : undefined);
    http.closeAllConnections();
    await sleep(5000);
    const before = requests;
    await sleep(5000);
    expect((requests - before) / 5).toBeLessThan(12);
    fault = () => undefined;
    expect(await edit(15_000)).toBeLessThan(15_000);
  });

  it("a list that hangs holds up no other kind, and is asked for again", async () => {
    await serve(throughHttp("http"));
    fault = ({ plural, isWatch }) => {
      if (plural !== "secrets") return undefined;
      return isWatch ? 410 : "hang";
    };
    http.closeAllConnections();
    await sleep(3000);
    expect(await edit(8000)).toBeLessThan(8000);
    fault = () => undefined;
    await eventually(async () => (await states()).Secret?.state === "synced", "secrets are followed", 45_000);
  });

  it("a look of --poll that hangs ends, and the next ones go on", async () => {
    await serve(throughHttp("http"), { pollSeconds: 1 });
    fault = () => "hang";
    await sleep(4000);
    fault = () => undefined;
    expect(await edit(40_000)).toBeLessThan(40_000);
  });

  it("a token that is renewed in the kubeconfig is read, whatever context the file says it is in now", async () => {
    const config = throughHttp("token", { token: "old" });
    await serve(config);
    fault = ({ token }) => (token === "new" ? undefined : 401);
    http.closeAllConnections();
    await eventually(async () => (await states()).HTTPProxy?.state === "failing", "the token is refused");
    const refused = (): string[] => log.filter((line) => line.startsWith("kube-unauthorized: "));
    await eventually(async () => refused().length > 0, "the log says so");
    expect(refused()).toHaveLength(1);
    throughHttp("token", { token: "new" });
    expect(await edit(20_000)).toBeLessThan(20_000);
  });
});
