import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findEnvoy } from "../../src/cli/envoy.js";
import { eventually } from "./envoy.js";

const checkout = fileURLToPath(new URL("../..", import.meta.url));

/** What a command printed, in the order in which it did. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** A command that runs on. */
export interface Running {
  readonly command: string;
  readonly output: () => string;
  readonly isRunning: () => boolean;
  /** As Ctrl-C in its terminal; resolves when it has ended. */
  interrupt(): Promise<Ended>;
}

/**
 * A user's machine: its own loopback with every port free, its own /etc, /run and home, a fresh folder to type commands in, and
 * `isoline` and `envoy` on the PATH.
 */
export interface Machine {
  /** The folder in which commands run: a copy of the checkout without its tests. */
  readonly folder: string;
  readonly home: string;
  /** Runs a command line of bash to its end. */
  run(command: string): Promise<Ended>;
  /** As `run`; throws with what it printed unless it exits with 0. */
  must(command: string): Promise<string>;
  /** Starts a command line of bash. */
  start(command: string): Running;
  /** Writes a file of the folder. */
  write(name: string, text: string): void;
  read(name: string): string;
  /** Adds names that lead to 127.0.0.1. */
  addHosts(...names: readonly string[]): void;
  /** Adds a certificate to those that the machine trusts. */
  trust(certificate: string): void;
  /** Ends whatever runs, and removes the folder. */
  stop(): Promise<void>;
}

/** With a user namespace, where this user may not make the others. */
const namespaces = [...(process.getuid?.() === 0 ? [] : ["--map-root-user"]), "--net", "--mount"];

/** Why this machine can hold no other, or undefined when it can. */
export function whyNoMachine(): string | undefined {
  const tried = spawnSync("unshare", [...namespaces, "true"], { encoding: "utf8" });
  if (tried.status === 0) return undefined;
  return `network and mount namespaces can't be made here: ${tried.error?.message ?? tried.stderr.trim()}`;
}

/** Loopback up with addresses for backends; a copy of /etc, and a /run of its own. */
const setUp = (etc: string): string => `
  set -e
  ip link set lo up
  ip addr add 10.0.0.10/32 dev lo
  mount --bind '${etc}' /etc
  mount -t tmpfs tmpfs /run
  echo ready
  exec sleep infinity`;

export async function startMachine(): Promise<Machine> {
  const base = mkdtempSync(join(tmpdir(), "isoline-machine-"));
  const [folder, home, bin, etc] = ["isoline", "home", "bin", "etc"].map((name) => join(base, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const one of [home, bin]) mkdirSync(one);
  copyCheckout(folder);
  execFileSync("cp", ["-a", "/etc", etc], { stdio: "ignore" });
  symlinkSync(join(folder, "dist/isoline.js"), join(bin, "isoline"));
  symlinkSync(await findEnvoy((line) => process.stderr.write(`${line}\n`)), join(bin, "envoy"));
  const holder = spawn("unshare", [...namespaces, "bash", "-c", setUp(etc)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  const enter = [
    "--target",
    String(holder.pid),
    ...namespaces,
    "--preserve-credentials",
    `--wd=${folder}`,
  ].map((one) => (one === "--map-root-user" ? "--user" : one));
  const env = {
    ...process.env,
    HOME: home,
    PATH: `${join(base, "npm/bin")}:${bin}:${process.env.PATH}`,
    XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
    npm_config_prefix: join(base, "npm"),
    npm_config_cache: join(base, "npm-cache"),
    npm_config_update_notifier: "false",
    WRANGLER_SEND_METRICS: "false",
    // What the machine trusts, as Envoy and curl do by themselves: names of the pages stand for public ones.
    NODE_EXTRA_CA_CERTS: "/etc/ssl/certs/ca-certificates.crt",
  };
  const all = new Set<Running>();
  let count = 0;
  const start = (command: string): Running => {
    // A file, as Envoy can't open a /dev/stdout that is a socket, which is what pipes of Node are.
    const file = join(base, `output-${count++}`);
    const out = openSync(file, "a");
    const child = spawn("nsenter", [...enter, "bash", "-c", command], {
      env,
      detached: true,
      stdio: ["ignore", out, out],
    });
    closeSync(out);
    const running = watch(command, child, () => readFileSync(file, "utf8"));
    all.add(running);
    child.once("close", () => all.delete(running));
    return running;
  };
  const run = (command: string): Promise<Ended> => ended(start(command));
  const append = (file: string, text: string): void => writeFileSync(join(etc, file), text, { flag: "a" });
  return {
    folder,
    home,
    run,
    must: async (command) => {
      const { code, output } = await run(command);
      if (code !== 0) throw new Error(`exit ${code}: ${command}\n${output}`);
      return output;
    },
    start,
    write: (name, text) => {
      mkdirSync(join(folder, name, ".."), { recursive: true });
      writeFileSync(join(folder, name), text);
    },
    read: (name) => readFileSync(join(folder, name), "utf8"),
    addHosts: (...names) => append("hosts", `\n127.0.0.1 ${names.join(" ")}\n`),
    trust: (certificate) => append("ssl/certs/ca-certificates.crt", `\n${certificate}\n`),
    stop: async () => {
      await Promise.all([...all].map((one) => one.interrupt()));
      holder.kill("SIGKILL");
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Tests and what git ignores stay behind, except for the installed packages and what is built. */
function copyCheckout(folder: string): void {
  mkdirSync(folder);
  const left = new Set(["test", ".git", "node_modules", ".wrangler", ".isoline", "coverage"]);
  for (const name of readdirSync(checkout))
    if (!left.has(name)) cpSync(join(checkout, name), join(folder, name), { recursive: true });
  symlinkSync(join(checkout, "node_modules"), join(folder, "node_modules"));
}

const endings = new WeakMap<Running, Promise<Ended>>();
const ended = (running: Running): Promise<Ended> =>
  endings.get(running) ?? Promise.reject(new Error("not started"));

function watch(command: string, child: ChildProcess, output: () => string): Running {
  const exited = new Promise<Ended>((done) =>
    child.once("close", (code) => done({ code, output: output() })),
  );
  const signal = (name: NodeJS.Signals): void => {
    // Its whole process group, as a terminal does; a group that has ended is none.
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, name);
  };
  const running: Running = {
    command,
    output,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    interrupt: async () => {
      signal("SIGINT");
      const timer = setTimeout(() => signal("SIGKILL"), 20_000);
      const end = await exited;
      clearTimeout(timer);
      return end;
    },
  };
  endings.set(running, exited);
  return running;
}

/** Waits until a command that runs on has printed what it prints when it is ready. */
export async function untilPrinted(running: Running, pattern: RegExp, withinMs = 60_000): Promise<void> {
  let failure: Error | undefined;
  await eventually(
    async () => {
      if (pattern.test(running.output())) return true;
      if (!running.isRunning()) failure = new Error(`ended: ${running.command}\n${running.output()}`);
      return failure !== undefined;
    },
    `${running.command} prints ${String(pattern)}`,
    withinMs,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${running.output().slice(-3000)}`);
  });
  if (failure) throw failure;
}
