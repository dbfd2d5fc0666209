import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { startServer } from "../../src/runtime/node/serve.js";
import { parseSettings } from "../../src/schema/settings.js";
import { type Backends, type Manifest, startBackends } from "./backend.js";
import { eventually, startEnvoy, type TestEnvoy } from "./envoy.js";
import { freePort } from "./http.js";

/** An Isoline server on a folder of manifests. */
export interface TestIsoline {
  readonly port: number;
  /** Writes a file of the folder atomically; the server follows. */
  apply(file: string, ...objects: readonly Manifest[]): Promise<void>;
  remove(file: string): Promise<void>;
  /** Replaces the settings. */
  configure(settings: Manifest): Promise<void>;
  /** Like a crash: the port is closed. The folder stays. */
  stop(): Promise<void>;
  /** Starts it again with the same port and folder. */
  start(): Promise<void>;
  log(): string;
}

/** Prepares `folder` and starts Isoline on a free port. */
export async function startIsoline(folder: string, settings: Manifest): Promise<TestIsoline> {
  const objects = join(folder, "objects");
  const settingsFile = join(folder, "settings.json");
  await mkdir(objects, { recursive: true });
  const configure = async (wanted: Manifest): Promise<void> => {
    await writeFile(`${settingsFile}.new`, JSON.stringify(wanted));
    await rename(`${settingsFile}.new`, settingsFile);
  };
  await configure(settings);
  const port = await freePort();
  const lines: string[] = [];
  let server: { close(): Promise<void> } | undefined;
  const start = async (): Promise<void> => {
    const log = (line: string): void => void lines.push(line);
    server = await startServer({ paths: [objects], settingsFile, host: "127.0.0.1", port, log });
  };
  const stop = async (): Promise<void> => {
    await server?.close();
    server = undefined;
  };
  const apply = async (file: string, ...manifests: readonly Manifest[]): Promise<void> => {
    const fresh = join(folder, `${file}.new`);
    await writeFile(fresh, JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }));
    await rename(fresh, join(objects, `${file}.json`));
  };
  const remove = (file: string): Promise<void> => rm(join(objects, `${file}.json`));
  return { port, apply, remove, configure, stop, start, log: () => lines.join("\n") };
}

/** Isoline, backends and an Envoy, on free ports of 127.0.0.1. */
export interface Rig {
  readonly isoline: TestIsoline;
  readonly envoy: TestEnvoy;
  readonly backends: Backends;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Merges settings into the initial ones. */
  setSettings(settings: Manifest): Promise<void>;
  /** Stops Envoy and starts a new one, which may not be ready yet. */
  restartEnvoy(): Promise<TestEnvoy>;
}

export interface RigOptions {
  /** Names of backends, each a Service in namespace `default`; names that start with `tcp` are TCP backends. */
  readonly backends: readonly string[];
  readonly objects: readonly Manifest[];
  readonly endpoints?: "auto" | "eds" | "inline";
  /** Settings in addition to those that put the listeners on loopback. */
  readonly settings?: Manifest;
  /** Whether Envoy's admin interface is a unix socket. */
  readonly adminSocket?: boolean;
}

/** Starts everything, waits until Envoy is ready, and stops everything when the test ends. */
export async function startRig(options: RigOptions): Promise<Rig> {
  const { backends: names, objects, endpoints = "auto", settings = {}, adminSocket = false } = options;
  const folder = await mkdtemp(join(tmpdir(), "isoline-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const backends = await startBackends(...names);
  onTestFinished(() => backends.close());
  const [httpPort, httpsPort, statsPort] = [await freePort(), await freePort(), await freePort()];
  const all = { ...testSettings(httpPort, httpsPort, statsPort, endpoints), ...settings };
  const isoline = await startIsoline(folder, all);
  await isoline.apply("objects", ...backends.objects, ...objects);
  await isoline.start();
  onTestFinished(() => isoline.stop());
  const envoyOptions = { xdsPort: isoline.port, settings: parseSettings(all).settings.spec, adminSocket };
  let envoy = await startEnvoy(envoyOptions);
  onTestFinished(async ({ task }) => {
    if (task.result?.state === "fail") {
      console.error(`--- Isoline\n${isoline.log().slice(-5000)}\n--- Envoy\n${await envoy.log()}`);
    }
    await envoy.stop();
  });
  await eventually(() => envoy.ready(), "Envoy is ready");
  return {
    isoline,
    backends,
    httpPort,
    httpsPort,
    setSettings: (wanted) => isoline.configure({ ...all, ...wanted }),
    get envoy() {
      return envoy;
    },
    restartEnvoy: async () => {
      await envoy.stop();
      envoy = await startEnvoy(envoyOptions);
      return envoy;
    },
  };
}

/** Settings that put every listener on a port of 127.0.0.1, where the backends also are. */
const testSettings = (http: number, https: number, stats: number, endpoints: string): Manifest => ({
  endpoints,
  allowLoopbackEndpoints: true,
  http: { address: "127.0.0.1", port: http },
  https: { address: "127.0.0.1", port: https },
  stats: { address: "127.0.0.1", port: stats },
});
