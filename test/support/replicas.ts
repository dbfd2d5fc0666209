import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Manifest } from "./backend.js";
import { eventually } from "./envoy.js";
import { freePort } from "./http.js";

const command = join(import.meta.dirname, "../../dist/isoline.js");

/** A server process on the files that all replicas follow. */
interface Replica {
  readonly port: number;
  /** Like a machine that hangs: no response, and no connection is closed. */
  pause(): void;
  resume(): void;
  /** Like a crash. */
  kill(): Promise<void>;
  log(): string;
}

/** Replicas behind a balancer that forwards each connection to the next one, as a Kubernetes Service does. */
export interface Replicas {
  /** The port of the balancer, which Envoys poll. */
  readonly port: number;
  readonly all: readonly Replica[];
  /** Writes a file of manifests atomically. */
  apply(file: string, ...objects: readonly Manifest[]): Promise<void>;
  /** The number of connections that the balancer has made. */
  connections(): number;
}

interface ReplicasOptions {
  readonly folder: string;
  readonly settings: Manifest;
  readonly objects: readonly Manifest[];
  /** For each replica, how far its clock is ahead (s). */
  readonly clocks?: readonly number[];
}

/** Starts the built command twice, and stops all when the test ends. */
export async function startReplicas(options: ReplicasOptions): Promise<Replicas> {
  const { folder, settings, objects, clocks = [0, 0] } = options;
  const manifests = join(folder, "manifests");
  await mkdir(manifests);
  await writeFile(join(folder, "settings.json"), JSON.stringify(settings));
  const apply = async (file: string, ...items: readonly Manifest[]): Promise<void> => {
    await writeFile(join(folder, "new"), JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    await rename(join(folder, "new"), join(manifests, `${file}.json`));
  };
  await apply("objects", ...objects);
  const all = await Promise.all(clocks.map((ahead) => startReplica(folder, ahead)));
  const balancer = await startBalancer(all.map(({ port }) => port));
  return { ...balancer, all, apply };
}

/** A server on the manifests of a folder, whose clock is this many seconds ahead. */
async function startReplica(folder: string, ahead: number): Promise<Replica> {
  const port = await freePort();
  const files = ["-f", join(folder, "manifests"), "--settings", join(folder, "settings.json")];
  const clock = `data:text/javascript,const now=Date.now;Date.now=()=>now()+${ahead * 1000}`;
  const args = ["--import", clock, command, "serve", ...files, "--listen", `127.0.0.1:${port}`];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(kill);
  await eventually(async () => output.includes("isoline serves xDS on"), `a replica serves: ${output}`);
  return {
    port,
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    kill,
    log: () => output,
  };
}

/** A TCP balancer on 127.0.0.1: a connection goes to the next port that accepts it. */
async function startBalancer(
  ports: readonly number[],
): Promise<{ readonly port: number; connections(): number }> {
  let next = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect({ host: "127.0.0.1", port: ports[next++ % ports.length] ?? 0 });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : 0,
    connections: () => next,
  };
}
