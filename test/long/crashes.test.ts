import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { hostProxy, type Manifest, startBackends, startLoad } from "../support/backend.js";
import { eventually, startEnvoy } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";

const pathOf = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));

test("killed with SIGKILL again and again while objects change: no request fails, versions never go back", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isoline-crash-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const backends = await startBackends("a", "b");
  onTestFinished(() => backends.close());
  const [port, http, https, stats] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const at = (one: number): object => ({ address: "127.0.0.1", port: one });
  const settings = join(folder, "settings.json");
  const listeners = { http: at(http), https: at(https), stats: at(stats) };
  await writeFile(settings, JSON.stringify({ allowLoopbackEndpoints: true, ...listeners }));
  const write = async (objects: readonly Manifest[]): Promise<void> => {
    await writeFile(join(folder, "new"), JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
    await rename(join(folder, "new"), join(folder, "objects.json"));
  };
  const steady = [...backends.objects, hostProxy("steady.test", "a")];
  await write(steady);

  let child: ChildProcess | undefined;
  const start = (): void => {
    const files = ["-f", join(folder, "objects.json"), "--settings", settings];
    const store = ["--store", `sqlite:${join(folder, "isoline.db")}`];
    const args = [pathOf("dist/isoline.js"), "serve", ...files, ...store, "--listen", `127.0.0.1:${port}`];
    child = spawn(process.execPath, args, { stdio: "ignore" });
  };
  const kill = async (): Promise<void> => {
    const ended = new Promise((done) => child?.once("exit", done));
    child?.kill("SIGKILL");
    await ended;
  };
  start();
  onTestFinished(kill);
  const envoy = await startEnvoy({ xdsPort: port });
  onTestFinished(() => envoy.stop());
  await eventually(() => envoy.ready(), "Envoy is ready");

  const sequence = async (): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${port}/status`);
    const { types } = (await answer.json()) as { types: Record<string, { version: string }> };
    return Math.max(...Object.values(types).map(({ version }) => Number(version.split("-")[0])));
  };
  const load = startLoad(http, ["steady.test"], 8);
  let before = await sequence();
  for (let round = 0; round < 5; round++) {
    await kill();
    await write([...steady, hostProxy(`round-${round}.test`, round % 2 === 0 ? "a" : "b")]);
    start();
    await eventually(
      async () => (await request({ port: http, host: `round-${round}.test` })).status === 200,
      `what changed while it was dead is served in round ${round}`,
    );
    const now = await sequence();
    expect(now).toBeGreaterThan(before);
    before = now;
  }
  const { total, bad } = await load.stop();
  expect(bad).toEqual({});
  expect(total).toBeGreaterThan(1000);
  expect(await envoy.rejected()).toEqual([]);
});
