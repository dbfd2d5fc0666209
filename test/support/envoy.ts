import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type EnvoyProcess, envoyVersion, findEnvoy, runEnvoy } from "../../src/dev/envoy.js";
import type { Bootstrap } from "../../src/gen/envoy.js";
import type { SettingsSpec } from "../../src/schema/settings.js";
import { type AdminPlace, tokenFileFor, writeBootstrap } from "../../src/xds/bootstrap.js";
import type { EnvoyVersion } from "../../src/xds/envoy-version.js";
import { type Answer, freePort, request } from "./http.js";

/** A real Envoy under test. */
export interface TestEnvoy {
  readonly pid: number;
  /** The admin interface, as commands take it. */
  readonly adminUrl: string;
  /** Sends a request to the admin interface. */
  ask(path: string): Promise<Answer>;
  /** Whether `/ready` of the admin interface responds with 200. */
  ready(): Promise<boolean>;
  /** Counters and gauges whose name matches. */
  stats(pattern: RegExp): Promise<Map<string, number>>;
  /** `/config_dump`, parsed. */
  configDump(): Promise<unknown>;
  /** Stats of refused configuration that are not 0: empty if all was accepted. */
  rejected(): Promise<string[]>;
  /** The end of its log. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

export interface EnvoyOptions {
  readonly xdsPort: number;
  readonly nodeId?: string;
  /** Whether the admin interface is a unix socket, `admin.sock` in Envoy's folder. */
  readonly adminSocket?: boolean;
  /** Sent with each poll. */
  readonly token?: string;
  /** A secret file that contains the token. */
  readonly tokenFile?: string;
  /** The source of runtime values. */
  readonly settings?: SettingsSpec;
  readonly maxHeapBytes?: number;
  readonly maxConnections?: number;
  /** The pause between two polls for clusters and listeners is 1 to 2 times as long. */
  readonly refreshDelay?: `${number}s`;
  /** Uses HTTP/1.1 with one connection per poll, for servers without HTTP/2 over plain TCP, such as workerd. */
  readonly http1?: boolean;
  /** Makes the bootstrap, in place of these options, for an admin interface on a port. */
  readonly bootstrap?: (adminPort: number) => Promise<Bootstrap>;
  /** More command line flags. */
  readonly flags?: readonly string[];
}

/** Starts an Envoy on a free admin port that polls `127.0.0.1:xdsPort`; does not wait until it is ready. */
export async function startEnvoy(options: EnvoyOptions): Promise<TestEnvoy> {
  const binary = await findEnvoy((line) => process.stderr.write(`${line}\n`));
  const folder = await mkdtemp(join(tmpdir(), "isoline-envoy-"));
  const socket = join(folder, "admin.sock");
  const [admin, place] = options.adminSocket ? [{ socket }, { socketPath: socket }] : await tcpAdmin();
  const tokenFile = options.token === undefined ? options.tokenFile : join(folder, "token.json");
  if (tokenFile && options.token) await writeFile(tokenFile, tokenFileFor(options.token));
  const own = async (): Promise<Bootstrap> =>
    writeBootstrap({
      xdsUrl: `http://127.0.0.1:${options.xdsPort}`,
      nodeId: options.nodeId ?? "test",
      nodeCluster: "test",
      admin,
      envoy: await envoyVersion(binary),
      ...(tokenFile === undefined ? {} : { tokenFile }),
      ...(options.maxHeapBytes === undefined ? {} : { maxHeapBytes: options.maxHeapBytes }),
      ...(options.maxConnections === undefined ? {} : { maxConnections: options.maxConnections }),
      ...(options.settings === undefined ? {} : { settings: options.settings }),
      ...(options.http1 ? { http1: true } : {}),
      ...(options.refreshDelay === undefined ? {} : { refreshDelay: options.refreshDelay }),
    });
  const bootstrap = options.bootstrap && "port" in admin ? await options.bootstrap(admin.port) : await own();
  const envoy = await runEnvoy(binary, folder, bootstrap, 1, options.flags);
  const ask = (path: string): Promise<Answer> => request({ ...place, path });
  await Promise.race([untilAdmin(ask), failWhenEnded(envoy, folder)]);
  const adminUrl = "port" in place ? `http://127.0.0.1:${place.port}` : `unix:${socket}`;
  return testEnvoy(envoy, folder, { ask, adminUrl });
}

async function tcpAdmin(): Promise<readonly [AdminPlace, { readonly port: number }]> {
  const port = await freePort();
  return [{ address: "127.0.0.1", port }, { port }];
}

function testEnvoy(
  envoy: EnvoyProcess,
  folder: string,
  { ask, adminUrl }: Pick<TestEnvoy, "ask" | "adminUrl">,
): TestEnvoy {
  const stats = async (pattern: RegExp): Promise<Map<string, number>> =>
    parseStats((await ask("/stats")).body, pattern);
  return {
    pid: envoy.pid,
    adminUrl,
    ask,
    stats,
    ready: async () => (await ask("/ready")).status === 200,
    configDump: async () => JSON.parse((await ask("/config_dump?include_eds")).body) as unknown,
    rejected: async () =>
      [...(await stats(/update_rejected$/))].filter(([, n]) => n > 0).map(([name]) => name),
    log: () => readLog(folder),
    stop: async () => {
      await envoy.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilAdmin(ask: TestEnvoy["ask"]): Promise<void> {
  await eventually(async () => {
    await ask("/server_info");
    return true;
  }, "Envoy's admin interface answers");
}

async function failWhenEnded(envoy: EnvoyProcess, folder: string): Promise<never> {
  const code = await envoy.exited;
  throw new Error(`Envoy ended (${code}):\n${await readLog(folder)}`);
}

/** The last lines, without the access log. */
async function readLog(folder: string): Promise<string> {
  const text = await readFile(join(folder, "envoy.log"), "utf8").catch(() => "");
  const noise = /^\[[^\]]+\] "|server\.cc:(467|544|547)\]|\[info\]\[(upstream|lua|config)\]/;
  const lines = text.split("\n").filter((line) => !noise.test(line));
  return lines
    .slice(-40)
    .map((line) => line.slice(0, 1500))
    .join("\n");
}

function parseStats(text: string, pattern: RegExp): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [name, value] = line.split(": ");
    if (name !== undefined && value !== undefined && /^\d+$/.test(value) && pattern.test(name)) {
      found.set(name, Number(value));
    }
  }
  return found;
}

/** The version of the Envoy in tests. */
export const testedEnvoy = async (): Promise<EnvoyVersion> =>
  envoyVersion(await findEnvoy((line) => process.stderr.write(`${line}\n`)));

/** Waits until `check` returns true. An error counts as false, and is included in the message at the timeout. */
export async function eventually(
  check: () => Promise<boolean>,
  what: string,
  withinMs = 60_000,
): Promise<void> {
  let last: unknown;
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await sleep(25)) {
    try {
      last = undefined;
      if (await check()) return;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`not within ${withinMs} ms: ${what}`, { cause: last });
}
