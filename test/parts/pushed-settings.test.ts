import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type ServerOptions, startServer } from "../../src/runtime/node/serve.js";
import { settingsOf } from "../../src/schema/stored-settings.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { hostProxy, type Manifest, service } from "../support/backend.js";

/** `serve --push` over a store, as it is started with some settings. */
async function start(options: Partial<ServerOptions>, settings?: string, store = createMemoryStore()) {
  const log: string[] = [];
  const settingsFile =
    settings === undefined ? undefined : join(mkdtempSync(join(tmpdir(), "isoline-")), "s.yaml");
  if (settingsFile) writeFileSync(settingsFile, settings ?? "");
  const server = await startServer({
    paths: [],
    push: true,
    ...(settingsFile ? { settingsFile } : {}),
    store,
    host: "127.0.0.1",
    port: 0,
    log: (line) => log.push(line),
    ...options,
  });
  onTestFinished(async () => {
    await server.close();
    if (settingsFile) rmSync(join(settingsFile, ".."), { recursive: true });
  });
  const push = async (name: string, objects: readonly Manifest[], query = "") => {
    const init = { method: "PUT", body: JSON.stringify(objects) };
    return (await fetch(`${server.url}/sources/${name}${query}`, init)).status;
  };
  const remove = (name: string) => fetch(`${server.url}/sources/${name}`, { method: "DELETE" });
  const status = async () => (await fetch(`${server.url}/status`)).text();
  return { push, remove, status, store, log, spec: () => settingsOf(store) };
}

const pushed: Manifest = { kind: "IsolineSettings", spec: { rootNamespaces: ["pushed"] } };

describe("settings of `serve --push`", () => {
  it("hold for what is pushed, from the file and from flags", async () => {
    const { push, status, spec } = await start({ overrides: { maxSources: 2 } }, "rootNamespaces: [infra]");
    expect(await push("a", [hostProxy("a.test", "app", "shop"), service("shop", "app")])).toBe(200);
    expect(await status()).toContain("RootNamespaceError");
    expect([await push("b", []), await push("c", [])]).toEqual([200, 409]);
    expect(spec()).toMatchObject({ rootNamespaces: ["infra"], maxSources: 2 });
  });

  it("give way to settings that are pushed, and come back when those go", async () => {
    const { push, remove, spec } = await start({}, "rootNamespaces: [infra]");
    await push("a", [pushed]);
    expect(spec().rootNamespaces).toEqual(["pushed"]);
    expect(await push("a", [])).toBe(409);
    expect(spec().rootNamespaces).toEqual(["pushed"]);
    await push("a", [], "?default-settings=1");
    expect(spec().rootNamespaces).toEqual(["infra"]);
    await push("b", [pushed]);
    expect(spec().rootNamespaces).toEqual(["pushed"]);
    await remove("b");
    expect(spec().rootNamespaces).toEqual(["infra"]);
  });

  it("are those of the last start, whatever the store had", async () => {
    const store = createMemoryStore();
    await start({}, "rootNamespaces: [first]", store);
    expect((await start({}, "rootNamespaces: [second]", store)).spec().rootNamespaces).toEqual(["second"]);
    const without = await start({}, undefined, store);
    expect(without.spec().rootNamespaces).toEqual([]);
    await without.push("a", [pushed]);
    expect((await start({}, "rootNamespaces: [third]", store)).spec().rootNamespaces).toEqual(["pushed"]);
  });

  it("are told of where they are wrong, and refuse no strict push", async () => {
    const { push, status, log } = await start(
      {},
      "tls: {fallbackCertificate: {namespace: a, name: gone}}\nhttp: {port: no}",
    );
    expect(log.join()).toContain("http.port");
    expect(await status()).toContain("http.port");
    expect(await push("a", [hostProxy("a.test", "app", "shop"), service("shop", "app")], "?strict")).toBe(
      200,
    );
  });
});
