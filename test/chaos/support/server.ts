import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { eventually } from "../../support/envoy.js";
import { request } from "../../support/http.js";

/** The command line under test: `$ISOLINE`, or the last build. */
export const isoline = process.env.ISOLINE ?? fileURLToPath(new URL("../isoline.js", import.meta.url));

interface Type {
  readonly version: string;
  readonly resources: number;
}

/** The part of `GET /status` that experiments read. */
interface Status {
  readonly phase: string;
  readonly types: Readonly<Record<string, Type>>;
  readonly sources?: readonly { readonly kinds?: Readonly<Record<string, { readonly state: string }>> }[];
}

/** A server as a separate process, so that it can be killed, stopped and given another clock. */
export class ServerProcess {
  #child: ChildProcess | undefined;
  #log = "";

  constructor(
    readonly port: number,
    readonly args: readonly string[],
    readonly env: Readonly<Record<string, string>> = {},
    /** A program that runs it, such as `unshare` with its flags. */
    readonly prefix: readonly string[] = [],
  ) {}

  /** Starts the process, without waiting until it is ready. */
  start(): void {
    const own = [process.execPath, isoline, "serve", "--listen", `127.0.0.1:${this.port}`, ...this.args];
    const [command = "", ...args] = [...this.prefix, ...own];
    const child = spawn(command, args, {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...this.env },
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.#log += chunk.toString();
    });
    this.#child = child;
  }

  /** Starts it and waits until it is ready. Returns the ms that this took; null if not in time. */
  async startReady(withinMs = 30_000): Promise<number | null> {
    const began = performance.now();
    this.start();
    return this.untilReady(withinMs, began);
  }

  /** Starts it. Returns the ms from its first answer until it is ready, and the total. */
  async startTimed(
    withinMs: number,
  ): Promise<{ readonly afterRunning: number | null; readonly whole: number | null }> {
    const began = performance.now();
    this.start();
    const runs = async (): Promise<boolean> => (await this.#ask("/healthz")).status === 200;
    const running = await eventually(runs, "the server runs", withinMs).then(
      () => performance.now(),
      () => undefined,
    );
    const whole = await this.untilReady(running === undefined ? 1 : withinMs, began);
    if (whole === null || running === undefined) return { afterRunning: null, whole: null };
    return { afterRunning: Math.max(0, Math.round(began + whole - running)), whole };
  }

  async untilReady(withinMs: number, began = performance.now()): Promise<number | null> {
    const ready = async (): Promise<boolean> => (await this.#ask("/readyz")).status === 200;
    return eventually(ready, "the server is ready", withinMs).then(
      () => Math.round(performance.now() - began),
      () => null,
    );
  }

  #ask(path: string): ReturnType<typeof request> {
    return request({ port: this.port, path });
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** `SIGSTOP` and `SIGCONT`. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(signal);
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (!child || !this.running) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(late);
  }

  async restart(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    await this.end(signal);
    this.start();
  }

  async status(): Promise<Status> {
    return JSON.parse((await this.#ask("/status")).body) as Status;
  }

  async ready(): Promise<boolean> {
    return (await this.#ask("/readyz").catch(() => undefined))?.status === 200;
  }

  /** Kinds that are not followed at the moment, with their states. */
  async notSynced(): Promise<string[]> {
    const { sources = [] } = await this.status();
    return sources
      .flatMap(({ kinds = {} }) => Object.entries(kinds))
      .filter(([, { state }]) => state !== "synced" && state !== "absent")
      .map(([kind, { state }]) => `${kind} ${state}`);
  }

  /** The sum of a metric over all labels; 0 if it does not exist. */
  async metric(name: string): Promise<number> {
    const { body } = await this.#ask("/metrics");
    const lines = body.split("\n").filter((line) => new RegExp(`^isoline_${name}[ {]`).test(line));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  /** Resident memory in MB. */
  rssMb(): number {
    const text = readFileSync(`/proc/${this.#child?.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024;
  }

  get log(): string {
    return this.#log;
  }
}
