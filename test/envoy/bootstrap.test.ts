import { execFile } from "node:child_process";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { findEnvoy } from "../../src/dev/envoy.js";
import { type BootstrapOptions, tokenFileFor, writeBootstrap } from "../../src/xds/bootstrap.js";
import { isAtLeast } from "../../src/xds/envoy-version.js";
import { eventually, startEnvoy, testedEnvoy } from "../support/envoy.js";
import { freePort } from "../support/http.js";

const base = { nodeId: "n", nodeCluster: "c", admin: { address: "127.0.0.1", port: 9001 } };

test.each<[string, Partial<BootstrapOptions> & { xdsUrl: string }]>([
  ["http on loopback", { xdsUrl: "http://127.0.0.1:18000" }],
  ["http on IPv6 loopback", { xdsUrl: "http://[::1]:18000" }],
  ["https by name", { xdsUrl: "https://xds.example.com" }],
  ["https by address", { xdsUrl: "https://10.1.2.3:8443" }],
  ["https with a token", { xdsUrl: "https://xds.example.com", tokenFile: "token.json" }],
])("Envoy accepts the bootstrap for %s", async (_, options) => {
  const folder = await mkdtemp(join(tmpdir(), "isoline-bootstrap-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const tokenFile = join(folder, "token.json");
  const caFile = new URL("../support/certs/secure.crt", import.meta.url).pathname;
  await writeFile(tokenFile, tokenFileFor("secret"));
  const bootstrap = writeBootstrap({
    ...base,
    caFile,
    ...options,
    ...(options.tokenFile ? { tokenFile } : {}),
  });
  const config = join(folder, "bootstrap.json");
  await writeFile(config, JSON.stringify(bootstrap));

  const envoy = await findEnvoy(() => {});
  const { stdout } = await promisify(execFile)(envoy, [
    "--mode",
    "validate",
    "--disable-hot-restart",
    "-c",
    config,
  ]);
  expect(stdout).toContain("OK");
});

test.each([
  ["http://10.0.0.1:80", /unencrypted to 10\.0\.0\.1.*--insecure/],
  ["xds.example.com", /not a URL/],
  ["ftp://xds.example.com", /expected https:/],
  ["https://xds.example.com/path", /only scheme, host and port/],
  ["https://user:pass@xds.example.com", /only scheme, host and port/],
])("%s is refused", (xdsUrl, message) => {
  expect(() => writeBootstrap({ ...base, xdsUrl })).toThrow(message);
});

test("Envoy sends the token with each poll, uses a new one, and compresses its polls", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isoline-token-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const tokenFile = join(folder, "token.json");
  await writeFile(tokenFile, tokenFileFor("first"));
  const polls: IncomingHttpHeaders[] = [];
  const server = createServer((poll, answer) => {
    polls.push(poll.headers);
    poll.resume();
    answer.writeHead(503).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  const envoy = await startEnvoy({
    xdsPort: (server.address() as AddressInfo).port,
    tokenFile,
    http1: true,
  });
  onTestFinished(() => envoy.stop());

  await eventually(async () => polls.at(-1)?.authorization === "Bearer first", "the first token is sent");
  const compresses = isAtLeast(await testedEnvoy(), { major: 1, minor: 40 });
  expect(polls.at(-1)).toMatchObject({ host: "isoline" });
  expect(polls.at(-1)?.["content-encoding"]).toBe(compresses ? "gzip" : undefined);
  await writeFile(join(folder, "new"), tokenFileFor("second"));
  await rename(join(folder, "new"), tokenFile);
  await eventually(async () => polls.at(-1)?.authorization === "Bearer second", "the second token is sent");
});

test("Envoy monitors its limits of heap and connections", async () => {
  const envoy = await startEnvoy({ xdsPort: await freePort(), maxHeapBytes: 1 << 30, maxConnections: 100 });
  onTestFinished(() => envoy.stop());
  await eventually(
    async () => (await envoy.stats(/^overload\.envoy\.resource_monitors\.fixed_heap\.pressure$/)).size === 1,
    "the heap is watched",
  );
  const dump = JSON.stringify(await envoy.configDump());
  expect(dump).toContain("envoy.overload_actions.stop_accepting_requests");
  expect(dump).toContain("max_active_downstream_connections");
});
