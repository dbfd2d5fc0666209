import { type ChildProcess, spawn, spawnSync } from "node:child_process";
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
  readonly ended: Promise<Ended>;
  /** As Ctrl-C in its terminal; resolves when it has ended. */
  interrupt(): Promise<Ended>;
}

/** With a user namespace, where this user may not make the others. */
const namespaces = [...(process.getuid?.() === 0 ? [] : ["--map-root-user"]), "--net", "--mount"];

/** Why this machine can hold no other, or undefined when it can. */
export function whyNoMachine(): string | undefined {
  const tried = spawnSync("unshare", [...namespaces, "true"], { encoding: "utf8" });
  if (tried.status === 0) return undefined;
  return `network and mount namespaces can't be made here: ${tried.error?.message ?? tried.stderr.trim()}`;
}

/** Loopback up with an address for backends; a copy of /etc, and a /run of its own; the installed packages, which no command changes. */
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

/** Makes one; needs `unshare` and `nsenter` of util-linux, and `ip`. */
export async function startMachine(): Promise<Machine> {
  const base = mkdtempSync(join(tmpdir(), "isoline-machine-"));
  const machine = new Machine(base);
  for (const one of [machine.home, join(base, "bin")]) mkdirSync(one);
  copyCheckout(machine.folder);
  // Not all of it may be readable.
  spawnSync("cp", ["-a", "/etc", machine.etc], { stdio: "ignore" });
  const envoy = await findEnvoy((line) => process.stderr.write(`${line}\n`));
  symlinkSync(envoy, join(base, "bin/envoy"));
  symlinkSync(join(machine.folder, "dist/isoline.js"), join(base, "bin/isoline"));
  await machine.boot();
  return machine;
}

/**
 * A user's machine: its own loopback with every port free, its own /etc, /run and home, a fresh folder to type commands in, and
 * `isoline` and `envoy` on the PATH.
 */
export class Machine {
  /** The folder in which commands run: a copy of the checkout without its tests. */
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

  /** Starts a command line of bash. */
  start(command: string): Running {
    // A file, as Envoy can't open a /dev/stdout that is a socket, which is what pipes of Node are.
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

  /** Nothing of the developer's own that commands would take. */
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
      // What the machine trusts, as Envoy and curl do by themselves: names of the pages stand for public ones.
      NODE_EXTRA_CA_CERTS: "/etc/ssl/certs/ca-certificates.crt",
    };
  }

  /** Runs a command line of bash to its end; after three minutes as if the user pressed Ctrl-C. */
  async run(command: string): Promise<Ended> {
    const running = this.start(command);
    const timer = setTimeout(() => void running.interrupt(), 180_000);
    const ended = await running.ended;
    clearTimeout(timer);
    return ended;
  }

  /** As `run`; throws with what it printed unless it exits with 0. */
  async must(command: string): Promise<string> {
    const { code, output } = await this.run(command);
    if (code !== 0) throw new Error(`exit ${code}: ${command}\n${output}`);
    return output;
  }

  /** Writes a file of the folder. */
  write(name: string, text: string): void {
    mkdirSync(join(this.folder, name, ".."), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }

  /** Adds names that lead to 127.0.0.1. */
  addHosts(...names: readonly string[]): void {
    appendFileSync(join(this.etc, "hosts"), `\n127.0.0.1 ${names.join(" ")}\n`);
  }

  /** Adds a certificate to those that the machine trusts. */
  trust(certificate: string): void {
    appendFileSync(join(this.etc, "ssl/certs/ca-certificates.crt"), `\n${certificate}\n`);
  }

  /** Ends whatever runs, and removes the folder. */
  async stop(): Promise<void> {
    await Promise.all([...this.#all].map((one) => one.interrupt()));
    this.#holder?.kill("SIGKILL");
    rmSync(this.base, { recursive: true, force: true });
  }
}

/** Tests and what git ignores stay behind, except for the installed packages and what is built. */
function copyCheckout(folder: string): void {
  mkdirSync(folder);
  const left = new Set(["test", ".git", "node_modules", ".wrangler", ".isoline", "coverage"]);
  for (const name of readdirSync(checkout))
    if (!left.has(name)) cpSync(join(checkout, name), join(folder, name), { recursive: true });
  mkdirSync(join(folder, "node_modules"));
}

function watch(command: string, child: ChildProcess, output: () => string): Running {
  const exited = new Promise<Ended>((done) =>
    child.once("close", (code) => done({ code, output: output() })),
  );
  const signal = (name: NodeJS.Signals): void => {
    // Its whole process group, as a terminal does; a group that has ended is none.
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
