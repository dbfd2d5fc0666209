import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
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
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findEnvoy } from "../../src/dev/envoy.js";
import { eventually } from "./envoy.js";

const checkout = fileURLToPath(new URL("../..", import.meta.url));

/** The output of a command that has ended, in order. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** A command that keeps running. */
export interface Running {
  readonly command: string;
  readonly output: () => string;
  readonly isRunning: () => boolean;
  readonly ended: Promise<Ended>;
  /** Like Ctrl-C in its terminal; resolves when the command has ended. */
  interrupt(): Promise<Ended>;
}

/** Includes a user namespace if this user may not make the others directly. */
const namespaces = [...(process.getuid?.() === 0 ? [] : ["--map-root-user"]), "--net", "--mount"];

/** Why machines can't be made here; undefined if they can. */
export function whyNoMachine(): string | undefined {
  const tried = spawnSync("unshare", [...namespaces, "true"], { encoding: "utf8" });
  if (tried.status === 0) return undefined;
  return `network and mount namespaces can't be made here: ${tried.error?.message ?? tried.stderr.trim()}`;
}

/**
 * Brings up loopback with an address for backends, and mounts a copy of /etc, an own /run, and the installed packages,
 * which no command changes.
 */
const setUp = ({ etc, folder }: Machine): string => `
  set -e
  ip link set lo up
  ip addr add 10.0.0.10/32 dev lo
  mount --bind '${etc}' /etc
  mount -t tmpfs tmpfs /run
  mount --bind '${join(checkout, "node_modules")}' '${folder}/node_modules'
  mount -o remount,bind,ro '${folder}/node_modules'
  echo ready
  exec sleep infinity`;

/**
 * Makes a machine; requires `unshare` and `nsenter` of util-linux, and `ip`. With `packaged`, its folder has the examples
 * of the packed npm package in place of the checkout, and `isoline` is the package's.
 */
export async function startMachine(packaged = false): Promise<Machine> {
  const base = mkdtempSync(join(tmpdir(), "isoline-machine-"));
  const machine = new Machine(base);
  for (const one of [machine.home, join(base, "bin")]) mkdirSync(one);
  const root = packaged ? installPackage(base, machine.folder) : copyCheckout(machine.folder);
  // Some files may not be readable.
  spawnSync("cp", ["-a", "/etc", machine.etc], { stdio: "ignore" });
  const envoy = await findEnvoy((line) => process.stderr.write(`${line}\n`));
  symlinkSync(envoy, join(base, "bin/envoy"));
  symlinkSync(join(root, "dist/isoline.js"), join(base, "bin/isoline"));
  await machine.boot();
  return machine;
}

/**
 * A user's machine: an own loopback with all ports free, an own /etc, /run and home, a new folder for commands, and
 * `isoline` and `envoy` on the PATH.
 */
export class Machine {
  /** The folder of commands: a copy of the checkout without its tests. */
  readonly folder: string;
  readonly home: string;
  readonly etc: string;
  #holder: ChildProcess | undefined;
  readonly #all = new Set<Running>();
  #count = 0;

  constructor(private readonly base: string) {
    [this.folder, this.home, this.etc] = [join(base, "isoline"), join(base, "home"), join(base, "etc")];
  }

  async boot(): Promise<void> {
    const stdio = ["ignore", "pipe", "inherit"] as const;
    const holder = spawn("unshare", [...namespaces, "bash", "-c", setUp(this)], { stdio: [...stdio] });
    this.#holder = holder;
    await new Promise<void>((done, fail) => {
      holder.stdout.once("data", () => done());
      holder.once("error", fail).once("exit", () => fail(new Error("the namespaces could not be set up")));
    });
  }

  /** Starts a bash command line. */
  start(command: string): Running {
    // A file: Envoy can't open a /dev/stdout that is a socket, as Node's pipes are.
    const file = join(this.base, `output-${this.#count++}`);
    const out = openSync(file, "a");
    const enter = namespaces.map((one) => (one === "--map-root-user" ? "--user" : one));
    const child = spawn(
      "nsenter",
      [
        `--target=${this.#holder?.pid}`,
        ...enter,
        "--preserve-credentials",
        `--wdns=${this.folder}`,
        "bash",
        "-c",
        command,
      ],
      { env: this.#environment(), detached: true, stdio: ["ignore", out, out] },
    );
    closeSync(out);
    const running = watch(command, child, () => readFileSync(file, "utf8"));
    this.#all.add(running);
    child.once("close", () => this.#all.delete(running));
    return running;
  }

  /** The environment without variables of the developer that commands would use. */
  #environment(): NodeJS.ProcessEnv {
    const { ENVOY: _, KUBECONFIG: _config, ISOLINE_TOKEN: _token, ...rest } = process.env;
    return {
      ...rest,
      HOME: this.home,
      PATH: [join(this.base, "npm/bin"), join(this.base, "bin"), process.env.PATH].join(delimiter),
      XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
      npm_config_prefix: join(this.base, "npm"),
      npm_config_cache: join(this.base, "npm-cache"),
      npm_config_update_notifier: "false",
      WRANGLER_SEND_METRICS: "false",
      // The authorities that the machine trusts, as for Envoy and curl: names in the pages are examples of public ones.
      NODE_EXTRA_CA_CERTS: "/etc/ssl/certs/ca-certificates.crt",
    };
  }

  /** Runs a bash command line until it ends; after three minutes it is interrupted as with Ctrl-C. */
  async run(command: string): Promise<Ended> {
    const running = this.start(command);
    const timer = setTimeout(() => void running.interrupt(), 180_000);
    const ended = await running.ended;
    clearTimeout(timer);
    return ended;
  }

  /** Like `run`; throws with the output unless the exit code is 0. */
  async must(command: string): Promise<string> {
    const { code, output } = await this.run(command);
    if (code !== 0) throw new Error(`exit ${code}: ${command}\n${output}`);
    return output;
  }

  /** Writes a file in the folder. */
  write(name: string, text: string): void {
    mkdirSync(join(this.folder, name, ".."), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }

  /** Adds names for 127.0.0.1. */
  addHosts(...names: readonly string[]): void {
    appendFileSync(join(this.etc, "hosts"), `\n127.0.0.1 ${names.join(" ")}\n`);
  }

  /** Adds a trusted certificate. */
  trust(certificate: string): void {
    appendFileSync(join(this.etc, "ssl/certs/ca-certificates.crt"), `\n${certificate}\n`);
  }

  /** Stops all commands, and removes the folder. */
  async stop(): Promise<void> {
    await Promise.all([...this.#all].map((one) => one.interrupt()));
    this.#holder?.kill("SIGKILL");
    rmSync(this.base, { recursive: true, force: true });
  }
}

/** Installs the packed package without the network, and copies its examples. Returns the folder of the package. */
function installPackage(base: string, folder: string): string {
  const npm = (...args: readonly string[]): string =>
    execFileSync("npm", args, { cwd: checkout, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const pack = (from: string): string => {
    // The tests share one build; prepack would repeat it while they run.
    const packed = npm("pack", from, "--ignore-scripts", "--json", "--pack-destination", base);
    return join(base, (JSON.parse(packed) as readonly [{ readonly filename: string }])[0].filename);
  };
  const files = [pack("."), pack("./node_modules/node-sqlite3-wasm")];
  const prefix = join(base, "installed");
  npm("install", "--offline", "--no-audit", "--no-fund", "--prefix", prefix, ...files);
  const root = join(prefix, "node_modules/isoline");
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  cpSync(join(root, "examples"), join(folder, "examples"), { recursive: true });
  return root;
}

/**
 * Copies the checkout without tests and ignored files, but with the installed packages and the build. Returns the
 * folder.
 */
function copyCheckout(folder: string): string {
  mkdirSync(folder);
  const left = new Set(["test", ".git", "node_modules", ".wrangler", ".isoline", "coverage"]);
  for (const name of readdirSync(checkout))
    if (!left.has(name)) cpSync(join(checkout, name), join(folder, name), { recursive: true });
  mkdirSync(join(folder, "node_modules"));
  return folder;
}

function watch(command: string, child: ChildProcess, output: () => string): Running {
  const exited = new Promise<Ended>((done) =>
    child.once("close", (code) => done({ code, output: output() })),
  );
  const signal = (name: NodeJS.Signals): void => {
    // Signals its whole process group, as a terminal does; the group may have ended already.
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, name);
  };
  return {
    command,
    output,
    ended: exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    interrupt: async () => {
      signal("SIGINT");
      const timer = setTimeout(() => signal("SIGKILL"), 20_000);
      const end = await exited;
      clearTimeout(timer);
      return end;
    },
  };
}

/** Waits until the output of a running command matches. */
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
