import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { freePort } from "../support/http.js";
import { applications } from "./apps.js";

const polls = 2000;
/** Clusters of the server: as many as the peer has. */
const clusters = 1000;
/** Of `/proc/PID/stat`, in Linux. */
const msPerTick = 10;

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Posts over one connection that is kept. */
function client(port: number): (body: Buffer, headers?: Record<string, string>) => Promise<Answer> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return (body, more = {}) =>
    new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json", "content-length": body.length, ...more };
      const path = "/v3/discovery:clusters";
      const sent = request({ host: "127.0.0.1", port, method: "POST", path, agent, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
        );
      });
      sent.on("error", reject).end(body);
    });
}

/** CPU time of a process, user and system, in milliseconds. */
function cpuMs(pid: number): number {
  const [, after = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const fields = after.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
}

/** CPU microseconds of a server process for a poll with nothing new; also with a compressed body, where it takes one. */
async function measure(
  server: ChildProcess,
  port: number,
  body: string,
  gzip: boolean,
): Promise<Record<string, number>> {
  const post = client(port);
  const { version_info: version } = JSON.parse((await post(Buffer.from(body))).text) as {
    version_info: string;
  };
  const current = Buffer.from(`{"version_info":"${version}",${body.slice(1)}`);
  const time = async (bytes: Buffer, headers: Record<string, string> = {}): Promise<number> => {
    for (let i = 0; i < 2 * polls; i++) {
      const { status } = await post(bytes, headers);
      if (status !== 304) throw new Error(`a poll was answered with ${status}`);
    }
    const before = cpuMs(server.pid ?? 0);
    for (let i = 0; i < polls; i++) await post(bytes, headers);
    return ((cpuMs(server.pid ?? 0) - before) * 1000) / polls;
  };
  return {
    outside_unchanged_poll_cpu_us: await time(current),
    ...(gzip
      ? { outside_unchanged_gzip_poll_cpu_us: await time(gzipSync(current), { "content-encoding": "gzip" }) }
      : {}),
  };
}

/**
 * The CPU time of whole server processes, seen from outside: `isoline serve` and the peer, each with a thousand
 * clusters, posted to by this process over one kept connection.
 */
export async function measureOutside(
  folder: string,
  body: string,
  peer: readonly [program: string, bodyFile: string] | undefined,
) {
  writeFileSync(join(folder, "apps.jsonl"), applications(clusters));
  const port = await freePort();
  const args = ["dist/isoline.js", "serve", "-f", folder, "--listen", `127.0.0.1:${port}`];
  const own = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  const other = peer ? spawn(peer[0], [peer[1], "serve"]) : undefined;
  try {
    await firstLine(own.stderr);
    const isoline = await measure(own, port, body, true);
    const goControlPlane =
      other && (await measure(other, Number(await firstLine(other.stdout)), body, false));
    return { isoline, goControlPlane };
  } finally {
    for (const child of [own, other]) child?.kill("SIGKILL");
  }
}

async function firstLine(stream: Readable | null): Promise<string> {
  if (!stream) return "";
  const [line] = (await once(createInterface(stream), "line")) as [string];
  return line;
}
