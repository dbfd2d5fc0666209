import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/envoy.js";
import { freePort, isOpen, request } from "../support/http.js";

const COMMAND = fileURLToPath(new URL("../../dist/isoline.js", import.meta.url));

test("the demo serves every example, and a signal leaves nothing behind", async () => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const demo = spawn(process.execPath, [
    COMMAND,
    "demo",
    "--port",
    `${port}`,
    "--admin-port",
    `${adminPort}`,
  ]);
  onTestFinished(() => void demo.kill("SIGKILL"));
  let output = "";
  for (const stream of [demo.stdout, demo.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk));
  const exited = once(demo, "exit");
  await eventually(async () => {
    expect(demo.exitCode, output).toBe(null);
    return output.includes("Try:");
  }, "the demo says what to try");

  const ask = async (host: string, path = "/") => (await request({ port, host, path })).echo();
  expect(await ask("echo.com")).toMatchObject({ service: "echo", path: "/" });
  expect(await ask("proxy.echo.com", "/api/x")).toMatchObject({
    path: "/v1/x",
    headers: { "x-api": "true" },
  });
  expect(await ask("ingress.echo.com")).toMatchObject({ service: "echo" });
  for (const host of ["shop.echo.com", "old-shop.echo.com"]) {
    expect(await ask(host)).toMatchObject({ service: "shop" });
    expect(await ask(host, "/blog")).toMatchObject({ service: "blog" });
  }
  expect(await ask("blue-green.echo.com")).toMatchObject({ service: "blue" });

  const config = (await request({ port: adminPort, path: "/server_info" })).body;
  const [, folder] = /"config_path": "(.*)\/bootstrap\.json"/.exec(config) ?? [];
  expect(existsSync(folder ?? "")).toBe(true);
  const asked = Date.now();
  demo.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
  expect(Date.now() - asked).toBeLessThan(60_000);
  expect([existsSync(folder ?? ""), await isOpen(port), await isOpen(adminPort)]).toEqual([
    false,
    false,
    false,
  ]);
});

test("the demo says which port is in use", async () => {
  const holder = createServer();
  await new Promise<void>((done) => holder.listen(0, "127.0.0.1", done));
  onTestFinished(() => void holder.close());
  const address = holder.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const demo = promisify(execFile)(process.execPath, [COMMAND, "demo", "--port", `${port}`]);
  await expect(demo).rejects.toMatchObject({
    stderr: expect.stringContaining(`port ${port} on 127.0.0.1 is in use: choose another with --port`),
  });
});
