import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseSettings } from "../../src/schema/settings.js";
import { httpProxy, type Manifest } from "../support/backend.js";
import { eventually, startEnvoy, type TestEnvoy } from "../support/envoy.js";
import { freePort, onLoopback, request } from "../support/http.js";
import { HttpKube } from "../support/http-kube.js";

const isoline = join(import.meta.dirname, "../../dist/isoline.js");

const host = (name: string): Manifest =>
  httpProxy("shop", name, {
    virtualhost: { fqdn: `${name}.test` },
    routes: [{ directResponsePolicy: { statusCode: 200, body: name } }],
  });

interface Site {
  readonly folder: string;
  readonly url: string;
  /** What the server has logged. */
  log(): string;
  /** Starts the server as a process with these arguments, once it listens. */
  serve(...args: readonly string[]): Promise<void>;
  /** Ends it without a word. */
  kill(): Promise<void>;
  envoy(): Promise<TestEnvoy>;
  /** The body of the answer for a host, or its status. */
  answer(name: string): Promise<string>;
}

async function site(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "isoline-restarted-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [port, httpPort] = [await freePort(), await freePort()];
  const settings = await onLoopback(httpPort);
  await writeFile(join(folder, "settings.json"), JSON.stringify(settings));
  let server: ChildProcess | undefined;
  let text = "";
  const kill = async (): Promise<void> => {
    const ended = server;
    server = undefined;
    if (!ended || ended.exitCode !== null) return;
    await new Promise((resolve) => {
      ended.once("exit", resolve);
      ended.kill("SIGKILL");
    });
  };
  onTestFinished(kill);
  return {
    folder,
    url: `http://127.0.0.1:${port}`,
    log: () => text,
    async serve(...args) {
      text = "";
      const all = [isoline, "serve", ...args, "--settings", "settings.json", "--listen", `127.0.0.1:${port}`];
      server = spawn(process.execPath, all, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
      server.stderr?.on("data", (data) => {
        text += String(data);
      });
      await eventually(async () => text.includes("serves xDS"), "the server listens");
    },
    kill,
    async envoy() {
      const envoy = await startEnvoy({ xdsPort: port, settings: parseSettings(settings).settings.spec });
      onTestFinished(() => envoy.stop());
      return envoy;
    },
    async answer(name) {
      const { status, body } = await request({ port: httpPort, host: `${name}.test` });
      return status === 200 ? body : String(status);
    },
  };
}

test("an Envoy that starts with the server while the cluster is away serves what was served before", async () => {
  const { folder, url, serve, kill, envoy, answer, log } = await site();
  const kube = await HttpKube.start();
  onTestFinished(() => kube.end());
  kube.absent.add("ingressroutes").add("tlscertificatedelegations").add("extensionservices");
  kube.put("httpproxies", host("one"));
  const args = ["--kube", "--kubeconfig", kube.kubeconfig, "--store", `sqlite:${join(folder, "store.db")}`];
  await serve(...args);
  const first = await envoy();
  await eventually(async () => (await answer("one")) === "one", "the host answers");
  await kube.stop();
  await kill();
  await first.stop();
  await serve(...args);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect(log()).toContain("serving the stored state");
  const second = await envoy();
  await eventually(() => second.ready(), "Envoy is ready");
  expect(await answer("one")).toBe("one");
  kube.put("httpproxies", host("two"));
  await kube.start();
  await eventually(async () => (await answer("two")) === "two", "what changed meanwhile is served");
});

test("a push to a server that has lost its store takes no host of another source from Envoys", async () => {
  const { url, serve, kill, envoy, answer, log } = await site();
  const push = async (source: string, ...names: readonly string[]): Promise<{ missing?: number }> => {
    const body = JSON.stringify({ apiVersion: "v1", kind: "List", items: names.map(host) });
    const put = await fetch(`${url}/sources/${source}`, { method: "PUT", body });
    expect(put.status).toBe(200);
    return (await put.json()) as { missing?: number };
  };
  await serve("--push");
  expect(log()).toContain("--push without --store sqlite:FILE");
  await push("web", "one");
  await push("api", "two");
  const running = await envoy();
  await eventually(() => running.ready(), "Envoy is ready");
  expect([await answer("one"), await answer("two")]).toEqual(["one", "two"]);

  await kill();
  await serve("--push");
  await push("web", "one", "three");
  await eventually(async () => log().includes("it keeps its configuration"), "Envoy has polled");
  for (let i = 0; i < 50; i++) {
    expect([await answer("one"), await answer("two"), await answer("three")]).toEqual(["one", "two", "404"]);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect((await push("web", "one", "three")).missing).toBe(1);
  await push("api", "two");
  await eventually(async () => (await answer("three")) === "three", "the new host is served");
  expect(await answer("two")).toBe("two");

  await kill();
  await serve("--push");
  await push("web", "one");
  await eventually(async () => log().includes("it keeps its configuration"), "Envoy has polled");
  expect([await answer("one"), await answer("two"), await answer("three")]).toEqual(["one", "two", "three"]);
  expect((await fetch(`${url}/sources?complete`, { method: "POST" })).status).toBe(200);
  await eventually(async () => (await answer("two")) === "404", "the host of the other source is gone");
  expect(await answer("one")).toBe("one");
  expect(await running.rejected()).toEqual([]);
});
