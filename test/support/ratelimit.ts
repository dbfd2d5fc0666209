import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { extensionService, type Manifest } from "./backend.js";
import { eventually } from "./envoy.js";
import { freePort, request } from "./http.js";

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "isoline");

/**
 * Envoy's reference rate limit service and the Redis that it counts in, where they have been put on this machine:
 * - `GOBIN=~/.cache/isoline/ratelimit go install github.com/envoyproxy/ratelimit/src/service_cmd@latest`, or `$RATELIMIT`
 * - `redis-server` at `$REDIS_SERVER`, /usr/bin or ~/.cache/isoline/redis/usr/bin (Debian's packages redis-tools,
 *   libjemalloc2 and liblzf1 unpacked there)
 */
function findPrograms(): { readonly ratelimit: string; readonly redis: string } | undefined {
  const ratelimit = [process.env.RATELIMIT, join(cache, "ratelimit", "service_cmd")].find(isExecutable);
  const redis = [
    process.env.REDIS_SERVER,
    "/usr/bin/redis-server",
    join(cache, "redis/usr/bin/redis-server"),
  ];
  const found = redis.find(isExecutable);
  return ratelimit && found ? { ratelimit, redis: found } : undefined;
}

function isExecutable(path: string | undefined): path is string {
  try {
    if (path) accessSync(path, constants.X_OK);
    return Boolean(path);
  } catch {
    return false;
  }
}

const programs = findPrograms();
export const hasRatelimit = programs !== undefined;

/** Starts both with a configuration of the service (YAML); returns the objects of the ExtensionService `infra/rls`. */
export async function startRatelimit(config: string): Promise<readonly Manifest[]> {
  if (!programs) throw new Error("the rate limit service is not on this machine");
  const folder = await mkdtemp(join(tmpdir(), "isoline-ratelimit-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "ratelimit", "config"), { recursive: true });
  await writeFile(join(folder, "ratelimit", "config", "limits.yaml"), config);
  const [redisPort, port, grpcPort, debugPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const libraries = join(
    cache,
    "redis/usr/lib",
    `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`,
  );
  const redisArgs = ["--port", String(redisPort), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  start(programs.redis, redisArgs, { LD_LIBRARY_PATH: libraries });
  // The service exits if Redis is not ready yet.
  await eventually(() => accepts(redisPort), "Redis takes connections");
  const [HOST, GRPC_HOST, DEBUG_HOST] = ["127.0.0.1", "127.0.0.1", "127.0.0.1"];
  start(programs.ratelimit, [], {
    ...{ HOST, GRPC_HOST, DEBUG_HOST },
    PORT: String(port),
    GRPC_PORT: String(grpcPort),
    DEBUG_PORT: String(debugPort),
    USE_STATSD: "false",
    REDIS_SOCKET_TYPE: "tcp",
    REDIS_URL: `127.0.0.1:${redisPort}`,
    RUNTIME_ROOT: folder,
    RUNTIME_SUBDIRECTORY: "ratelimit",
    RUNTIME_WATCH_ROOT: "false",
    LOG_LEVEL: "error",
  });
  const ready = async (): Promise<boolean> => (await request({ port, path: "/healthcheck" })).status === 200;
  await eventually(ready, "the rate limit service is ready");
  return extensionService("rls", grpcPort);
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => socket.end(() => done(true))).once("error", () => done(false));
  });

function start(program: string, args: readonly string[], env: Readonly<Record<string, string>>): void {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: "ignore" });
  const exited = new Promise((done) => child.once("exit", done).once("error", done));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
}
