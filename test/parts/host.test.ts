import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type ServerOptions, startServer } from "../../src/runtime/node/serve.js";
import { type RequestOptions, request } from "../support/http.js";

const manifests = `
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: web}
spec: {ports: [{port: 80}]}
`;

/** A running server with a function that sends requests to it under any `Host`. */
async function serve(options: Partial<ServerOptions> = {}, settings = "{}") {
  const folder = mkdtempSync(join(tmpdir(), "isoline-host-"));
  const settingsFile = join(folder, "settings.yaml");
  writeFileSync(settingsFile, settings);
  const manifestFile = join(folder, "objects.yaml");
  writeFileSync(manifestFile, manifests);
  const server = await startServer({
    paths: options.push ? [] : [manifestFile],
    settingsFile,
    host: "127.0.0.1",
    port: 0,
    log: () => undefined,
    ...options,
  });
  onTestFinished(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  const port = Number(new URL(server.url).port);
  const ask = (path: string, asked: Partial<RequestOptions> = {}) => request({ port, path, ...asked });
  return { ask, port };
}

const surface = [
  "/",
  "/healthz",
  "/readyz",
  "/status",
  "/metrics",
  "/graph",
  "/explain?url=http://a.test/",
  "/sources/web",
  "/hooks/admission",
  "/hooks/refresh",
  "/v3/discovery:listeners",
  "/v3/discovery:secrets",
  "/nothing",
  "/%68ealthz",
];
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

describe("a loopback server without tokens", () => {
  it("takes no request under a name that is not its own, on any path and method", async () => {
    const { ask, port } = await serve({ push: true });
    for (const path of surface)
      for (const method of methods)
        for (const host of ["rebound.example.com", `rebound.example.com:${port}`]) {
          const { status, body } = await ask(path, { method, host });
          expect([status, body.includes("wrong-host")], `${method} ${path}`).toEqual([
            421,
            method !== "HEAD",
          ]);
        }
    expect((await ask("/metrics")).body).toContain('isoline_requests_refused_total{code="421"}');
  });

  it.each([
    "127.0.0.1.example.com",
    "localhost.example.com",
    "example.com.localhost",
    "isoline.example.com",
    "isolines",
    "10.0.0.1",
    "0.0.0.0",
    "169.254.169.254",
    "[::2]",
    "[::ffff:10.0.0.1]",
    "1270.0.0.1",
    "127.0.0.1.",
    "128.0.0.1:80",
  ])("takes none under %s", async (host) => {
    const { ask } = await serve();
    expect([400, 421]).toContain((await ask("/status", { host })).status);
  });

  it.each([
    "localhost",
    "LocalHost:9",
    "127.0.0.1",
    "127.8.9.1:18000",
    "[::1]",
    "[::1]:1",
    "isoline",
    "Isoline:80",
  ])("takes one under %s", async (host) => {
    const { ask } = await serve();
    expect((await ask("/status", { host })).status).toBe(200);
  });

  it("takes the name that the settings give the xDS cluster, beside that of a loopback bootstrap", async () => {
    const { ask } = await serve({}, "xdsCluster: control.plane");
    expect((await ask("/status", { host: "control.plane" })).status).toBe(200);
    expect((await ask("/status", { host: "isoline" })).status).toBe(200);
    expect((await ask("/status", { host: "control-plane" })).status).toBe(421);
  });

  it("takes nothing from a page of another origin", async () => {
    const { ask, port } = await serve({ push: true });
    const own = `127.0.0.1:${port}`;
    for (const origin of [
      "http://evil.example.com",
      "null",
      "http://127.0.0.1:1",
      `http://localhost:${port}`,
      "http://127.0.0.1",
    ])
      for (const [method, path] of [
        ["PUT", "/sources/web"],
        ["DELETE", "/sources/web"],
        ["POST", "/hooks/refresh"],
        ["POST", "/v3/discovery:clusters"],
        ["GET", "/status"],
      ] as const)
        expect(
          (await ask(path, { method, headers: { origin }, host: own })).status,
          `${origin} ${path}`,
        ).toBe(403);
    expect((await ask("/status", { headers: { origin: `http://${own}` }, host: own })).status).toBe(200);
  });
});

describe("other servers", () => {
  it("with tokens are asked under any name, as a page has none", async () => {
    const tokensFile = join(mkdtempSync(join(tmpdir(), "isoline-host-")), "tokens");
    writeFileSync(tokensFile, `read sha256:${"0".repeat(64)}\n`);
    const { ask } = await serve({ tokensFile });
    expect((await ask("/status", { host: "any.example.com" })).status).toBe(401);
    expect((await ask("/healthz", { host: "any.example.com" })).status).toBe(200);
  });

  it("that are reached from other machines without tokens (--insecure) can't know their names", async () => {
    const { ask } = await serve({ host: "::ffff:127.0.0.1" });
    expect((await ask("/status", { host: "any.example.com" })).status).toBe(200);
  });
});
