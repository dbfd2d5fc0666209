import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { findEnvoy, runEnvoy } from "../../src/dev/envoy.js";
import type { Bootstrap } from "../../src/gen/envoy.js";
import { httpProxy, startBackends, tlsSecret } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { freePort, onLoopback, request } from "../support/http.js";

const command = join(import.meta.dirname, "../../dist/isoline.js");
const certificate = (name: string): string => join(import.meta.dirname, "../support/certs", name);

interface Site {
  readonly folder: string;
  readonly port: number;
  readonly httpPort: number;
  /** Runs `isoline` there. */
  isoline(...args: readonly string[]): Promise<{ stdout: string; stderr: string }>;
}

/** A folder as the pages have it: `manifests/`, `settings.yaml`, `tls.crt` and `tls.key` for localhost, `ca.crt`. */
async function site(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "isoline-https-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const backends = await startBackends("a");
  onTestFinished(() => backends.close());
  const items = [
    ...backends.objects,
    httpProxy("default", "echo", {
      virtualhost: { fqdn: "echo.test", tls: { secretName: "secure" } },
      routes: [{ permitInsecure: true, services: [{ name: "a", port: 80 }] }],
    }),
    tlsSecret("default", "secure"),
  ];
  await mkdir(join(folder, "manifests"));
  await writeFile(
    join(folder, "manifests/all.json"),
    JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  );
  const httpPort = await freePort();
  const settings = { ...(await onLoopback(httpPort)), endpoints: "eds" };
  await writeFile(join(folder, "settings.yaml"), JSON.stringify(settings));
  await copyFile(certificate("loopback.crt"), join(folder, "tls.crt"));
  await copyFile(certificate("loopback.key"), join(folder, "tls.key"));
  await copyFile(certificate("loopback.crt"), join(folder, "ca.crt"));
  const run = promisify(execFile);
  return {
    folder,
    port: await freePort(),
    httpPort,
    isoline: (...args) => run(process.execPath, [command, ...args], { cwd: folder }),
  };
}

interface Server {
  readonly pid: number;
  log(): string;
}

/** Starts `isoline serve` and waits until it serves. */
const overTls = ({ port }: Site): readonly string[] => [
  ...["--listen", `127.0.0.1:${port}`, "--tokens", "tokens.txt"],
  ...["--tls-cert-file", "tls.crt", "--tls-key-file", "tls.key"],
];

async function serve({ folder }: Site, ...args: readonly string[]): Promise<Server> {
  const child = spawn(process.execPath, [command, "serve", ...args], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let output = "";
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGTERM");
    expect((await exited)[0], output).toBe(0);
  });
  await eventually(async () => {
    expect(child.exitCode, output).toBe(null);
    return output.includes("isoline serves xDS on");
  }, "the command serves");
  return { pid: child.pid ?? 0, log: () => output };
}

/** Starts an Envoy with the bootstrap of a folder, on an admin port of its own, and waits until it is ready. */
async function envoyOf({ folder }: Site): Promise<{ refused(): Promise<string[]> }> {
  const bootstrap = JSON.parse(await readFile(join(folder, "envoy.json"), "utf8")) as Bootstrap;
  const adminPort = await freePort();
  const admin = { address: { socket_address: { address: "127.0.0.1", port_value: adminPort } } };
  const home = await mkdtemp(join(tmpdir(), "isoline-envoy-"));
  const envoy = await runEnvoy(await findEnvoy(() => {}), home, { ...bootstrap, admin }, 1);
  onTestFinished(async () => {
    await envoy.stop();
    await rm(home, { recursive: true, force: true });
  });
  const ask = async (path: string): Promise<string> => (await request({ port: adminPort, path })).body;
  await eventually(async () => (await ask("/ready")).startsWith("LIVE"), "Envoy is ready");
  return {
    refused: async () =>
      (await ask("/stats?filter=update_rejected$")).split("\n").filter((line) => /: [1-9]/.test(line)),
  };
}

const answersOf = async ({ httpPort }: Site): Promise<number> =>
  (await request({ port: httpPort, host: "echo.test" })).status;

/** The commands of the first block of a page, with this machine's names in place of those of the example. */
async function commandsOf(page: string, { port }: Site): Promise<string[][]> {
  const markdown = await readFile(join(import.meta.dirname, "../../docs", page), "utf8");
  const block = /```sh\n([\s\S]*?)```/.exec(markdown)?.[1] ?? "";
  return block
    .split("\n")
    .filter((line) => line.startsWith("isoline "))
    .map((line) =>
      line
        .replace("0.0.0.0:18000", `127.0.0.1:${port}`)
        .replace("xds.example.com:18000", `localhost:${port}`)
        .split(" ")
        .slice(1),
    );
}

test("the commands of docs/deploy-node.md serve an Envoy over https, HTTP/2, with a token", async () => {
  const here = await site();
  const [token = [], served = [], bootstrap = []] = await commandsOf("deploy-node.md", here);
  expect([token[0], served[0], bootstrap[0]]).toEqual(["token", "serve", "bootstrap"]);
  await here.isoline(...token);
  const server = await serve(here, ...served.slice(1), "--settings", "settings.yaml");
  await here.isoline(...bootstrap);
  const envoy = await envoyOf(here);
  await eventually(async () => (await answersOf(here)) === 200, "a request is answered");
  expect(await envoy.refused()).toEqual([]);
  const written = JSON.parse(await readFile(join(here.folder, "envoy.json"), "utf8")) as Bootstrap;
  expect(written.static_resources?.clusters?.[0]?.name).toBe("localhost");
  expect(server.log()).not.toContain("unexpected");
});

test("two Envoys with other names for the xDS cluster are both served by one server", async () => {
  const here = await site();
  await here.isoline("token", "node", "--name", "edge", "--file", "tokens.txt", "--envoy-file", "token.json");
  await serve(here, ...overTls(here), "-f", "manifests/", "--settings", "settings.yaml");
  for (const url of [`https://127.0.0.1:${here.port}`, `https://localhost:${here.port}`]) {
    await here.isoline(
      "bootstrap",
      "envoy.json",
      "--xds",
      url,
      "--token-file",
      "token.json",
      "--ca-file",
      "ca.crt",
    );
    expect(await (await envoyOf(here)).refused()).toEqual([]);
  }
});

/** The subject of the certificate that a server shows. */
function shown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

async function put(here: Site, name: string): Promise<void> {
  for (const end of ["crt", "key"]) {
    await copyFile(certificate(`${name}.${end}`), join(here.folder, "new"));
    await rename(join(here.folder, "new"), join(here.folder, `tls.${end}`));
  }
}

test("a renewed certificate is shown to new connections, a broken one is not, and SIGHUP reads at once", async () => {
  const here = await site();
  await here.isoline("token", "read", "--name", "eyes", "--file", "tokens.txt");
  const server = await serve(
    here,
    ...["-f", "manifests/", "--listen", `127.0.0.1:${here.port}`, "--tokens", "tokens.txt"],
    ...["--tls-cert-file", "tls.crt", "--tls-key-file", "tls.key"],
  );
  expect(await shown(here.port)).toBe("loopback");
  await put(here, "secure");
  await eventually(async () => (await shown(here.port)) === "secure.test", "the renewed one is shown");
  await writeFile(join(here.folder, "tls.key"), "nothing");
  await eventually(async () => server.log().includes("keeping the last valid certificate"), "it is logged");
  expect(await shown(here.port)).toBe("secure.test");
  await put(here, "loopback");
  process.kill(server.pid, "SIGHUP");
  await eventually(async () => (await shown(here.port)) === "loopback", "it is read again");
});

test("HTTP/1.1 is served over TLS too, for kubelets, API servers and curl", async () => {
  const here = await site();
  await here.isoline("token", "read", "--name", "eyes", "--file", "tokens.txt");
  await serve(here, ...overTls(here), "-f", "manifests/");
  const ca = await readFile(join(here.folder, "ca.crt"));
  const body = await new Promise<string>((resolve, reject) =>
    httpsRequest({ host: "localhost", port: here.port, path: "/readyz", ca })
      .on("response", (response) => resolve(text(response)))
      .on("error", reject)
      .end(),
  );
  expect(body).toBe("ok\n");
});

test("publish and explain --xds trust --ca-file, and say in one line what is wrong", async () => {
  const here = await site();
  const url = `https://localhost:${here.port}`;
  const { stdout: ci } = await here.isoline("token", "publish", "--name", "ci", "--file", "tokens.txt");
  const { stdout: eyes } = await here.isoline("token", "read", "--name", "eyes", "--file", "tokens.txt");
  await writeFile(join(here.folder, "ci.token"), ci.split("\n")[0] ?? "");
  await writeFile(join(here.folder, "eyes.token"), eyes.split("\n")[0] ?? "");
  await serve(here, ...overTls(here), "--push");
  const publish = ["publish", "-f", "manifests/", "--to", url, "--source", "web", "--token-file", "ci.token"];
  const explain = ["explain", "GET", "http://echo.test/", "--xds", url, "--token-file", "eyes.token"];

  const published = await here.isoline(...publish, "--ca-file", "ca.crt");
  expect(published.stderr).toContain("web at revision 1");
  expect((await here.isoline(...explain, "--ca-file", "ca.crt")).stdout).toContain("echo.test");

  for (const args of [publish, explain]) {
    await expect(here.isoline(...args)).rejects.toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^(?:isoline: )?can't reach https:\/\/localhost:\d+: .*--ca-file\n$/),
    });
    const elsewhere = args.map((arg) => arg.replace("localhost", "127.0.0.2"));
    await expect(here.isoline(...elsewhere, "--ca-file", "ca.crt")).rejects.toMatchObject({
      code: 3,
      stderr: expect.stringContaining("can't reach https://127.0.0.2"),
    });
  }
});
