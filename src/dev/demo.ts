import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { get } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { readNow } from "../documents/documents.js";
import { writeYaml } from "../documents/write.js";
import { replacePrivateFile } from "../platform/private-file.js";
import { startServer } from "../runtime/node/serve.js";
import { isRecord } from "../schema/issues.js";
import { writeBootstrap } from "../xds/bootstrap.js";
import { type EchoServer, startEcho } from "./echo.js";
import { type EnvoyProcess, envoyVersion, findEnvoy, runEnvoy } from "./envoy.js";

/** The demo could not start; the message has the reason and the correction. */
export class DemoError extends Error {
  override readonly name = "DemoError";
}

const READY_WITHIN_MS = 30_000;

/** Undoes one step of the start; run in reverse order. */
type Undo = () => Promise<void>;

/**
 * `isoline demo`: echo backends, Isoline with the manifests of `examples/quickstart` and a real Envoy, all on 127.0.0.1,
 * until SIGINT, SIGTERM or SIGHUP. Removes all its processes and files at the end.
 *
 * @param port the port of Envoy's HTTP listener
 * @throws DemoError, EnvoyNotFound
 */
export async function runDemo(port: number, adminPort: number): Promise<void> {
  const undo: Undo[] = [];
  const stop = stopSignal();
  try {
    const envoy = await start(port, adminPort, undo, stop);
    const code = await Promise.race([envoy.exited, aborted(stop)]);
    if (code !== undefined && !stop.aborted) throw new DemoError(`Envoy ended (${code})`);
    log("\nstopping");
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

const log = (line: string): void => console.log(line);

/** Aborts on the first signal and ignores later ones: npm forwards the Ctrl-C that the terminal also sends. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => controller.abort());
  return controller.signal;
}

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((done) => signal.addEventListener("abort", () => done(undefined)));

async function start(
  port: number,
  adminPort: number,
  undo: Undo[],
  stop: AbortSignal,
): Promise<EnvoyProcess> {
  await checkFree(port, "--port");
  await checkFree(adminPort, "--admin-port");
  const examples = findExamples();
  const binary = await findEnvoy(log);
  stop.throwIfAborted();
  log(`Envoy      ${binary}`);
  const folder = await mkdtemp(join(tmpdir(), "isoline-demo-"));
  undo.push(() => rm(folder, { recursive: true, force: true }));

  const endpointsFile = join(folder, "endpoints.yaml");
  const backends = await startBackends(
    join(examples, "quickstart-local", "endpoints.yaml"),
    endpointsFile,
    undo,
  );
  log(`backends   ${backends.map(({ service }) => service).join(", ")}`);

  const settingsFile = join(folder, "settings.yaml");
  replacePrivateFile(settingsFile, [writeYaml(demoSettings(port, adminPort))]);
  const manifests = await editable(join(examples, "quickstart"), folder);
  const paths = [manifests, endpointsFile];
  const isoline = await startServer({ paths, settingsFile, host: "127.0.0.1", port: 0, log });
  undo.push(() => isoline.close());
  log(`Isoline    ${isoline.url}`);

  const bootstrap = writeBootstrap({
    xdsUrl: isoline.url,
    nodeId: "demo",
    nodeCluster: "demo",
    admin: { address: "127.0.0.1", port: adminPort },
    envoy: await envoyVersion(binary),
  });
  stop.throwIfAborted();
  const envoy = await runEnvoy(binary, folder, bootstrap, 2);
  undo.push(() => envoy.stop());
  await untilServing(port, envoy, join(folder, "envoy.log"), stop);
  log(describeDemo(port, adminPort, isoline.url, manifests));
  return envoy;
}

/** Settings with all addresses on loopback, and with ports that other Envoys do not use by default. */
const demoSettings = (port: number, adminPort: number): object => ({
  allowLoopbackEndpoints: true,
  http: { address: "127.0.0.1", port },
  https: { address: "127.0.0.1", port: port === 8080 ? 8443 : port + 1 },
  stats: { address: "127.0.0.1", port: adminPort + 1 },
});

/** The path of a folder of a checkout, or of its copy in `folder`: those of an installed package may not be writable. */
async function editable(manifests: string, folder: string): Promise<string> {
  if (!manifests.split(sep).includes("node_modules")) return relative(process.cwd(), manifests);
  const copy = join(folder, "quickstart");
  await cp(manifests, copy, { recursive: true });
  return copy;
}

/** The folder `examples` of the checkout or package, found from `src/dev/` and from `dist/`. */
function findExamples(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "examples", "quickstart"))) {
    if (folder === dirname(folder))
      throw new DemoError("the demo requires the folder examples/ of the package or checkout");
    folder = dirname(folder);
  }
  return join(folder, "examples");
}

async function checkFree(port: number, option: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((done, fail) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "is in use" : `can't be used (${error.message})`;
      fail(new DemoError(`port ${port} on 127.0.0.1 ${why}: choose another with ${option}`));
    });
    server.listen(port, "127.0.0.1", () => server.close(() => done()));
  });
}

/** Starts a backend on a free port for each slice in a file, and writes a copy of the file with these ports. */
async function startBackends(from: string, to: string, undo: Undo[]): Promise<EchoServer[]> {
  const backends: EchoServer[] = [];
  const slices: string[] = [];
  for (const step of readNow(await readFile(from, "utf8"))) {
    const slice = "value" in step && isRecord(step.value) ? step.value : {};
    const service = serviceOf(slice);
    if (service === undefined)
      throw new DemoError(`${from}: a slice has no label kubernetes.io/service-name`);
    const backend = await startEcho(service);
    undo.push(() => backend.close());
    slices.push(writeYaml({ ...slice, ports: [{ name: "http", port: backend.port }] }));
    backends.push(backend);
  }
  replacePrivateFile(to, [slices.join("---\n")]);
  return backends;
}

function serviceOf({ metadata }: Readonly<Record<string, unknown>>): string | undefined {
  const labels = isRecord(metadata) ? metadata.labels : undefined;
  const service = isRecord(labels) ? labels["kubernetes.io/service-name"] : undefined;
  return typeof service === "string" ? service : undefined;
}

async function untilServing(
  port: number,
  envoy: EnvoyProcess,
  logFile: string,
  stop: AbortSignal,
): Promise<void> {
  let ended: number | string | undefined;
  void envoy.exited.then((code) => (ended = code));
  for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline; await sleep(100)) {
    stop.throwIfAborted();
    if ((await statusOf(port)) === 200) return;
    if (ended !== undefined) break;
  }
  const tail = (await readFile(logFile, "utf8")).trimEnd().split("\n").slice(-15).join("\n");
  const what =
    ended === undefined ? `did not serve echo.com within ${READY_WITHIN_MS / 1000} s` : `ended (${ended})`;
  throw new DemoError(`Envoy ${what}; the end of its log:\n${tail}`);
}

/** The status of Envoy's answer for echo.com; undefined without an answer. */
function statusOf(port: number): Promise<number | undefined> {
  return new Promise((done) => {
    const options = { host: "127.0.0.1", port, headers: { host: "echo.com" }, agent: false, timeout: 2000 };
    const request = get(options, (response) => {
      response.resume();
      done(response.statusCode);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => done(undefined));
  });
}

const describeDemo = (port: number, adminPort: number, url: string, folder: string): string => `
Envoy serves on http://127.0.0.1:${port}. Try:

  curl -H 'Host: echo.com' http://127.0.0.1:${port}/                 an IngressRoute
  curl -H 'Host: proxy.echo.com' http://127.0.0.1:${port}/api/x      an HTTPProxy: prefix rewritten, header added
  curl -H 'Host: ingress.echo.com' http://127.0.0.1:${port}/         an Ingress
  curl -H 'Host: shop.echo.com' http://127.0.0.1:${port}/blog        a part of a host delegated to another namespace
  curl -H 'Host: blue-green.echo.com' http://127.0.0.1:${port}/      blue

Change \`blue\` to \`green\` in ${join(folder, "blue-green.yaml")}, save, and repeat the request.

  Isoline's status   ${url}/status
  Envoy's admin      http://127.0.0.1:${adminPort}/

Ctrl-C stops everything.`;
