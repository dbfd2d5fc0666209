import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { eventually } from "./envoy.js";
import { freePort } from "./http.js";
import { compatibility } from "./wrangler.js";

const { default: binary } = createRequire(import.meta.url)("workerd") as { default: string };

const text = (value: string): string => JSON.stringify(value);

/** A configuration of workerd itself, which unlike Miniflare's can limit V8's heap. */
const configOf = (
  port: number,
  heapMegabytes: number,
  bindings: Readonly<Record<string, string>>,
): string => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = ["--max-heap-size=${heapMegabytes}"],
  services = [(name = "main", worker = .main), (name = "disk", disk = (path = "disk", writable = true))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = ${text(compatibility.compatibilityDate)},
  compatibilityFlags = ${JSON.stringify(compatibility.compatibilityFlags)},
  durableObjectNamespaces = [(className = "Fleet", uniqueKey = "fleet", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [
    (name = "FLEET", durableObjectNamespace = "Fleet"),
    ${Object.entries(bindings)
      .map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`)
      .join(",\n    ")}
  ],
);
`;

/**
 * Starts the built Worker in a workerd with this heap limit (young and old generation); it crashes if it needs more.
 */
export async function startCappedWorker(
  heapMegabytes: number,
  bindings: Readonly<Record<string, string>>,
): Promise<{ readonly url: string; readonly pid: number; readonly isAlive: () => boolean }> {
  const folder = mkdtempSync(join(tmpdir(), "isoline-workerd-"));
  mkdirSync(join(folder, "disk"));
  copyFileSync(new URL("../../dist/worker.js", import.meta.url), join(folder, "worker.js"));
  const port = await freePort();
  writeFileSync(join(folder, "config.capnp"), configOf(port, heapMegabytes, bindings));
  const workerd: ChildProcess = spawn(binary, ["serve", "config.capnp"], { cwd: folder, stdio: "ignore" });
  const ended = new Promise((resolve) => workerd.once("exit", resolve));
  onTestFinished(async () => {
    workerd.kill();
    await ended;
    rmSync(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(`${url}/healthz`)).ok, "the Worker answers");
  return {
    url,
    pid: workerd.pid ?? 0,
    isAlive: () => workerd.exitCode === null && workerd.signalCode === null,
  };
}
