import { randomBytes } from "node:crypto";
import { closeSync, constants, existsSync, lstatSync, openSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The lock of a file, until it is released or its process ends. */
export interface FileLock {
  /** Whether it is still there: another machine that shares the folder can't see that its holder lives, and takes it away. */
  readonly isHeld: boolean;
  release(): void;
}

/** A process that lives has the file. */
export class InUse extends Error {}

/** The file system makes no sockets. */
export class NoSockets extends Error {}

/** How long a process that holds the lock is waited for, as it may be ending. */
const patienceMs = 2000;
/** How long a process that holds the lock has to say who it is. */
const answerMs = 300;
/** `sun_path` holds 108 bytes in Linux and 104 in macOS, the last of which ends it. */
const longestPath = 103;

const suffix = /^[0-9a-f]{12}$/;

/**
 * Takes the lock of a file. Who has it listens on a unix socket `FILE.lock-RANDOM`: the operating system closes it when the process
 * ends, in whichever way, and refuses connections from then on, in every container that has the folder. Each process makes its
 * socket first and looks for others then, so that of two that come at a time at least one sees the other.
 *
 * @throws InUse, NoSockets, and the system's errors.
 */
export async function lockFile(path: string): Promise<FileLock> {
  const until = Date.now() + patienceMs;
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
        `the folder of ${path} takes no unix sockets (${error.code}), by which a store is locked; put it on a local disk`,
      )
    : error;

/** Who else has a socket that is alive; removes those whose process has ended. */
async function holderOf(path: string, own: string): Promise<string | undefined> {
  const folder = dirname(path);
  const begin = `${basename(path)}.lock-`;
  for (const name of readdirSync(folder)) {
    const other = join(folder, name);
    if (!name.startsWith(begin) || !suffix.test(name.slice(begin.length)) || other === own) continue;
    const holder = await atPath(other, whoListens);
    if (holder !== undefined) return holder;
    rmSync(other, { force: true });
  }
  return undefined;
}

/** Who listens on a socket; undefined when its process has ended. One that is stopped does not say who it is. */
function whoListens(path: string): Promise<string | undefined> {
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

/** Does something with a socket's path; one that is too long for the system is named from the folder, which is held open. */
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
