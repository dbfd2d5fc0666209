import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startServer } from "../../src/runtime/node/serve.js";
import { hostProxy, startBackends } from "../support/backend.js";
import { eventually, type TestEnvoy } from "../support/envoy.js";
import {
  countRequests,
  envoyAt,
  envoyToken,
  countSeconds as seconds,
  startErrorServer,
  tokenLine,
} from "../support/error-kinds.js";
import { freePort, onLoopback, request } from "../support/http.js";

const good = tokenLine("node", envoyToken);

test("an Envoy sends at most one request a second after any error", async () => {
  const broken = (hub: { poll: unknown }): void => {
    hub.poll = () => Promise.reject(new Error("broken"));
  };
  const kinds: Record<string, () => ReturnType<typeof startErrorServer>> = {
    "401 unauthorized": () => startErrorServer(tokenLine("node", "another")),
    "403 wrong-node": () => startErrorServer(`${good} nodes=other`),
    "429 too-many-failures": async () => {
      const server = await startErrorServer(tokenLine("node", "another"));
      for (let i = 0; i < 21; i++)
        await fetch(`http://127.0.0.1:${server.port}/v3/discovery:clusters`, { method: "POST" });
      return server;
    },
    "429 too-many-polls": () => startErrorServer(good, { maxHeld: 0 }),
    "500 internal": () => startErrorServer(good, {}, broken),
    "503 not-configured": () => startErrorServer(""),
    "503 not-published": () => startErrorServer(good),
  };
  const envoys = new Map<string, TestEnvoy>();
  for (const [name, start] of Object.entries(kinds)) envoys.set(name, await envoyAt((await start()).port));
  const counts = await countRequests(envoys, seconds);
  console.log(Object.fromEntries([...counts].map(([name, n]) => [name, `${(n * 60) / seconds}/min`])));
  for (const [name, n] of counts) expect(n, name).toBeLessThanOrEqual(seconds);
});

test("an Envoy whose token is revoked waits with all its subscriptions, and continues when the token is valid again", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isoline-errors-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const backends = await startBackends("a", "b");
  onTestFinished(() => backends.close());
  const httpPort = await freePort();
  const [manifests, tokensFile, settingsFile] = ["all.json", "tokens", "settings.json"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const write = (to: string): Promise<void> =>
    writeFile(
      manifests,
      JSON.stringify({
        kind: "List",
        apiVersion: "v1",
        items: [...backends.objects, hostProxy("app.test", to)],
      }),
    );
  await write("a");
  await writeFile(settingsFile, JSON.stringify({ ...(await onLoopback(httpPort)), endpoints: "eds" }));
  await writeFile(tokensFile, good);
  const lines: string[] = [];
  const port = await freePort();
  const options = { paths: [manifests], settingsFile, tokensFile, host: "127.0.0.1", port };
  const server = await startServer({ ...options, log: (line) => lines.push(line) });
  onTestFinished(() => server.close());
  const envoy = await envoyAt(port);
  const service = async (): Promise<string> => {
    const answer = await request({ port: httpPort, host: "app.test" });
    return answer.status === 200 ? answer.echo().service : "";
  };
  await eventually(async () => (await service()) === "a", "traffic goes to the first backend");
  // At this time all its polls are held.
  await sleep(2000);

  await writeFile(tokensFile, tokenLine("node", "another"));
  server.reload();
  await write("b");
  const [[, count] = ["", 0]] = await countRequests(new Map([["revoked", envoy]]), seconds);
  console.log(`a revoked token with all subscriptions: ${(count * 60) / seconds}/min`);
  expect(count).toBeLessThanOrEqual(seconds);
  expect(await service()).toBe("a");
  expect(lines.filter((line) => line.includes("gets 401 unauthorized: "))).toHaveLength(1);

  // The server checks the file on its own: there is no request that would trigger it.
  await writeFile(tokensFile, good);
  await eventually(async () => (await service()) === "b", "what changed meanwhile is there", 5000);
});
