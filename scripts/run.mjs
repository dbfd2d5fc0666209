import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Runs a program in the checkout with this terminal and forwards SIGTERM and SIGINT to it. Resolves to its exit code,
 * or to 1 when a signal ended it.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions & { onOutput?: (chunk: Buffer) => void }} options `onOutput`
 *   receives the standard output of the program, which is also printed.
 */
export function run(command, args, { onOutput, ...options } = {}) {
  const stdio = onOutput ? ["inherit", "pipe", "inherit"] : "inherit";
  const child = spawn(command, args, { cwd: root, stdio, ...options });
  child.stdout?.on("data", (chunk) => {
    process.stdout.write(chunk);
    onOutput(chunk);
  });
  const stop = (signal) => child.kill(signal);
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return new Promise((resolve) => {
    child.on("error", (error) => {
      console.error(`isoline: ${command} did not start: ${error.message}`);
      resolve(127);
    });
    child.on("close", (code) => {
      process.off("SIGTERM", stop);
      process.off("SIGINT", stop);
      resolve(code ?? 1);
    });
  });
}

/** Whether this module is the main program. */
export const isMain = (meta) => process.argv[1] === fileURLToPath(meta.url);
