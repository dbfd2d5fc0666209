import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startServer } from "../../src/runtime/node/serve.js";
import { customResourceDefinitions } from "../../src/schema/crds.js";
import { createSqliteStore, type SqliteStore } from "../../src/store/sqlite.js";
import { hostProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { freePort } from "../support/http.js";
import { kubeBinaries, startKube, type TestKube } from "../support/kube.js";

const binaries = await kubeBinaries();
if ("reason" in binaries)
  console.error(`isoline: tests with a real API server are skipped: ${binaries.reason}`);

const count = 12;
const numbers = Array.from({ length: count }, (_, i) => i);
const isoline = fileURLToPath(new URL("../../dist/isoline.js", import.meta.url));

/** Runs the built command. */
const run = (...args: readonly string[]): Promise<{ code: number; stderr: string }> =>
  new Promise((resolve) =>
    execFile(process.execPath, [isoline, ...args], (error, _, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stderr }),
    ),
  );

describe.skipIf("reason" in binaries)("objects that a real cluster lacks after a stop of the server", () => {
  const folder = mkdtempSync(join(tmpdir(), "isoline-held-"));
  const file = join(folder, "store.db");
  let kube: TestKube;
  let server: Awaited<ReturnType<typeof startServer>> | undefined;
  let store: SqliteStore;
  const log: string[] = [];

  const certificate = (i: number, generation: string): Manifest => ({
    ...tlsSecret("default", "secure"),
    metadata: { namespace: "default", name: `${generation}-${i}` },
  });
  const host = (i: number, generation: string): Manifest => ({
    ...hostProxy(`h${i}.test`, "app"),
    spec: {
      virtualhost: { fqdn: `h${i}.test`, tls: { secretName: `${generation}-${i}` } },
      routes: [{ services: [{ name: "app", port: 80 }] }],
    },
  });

  const start = async (): Promise<string> => {
    store = createSqliteStore(file);
    server = await startServer({
      paths: [],
      kube: { targets: [{ name: "", kubeconfig: kube.adminConfig }], acceptShrink: false },
      store,
      host: "127.0.0.1",
      port: await freePort(),
      log: (line) => void log.push(line),
    });
    const { url } = server;
    await eventually(async () => (await fetch(`${url}/readyz`)).status === 200, "the server is ready");
    return url;
  };
  const stop = async (): Promise<void> => {
    await server?.close();
    server = undefined;
    store?.close();
  };
  /** Drops the cursors of kinds, as when the API server no longer has their versions. */
  const forget = (...kinds: readonly string[]): void => {
    const kept = createSqliteStore(file);
    for (const kind of kinds) kept.setCursor(`kubernetes:${kind}`, "");
    kept.close();
  };
  interface Node {
    readonly host: string;
    readonly listeners?: unknown;
  }
  /** Number of hosts that are served with a certificate. */
  const secure = async (url: string): Promise<number> => {
    const { hosts } = (await (await fetch(`${url}/graph?limit=500`)).json()) as { hosts: Node[] };
    return hosts.filter((one) => JSON.stringify(one).includes("https")).length;
  };

  beforeAll(async () => {
    if ("reason" in binaries) return;
    kube = await startKube(binaries);
    await kube.apply(...(customResourceDefinitions() as readonly Manifest[]));
    await eventually(
      () => kube.apply(service("default", "app"), host(0, "old")).then(() => true),
      "the CRDs are served",
    );
  });
  afterEach(stop);
  afterAll(async () => {
    await kube?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const put = async (generation: string): Promise<void> => {
    for (const i of numbers) await kube.apply(certificate(i, generation), host(i, generation));
  };

  it.each([
    ["is in the watches", []],
    ["has to be listed", ["Secret", "HTTPProxy"]],
    ["is partly listed", ["Secret"]],
  ] as const)("keep every host while all certificates are renamed and that %s", async (_, forgotten) => {
    rmSync(file, { force: true });
    await put("old");
    const first = await start();
    await eventually(async () => (await secure(first)) === count, "all hosts are served");
    await stop();
    await put("new");
    for (const i of numbers) await kube.remove(certificate(i, "old"));
    forget(...forgotten);
    const url = await start();
    let fewest = count;
    for (const end = performance.now() + 4000; performance.now() < end; )
      fewest = Math.min(fewest, await secure(url));
    expect(fewest).toBe(count);
    const text = await (await fetch(`${url}/status`)).text();
    expect(text).not.toContain("Held");
    await eventually(
      () => Promise.resolve(store.object("Secret/default/old-1") === undefined),
      "the old certificates are gone",
    );
    for (const i of numbers) await kube.remove(certificate(i, "new"));
  });

  it("stay until their deletion is confirmed by kind, while the rest is followed", async () => {
    rmSync(file, { force: true });
    await put("old");
    const first = await start();
    await eventually(async () => (await secure(first)) === count, "all hosts are served");
    await stop();
    for (const i of numbers.slice(4)) await kube.remove(host(i, "old"));
    forget("HTTPProxy");
    const url = await start();
    await eventually(
      async () =>
        (await (await fetch(`${url}/metrics`)).text()).includes(`deletions_held{kind="HTTPProxy"} 8`),
      "the deletions are held",
    );
    expect(await secure(url)).toBe(count);
    await kube.apply(hostProxy("later.test", "app"));
    await eventually(
      async () => (await (await fetch(`${url}/graph?limit=500`)).text()).includes("later.test"),
      "a host that is new is served",
    );
    const wrong = await run("accept-shrink", "HTTPProxy", "--xds", url, "--expect", "7");
    expect(wrong).toMatchObject({ code: 1 });
    expect(wrong.stderr).toContain("8 deletions of HTTPProxy are held now");
    expect(await secure(url)).toBe(count);
    const done = await run("accept-shrink", "HTTPProxy", "--xds", url, "--expect", "8");
    expect(done).toEqual({ code: 0, stderr: "HTTPProxy: confirmed; 8 objects are deleted at once\n" });
    await eventually(async () => (await secure(url)) === 4, "they are gone");
    expect((await run("accept-shrink", "Nothing", "--xds", url)).code).toBe(2);
    expect(await (await fetch(`${url}/metrics`)).text()).not.toContain("deletions_held{");
  });

  it("a full store is reported, and refused changes are served once it has space", async () => {
    rmSync(file, { force: true });
    const url = await start();
    log.length = 0;
    const full = (): never => {
      throw Object.assign(new Error("database or disk is full"), { name: "SQLite3Error" });
    };
    const { setCursor, transaction } = store;
    Object.assign(store, { setCursor: full, transaction: full });
    await kube.apply(hostProxy("full.test", "app"));
    await eventually(() => Promise.resolve(log.some((line) => line.startsWith("store: "))), "it is reported");
    expect(log.join("\n")).toMatch(
      /^store: the store can't be written: database or disk is full; check the disk/m,
    );
    expect(log.join("\n")).not.toContain("API server");
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    Object.assign(store, { setCursor, transaction });
    await eventually(
      async () => (await (await fetch(`${url}/graph?limit=500`)).text()).includes("full.test"),
      "the host is served",
    );
    // A publication that the store refused is repeated, too.
    Object.assign(store, {
      setCursor: (name: string, value: string) =>
        name === "sequence" ? full() : setCursor.call(store, name, value),
    });
    await kube.apply(hostProxy("later-full.test", "app"));
    await eventually(
      () => Promise.resolve(store.object("HTTPProxy/default/later-full-test") !== undefined),
      "the store has it",
    );
    await new Promise((done) => setTimeout(done, 500));
    Object.assign(store, { setCursor });
    await eventually(
      async () => (await (await fetch(`${url}/graph?limit=500`)).text()).includes("later-full.test"),
      "the other host is served",
    );
  });
});
