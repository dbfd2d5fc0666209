import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { findEnvoy, runEnvoy } from "../../src/dev/envoy.js";
import { writeBootstrap } from "../../src/xds/bootstrap.js";
import { hostProxy } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";
import { startRig } from "../support/isoline.js";

/** Response headers of raw bytes: HTTP clients would normalize the path first. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect({ host: "127.0.0.1", port });
    let received = "";
    socket.setTimeout(10_000, () => socket.destroy(new Error("no answer")));
    socket.on("error", fail);
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString();
      if (!received.includes("\r\n\r\n")) return;
      done(received);
      socket.destroy();
    });
    socket.on("close", () => done(received));
    socket.write(text);
  });
}

const line = (method: string, target: string, rest = ""): string =>
  `${method} ${target} HTTP/1.1\r\nHost: stats\r\nConnection: close\r\n${rest}\r\n`;

const served = [
  "/ready",
  "/stats",
  "/stats?filter=server.live",
  "/stats/prometheus",
  "/stats/prometheus?usedonly",
  "/stats/prometheus/../prometheus",
  "/%73tats",
  "http://stats/ready",
];

/** Other pages of the admin interface, requested directly and through the served ones. */
const refused = [
  "/",
  "/config_dump",
  "/config_dump?include_eds",
  "/clusters",
  "/certs",
  "/server_info",
  "/listeners",
  "/memory",
  "/runtime",
  "/help",
  "/logging",
  "/stats/recentlookups",
  "/stats/prometheus/",
  "/stats/",
  "/stats/x",
  "/statsx",
  "/ready/",
  "/readyz",
  "/ready;/config_dump",
  "/STATS",
  "//stats",
  "/stats/../config_dump",
  "/stats/prometheus/../",
  "/stats/prometheus/../../config_dump",
  "/stats/prometheus/..%2f..%2fconfig_dump",
  "/stats%2f..%2fconfig_dump",
  "/stats/%2e%2e/config_dump",
  "/stats%2fprometheus",
  "/stats\\..\\config_dump",
  "/stats%5c..%5cconfig_dump",
  "/ready%00",
  "/ready%3f/../config_dump",
  "/ready%23",
  "/config_dump?/stats",
  "/config_dump#/stats",
  "http://stats/config_dump",
];
const methods = ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"];

describe.each([
  ["a TCP port of loopback", false],
  ["a unix socket", true],
])("with Envoy's admin interface on %s", (_, adminSocket) => {
  test("the stats listener forwards its three paths by GET, and nothing else", async () => {
    const stats = await freePort();
    const rig = await startRig({
      backends: ["a"],
      objects: [hostProxy("a.test", "a")],
      settings: { stats: { address: "127.0.0.1", port: stats } },
      adminSocket,
    });
    await eventually(async () => (await request({ port: stats, path: "/ready" })).status === 200, "stats");
    for (const target of served)
      expect(await raw(stats, line("GET", target)), target).toMatch(/^HTTP\/1.1 200 /);
    expect((await request({ port: stats, path: "/stats" })).body).toContain("server.live: 1");
    expect((await request({ port: stats, path: "/stats/prometheus" })).body).toContain(
      "envoy_server_live{} 1",
    );
    expect((await request({ port: stats, path: "/ready" })).body).toBe("LIVE\n");
    for (const target of refused)
      expect(await raw(stats, line("GET", target)), target).toMatch(/^HTTP\/1.1 40[04] /);
    for (const method of methods)
      for (const target of ["/stats", "/quitquitquit", "/reset_counters", "/healthcheck/fail"])
        expect(
          await raw(stats, line(method, target, "Content-Length: 0\r\n")),
          `${method} ${target}`,
        ).toMatch(/^HTTP\/1.1 404 /);
    const upgrade = "Upgrade: websocket\r\nConnection: upgrade\r\n";
    expect(await raw(stats, `GET /stats HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`)).toMatch(/^HTTP\/1.1 403 /);
    expect(await raw(stats, line("CONNECT", "127.0.0.1:9001"))).toMatch(/^HTTP\/1.1 40[04] /);
    expect((await rig.envoy.ask("/server_info")).status).toBe(200);
    expect(await rig.envoy.rejected()).toEqual([]);
  });
});

test("only Envoy's user can open the unix socket of the admin interface, and Envoy replaces one that a killed Envoy left", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isoline-admin-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const socketPath = join(folder, "admin.sock");
  const bootstrap = writeBootstrap({
    xdsUrl: `http://127.0.0.1:${await freePort()}`,
    nodeId: "n",
    nodeCluster: "c",
    admin: { socket: socketPath },
  });
  const binary = await findEnvoy(() => undefined);
  const answers = async (): Promise<boolean> =>
    (await request({ socketPath, path: "/server_info" })).status === 200;

  const killed = await runEnvoy(binary, folder, bootstrap, 1);
  await eventually(answers, "the socket answers");
  expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
  process.kill(killed.pid, "SIGKILL");
  await killed.exited;

  const envoy = await runEnvoy(binary, folder, bootstrap, 1);
  onTestFinished(() => envoy.stop());
  await eventually(answers, "the socket answers again").catch(async (error: unknown) => {
    throw new Error(await readFile(join(folder, "envoy.log"), "utf8"), { cause: error });
  });
});
