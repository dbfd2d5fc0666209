import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { eventually } from "./envoy.js";

/** A line of the log of a server. */
export interface LogLine {
  readonly event: string;
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface ServeProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** The lines so far that are JSON. */
  lines(): readonly LogLine[];
  output(): string;
  /** Waits for a line of an event. */
  line(event: string, isMeant?: (line: LogLine) => boolean): Promise<LogLine>;
  /** Ends it by SIGTERM, and waits until it has ended. */
  stop(): Promise<void>;
}

/** Starts `isoline serve` as a process, waits until it serves, and ends it with the test. */
export async function startServe(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ServeProcess> {
  const command = join(import.meta.dirname, "../../dist/isoline.js");
  const child = spawn(process.execPath, [command, "serve", ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let output = "";
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await exited;
  };
  onTestFinished(stop);
  await eventually(async () => {
    expect(child.exitCode, output).toBe(null);
    return output.includes("isoline serves xDS on");
  }, "the command serves");
  const lines = (): readonly LogLine[] =>
    output
      .split("\n")
      .slice(0, -1)
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as LogLine);
  return {
    url: /isoline serves xDS on (http[^\s"]+)/.exec(output)?.[1] ?? "",
    child,
    lines,
    output: () => output,
    async line(event, isMeant = () => true) {
      const find = (): LogLine | undefined => lines().find((line) => line.event === event && isMeant(line));
      await eventually(async () => find() !== undefined, `a line of the event ${event}`);
      return find() as LogLine;
    },
    stop,
  };
}
