import { randomBytes } from "node:crypto";
import { closeSync, constants, existsSync, lstatSync, openSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The lock of a file, which lasts until its release or the end of its process. */
export interface FileLock {
  /** Whether the lock still exists. Another machine that shares the folder can't reach the holder and removes the lock. */
  readonly isHeld: boolean;
  release(): void;
}

/** Another live process has the file. */
export class InUse extends Error {}

/** The file system does not support unix sockets. */
export class NoSockets extends Error {}

/** The time to wait for the release of a lock, because its process may be ending. */
const waitMs = 2000;
/** The time that the holder of a lock has for its answer. */
const answerMs = 300;
/** `sun_path` has 108 bytes in Linux and 104 in macOS, including the final NUL. */
const longestPath = 103;

const suffix = /^[0-9a-f]{12}$/;

/**
 * Locks a file. The holder listens on a unix socket `FILE.lock-RANDOM`. When its process ends in any way, the operating
 * system closes the socket and refuses connections, in every container with the folder. Each process creates its socket
 * before it looks for others, so that at least one of two concurrent processes finds the other.
 *
 * @throws InUse, NoSockets, and errors of the file system.
 */
export async function lockFile(path: string): Promise<FileLock> {
  const until = Date.now() + waitMs;
  for (;;) {
    const socket = await listen(path);
    const holder = await holderOf(path, socket.path);
    if (holder === undefined) return lockOf(socket);
    close(socket);
    if (Date.now() >= until) throw new InUse(`${path} is in use by ${holder}`);
    await sleep(20 + 100 * Math.random());
  }
}

interface Socket {
  readonly path: string;
  readonly server: Server;
}

function lockOf(socket: Socket): FileLock {
  return {
    get isHeld() {
      return lstatSync(socket.path, { throwIfNoEntry: false }) !== undefined;
    },
    release: () => close(socket),
  };
}

function close({ path, server }: Socket): void {
  rmSync(path, { force: true });
  server.close();
}

async function listen(path: string): Promise<Socket> {
  const own = `${path}.lock-${randomBytes(6).toString("hex")}`;
  const server = createServer((client) => {
    client.on("error", () => undefined);
    client.end(`process ${process.pid} on ${hostname()}`);
  });
  server.unref();
  await atPath(
    own,
    (place) =>
      new Promise<void>((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) => reject(refused(path, error)));
        server.listen(place, resolve);
      }),
  );
  return { path: own, server };
}

const withoutSockets: ReadonlySet<string | undefined> = new Set([
  "ENOTSUP",
  "EOPNOTSUPP",
  "EPERM",
  "ENOSYS",
  "EINVAL",
]);

const refused = (path: string, error: NodeJS.ErrnoException): Error =>
  withoutSockets.has(error.code)
    ? new NoSockets(
        `the folder of ${path} does not support unix sockets (${error.code}), which lock a store; use a local disk`,
      )
    : error;

/** The process of another live socket; undefined without one. Removes sockets of processes that have ended. */
async function holderOf(path: string, own: string): Promise<string | undefined> {
  const folder = dirname(path);
  const begin = `${basename(path)}.lock-`;
  for (const name of readdirSync(folder)) {
    const other = join(folder, name);
    if (!name.startsWith(begin) || !suffix.test(name.slice(begin.length)) || other === own) continue;
    const holder = await atPath(other, processAt);
    if (holder !== undefined) return holder;
    rmSync(other, { force: true });
  }
  return undefined;
}

/** The process that listens on a socket; undefined when it has ended. A suspended process is `another process`. */
function processAt(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const client = connect(path);
    let text = "";
    const known = (): void => {
      client.destroy();
      resolve(/^process \d+ on [\w.-]{1,253}$/.test(text) ? text : "another process");
    };
    client.setEncoding("utf8").setTimeout(answerMs, known);
    client.on("data", (data: string) => {
      text += data;
      if (text.length > 300) known();
    });
    client.on("end", known);
    client.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (code === "ECONNREFUSED" || code === "ENOENT" || code === "ENOTSOCK") resolve(undefined);
      else known();
    });
  });
}

/** Calls `work` with the path of a socket. A path that is too long is replaced by one through the open folder in /proc. */
async function atPath<T>(path: string, work: (path: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(path) <= longestPath) return work(path);
  if (!existsSync("/proc/self/fd"))
    throw new NoSockets(`${path} is too long for a unix socket (${longestPath} bytes)`);
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await work(`/proc/self/fd/${folder}/${basename(path)}`);
  } finally {
    closeSync(folder);
  }
}
