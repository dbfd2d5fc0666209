import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { startServer } from "../../src/runtime/node/serve.js";
import { createSqliteStore } from "../../src/store/sqlite.js";
import { httpProxy, type Manifest } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { freePort } from "../support/http.js";
import { hasSqlite } from "../support/sqlite.js";

const folder = mkdtempSync(join(tmpdir(), "isoline-killed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const host = (name: string): Manifest =>
  httpProxy("shop", name, {
    virtualhost: { fqdn: `${name}.test` },
    routes: [{ directResponsePolicy: { statusCode: 200 } }],
  });
const list = (...items: readonly Manifest[]): string =>
  JSON.stringify({ apiVersion: "v1", kind: "List", items });
const many = (count: number): string => list(...Array.from({ length: count }, (_, i) => host(`h${i}`)));

const isoline = join(import.meta.dirname, "../../dist/isoline.js");

/** A server with a store, as a separate process that can be killed. */
async function startProcess(port: number, file: string): Promise<ChildProcess> {
  const args = ["serve", "--push", "--store", `sqlite:${file}`, "--listen", `127.0.0.1:${port}`];
  const server = spawn(process.execPath, [isoline, ...args], { stdio: "ignore" });
  onTestFinished(() => void server.kill("SIGKILL"));
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok, "the server answers");
  return server;
}

const killed = (server: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    server.once("exit", () => resolve());
    server.kill("SIGKILL");
  });

describe.skipIf(!hasSqlite())("a server that is killed", () => {
  it("during a push serves the state before, or the complete push", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/sources/web`;
    const file = join(folder, "pushed.sqlite");
    const put = (body: string): Promise<Response> => fetch(url, { method: "PUT", body });
    let server = await startProcess(port, file);
    expect((await put(many(10))).status).toBe(200);
    let revision = 1;
    let objects = 10;
    for (const [i, after] of [20, 100, 300, 600].entries()) {
      const count = 3000 + i;
      const pushed = put(many(count)).then(
        ({ ok }) => ok,
        () => false,
      );
      await new Promise((resolve) => setTimeout(resolve, after));
      await killed(server);
      await pushed;
      server = await startProcess(port, file);
      const now = (await (await fetch(url)).json()) as { revision: number; objects: number };
      expect([
        { revision, objects },
        { revision: revision + 1, objects: count },
      ]).toContainEqual({ revision: now.revision, objects: now.objects });
      ({ revision, objects } = now);
      // The list contains a hundred hosts.
      const graph = await (await fetch(`http://127.0.0.1:${port}/graph`)).text();
      expect(graph.match(/"host":"h\d+\.test","tables"/g)).toHaveLength(Math.min(100, objects));
    }
    await killed(server);
  });

  it("while it applies its files serves the state before them, until they change", async () => {
    const file = join(folder, "files.sqlite");
    const manifests = join(folder, "objects.json");
    const log: string[] = [];
    const start = async (): Promise<{ names: () => string[]; close: () => Promise<void> }> => {
      const store = createSqliteStore(file);
      const server = await startServer({
        paths: [manifests],
        host: "127.0.0.1",
        port: 0,
        store,
        log: (line) => log.push(line),
      });
      return {
        names: () => [...store.resources("virtual-host", "ingress_http")].map(({ name }) => name),
        close: async () => {
          await server.close();
          store.close();
        },
      };
    };
    writeFileSync(manifests, list(host("first")));
    const good = await start();
    expect(good.names()).toEqual(["first.test"]);
    await good.close();

    // The state that a process leaves when it ends while it applies the next files.
    const store = createSqliteStore(file);
    store.setCursor("attempts", "1");
    store.close();
    writeFileSync(manifests, list(host("second")));
    const next = await start();
    onTestFinished(next.close);
    expect(next.names()).toEqual(["first.test"]);
    expect(log.join("\n")).toContain("serves the state before them and applies them again in 15 s");
    writeFileSync(manifests, list(host("third")));
    await vi.waitFor(() => expect(next.names()).toEqual(["third.test"]), { timeout: 60_000 });
  });
});
