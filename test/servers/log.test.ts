import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { discoveryRequest } from "../support/discovery.js";
import { freePort, request } from "../support/http.js";
import { startServe } from "../support/serve-process.js";

const tokenLine = (role: string, more = ""): string =>
  `${role} sha256:${createHash("sha256").update(`${role}-token`).digest("hex")} name=${role}${more}`;

const proxy = (name: string, host: string, service = "app") => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: { name, namespace: "shop" },
  spec: { virtualhost: { fqdn: host }, routes: [{ services: [{ name: service, port: 80 }] }] },
});
const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "app", namespace: "shop" },
  spec: { ports: [{ port: 80 }] },
};

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isoline-log-"));
  const made = folder;
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
});

const put = (path: string, content: string): void => {
  writeFileSync(join(folder, `${path}.new`), content);
  renameSync(join(folder, `${path}.new`), join(folder, path));
};
const certificate = (name: string): void => {
  for (const end of ["crt", "key"])
    copyFileSync(join(import.meta.dirname, `../support/certs/${name}.${end}`), join(folder, `tls.${end}`));
};
const bearer = (role: string) => ({ authorization: `Bearer ${role}-token` });

/** A version without the mark of its sources. */
const plain = (version: string): string => version.replace(/\+.*/, "");

/** A poll over TLS; returns the version of the answer, or an empty text. */
async function poll(port: number, node: string, version: string): Promise<string> {
  const { status, body } = await request({
    port,
    sni: "localhost",
    method: "POST",
    path: "/v3/discovery:listeners",
    headers: bearer("node"),
    body: discoveryRequest(node, version, []),
  });
  return status === 200 ? (JSON.parse(body) as { readonly version_info: string }).version_info : "";
}

describe("the log of a server that takes pushes", () => {
  it("has a line for the start, publications, Envoys, refused requests, admins, tokens and certificates", async () => {
    const port = await freePort();
    certificate("loopback");
    const roles = ["node", "publish", "admin", "read"].map((role) => tokenLine(role));
    put("tokens", `${roles.join("\n")}\n`);
    put("settings.json", JSON.stringify({ policy: { requestHeaders: { set: { "x-secret": "geheim" } } } }));
    const server = await startServe(folder, [
      ...["--push", "--listen", `127.0.0.1:${port}`, "--tokens", "tokens", "--settings", "settings.json"],
      ...["--tls-cert-file", "tls.crt", "--tls-key-file", "tls.key", "--log-level", "debug"],
    ]);
    const started = await server.line("started");
    expect(started).toMatchObject({
      level: "info",
      url: `https://127.0.0.1:${port}`,
      options: { push: true, tokens: "tokens" },
      settings: { policy: { requestHeaders: { set: { "x-secret": "(redacted)" } } } },
    });
    expect(await server.line("store-in-memory")).toMatchObject({ level: "warn" });

    const ask = (method: string, path: string, role: string, body = ""): ReturnType<typeof request> =>
      request({
        port,
        sni: "localhost",
        method,
        path,
        headers: role ? bearer(role) : {},
        ...(body ? { body } : {}),
      });
    const push = (objects: readonly object[]) =>
      ask("PUT", "/sources/web?commit=0123456789abcdef", "publish", JSON.stringify(objects));

    await push([service, proxy("web", "a.example.com")]);
    expect(
      await server.line("published", ({ causes }) => JSON.stringify(causes).includes("web")),
    ).toMatchObject({
      causes: [{ source: "web", revision: 1, by: "publish", commit: "0123456789abcdef" }],
    });
    const first = await poll(port, "edge-1", "");
    await poll(port, "edge-1", first);
    expect(await server.line("envoy-accepted")).toMatchObject({
      node: "edge-1",
      token: "node",
      type: "listeners",
      version: plain(first),
    });
    await push([
      service,
      proxy("web", "a.example.com"),
      { kind: "IsolineSettings", spec: { httpPort: 8081 } },
    ]);
    expect(
      await server.line("published", ({ message }) => String(message).includes("revision 2 by publish")),
    ).toMatchObject({ types: expect.arrayContaining(["listeners"]) });
    const second = await poll(port, "edge-1", first);
    expect(second).not.toBe("");
    await poll(port, "edge-1", first);
    expect(await server.line("envoy-rejected")).toMatchObject({
      level: "warn",
      node: "edge-1",
      version: plain(second),
      kept: plain(first),
    });

    const settings = { kind: "IsolineSettings", spec: { httpPort: 8081 } };
    await push([settings, service, proxy("web", "a.example.com"), proxy("api", "b.example.com", "missing")]);
    expect(await server.line("finding-appeared")).toMatchObject({
      level: "warn",
      object: "HTTPProxy/shop/api",
      reason: "ServiceUnresolvedReference",
    });
    await push([settings, service, proxy("web", "a.example.com"), proxy("api", "b.example.com")]);
    expect(await server.line("finding-gone")).toMatchObject({ object: "HTTPProxy/shop/api" });

    for (let i = 0; i < 50; i++) await ask("GET", `/status?${i}`, "unknown");
    await ask("POST", "/hooks/audit/stolen-token", "");
    await ask("GET", "/status", "node");
    await server.line("authentication-failed", ({ token }) => token === "node");
    const refused = server.lines().filter(({ event }) => event === "authentication-failed");
    expect(refused).toHaveLength(3);
    expect(refused[0]).toMatchObject({ from: "127.0.0.1", method: "GET", path: "/status", status: 401 });
    expect(server.output()).not.toMatch(/unknown-token|stolen-token|geheim/);

    await ask("DELETE", "/sources/web", "admin");
    expect(await server.line("admin")).toMatchObject({
      method: "DELETE",
      path: "/sources/web",
      token: "admin",
    });

    put("tokens", `${[...roles.slice(1), tokenLine("hook")].join("\n")}\n`);
    expect(await server.line("token-added")).toMatchObject({ message: expect.stringContaining("role hook") });
    await server.line("token-removed");
    certificate("secure");
    server.child.kill("SIGHUP");
    expect(await server.line("certificate-reloaded")).toMatchObject({ file: "tls.crt" });
    rmSync(join(folder, "tls.key"));
    expect(await server.line("certificate-not-read")).toMatchObject({ level: "error" });

    await server.stop();
    expect(server.lines().at(-1)).toMatchObject({ event: "stopped", signal: "SIGTERM" });
    expect(
      server
        .output()
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("{")),
    ).toEqual([]);
  });
});

describe("the log of a server that follows files", () => {
  it("says when the files can't be read, and when they are again", async () => {
    mkdirSync(join(folder, "objects"));
    put("settings.json", "{}");
    const web = JSON.stringify([service, proxy("web", "a.example.com")]);
    put("objects/web.json", web);
    const server = await startServe(folder, [
      ...["-f", "objects", "--settings", "settings.json", "--listen", `127.0.0.1:${await freePort()}`],
    ]);
    rmSync(join(folder, "settings.json"));
    expect(await server.line("source-lost")).toMatchObject({ level: "error", source: "files" });
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain('isoline_source_failing{source="files"} 1');
    put("settings.json", "{}");
    expect(await server.line("source-back")).toMatchObject({ source: "files", seconds: expect.any(Number) });
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain(
      'isoline_source_failing{source="files"} 0',
    );
  });

  it("is text where that is asked for, by an option or the environment, and leaves out lower levels", async () => {
    mkdirSync(join(folder, "objects"));
    put("objects/web.json", JSON.stringify([service, proxy("web", "a.example.com")]));
    const args = ["-f", "objects", "--listen", `127.0.0.1:${await freePort()}`];
    const server = await startServe(folder, args, { ISOLINE_LOG_FORMAT: "text" });
    expect(server.output()).toMatch(/^\S+Z INFO {2}isoline serves xDS on http:\S+ \[started\]$/m);
    await server.stop();
    const command = join(import.meta.dirname, "../../dist/isoline.js");
    const wrong = spawnSync(process.execPath, [command, "serve", ...args, "--log-format", "xml"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain("--log-format xml: expected auto, text, json");
  });
});
