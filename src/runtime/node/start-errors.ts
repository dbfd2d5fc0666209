import { readFileSync } from "node:fs";
import { messageOf } from "../../schema/words.js";

const codeOf = (error: unknown): string => (error as { readonly code?: string }).code ?? "";

/**
 * Reads a file that an option names.
 *
 * @throws Error with the option, the file, the reason, and the remedy.
 */
export function readOptionFile(option: string, path: string, advice: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const why = messageOf(error).replace(/, \w+( '.*')?$/, "");
    throw new Error(`${option} ${path} can't be read (${why}): ${advice}`);
  }
}

const listenAdvice: Readonly<Record<string, string>> = {
  EADDRINUSE: "another process has this port; end it, or give another port",
  EACCES: "this port requires more rights; give one above 1023",
  EADDRNOTAVAIL: "this machine does not have this address; give one of its own, or 0.0.0.0 for all",
  ENOTFOUND: "this name has no address; give an address of this machine",
  EAI_AGAIN: "this name can't be looked up now; give an address of this machine",
};

/** Why a server can't listen, in one line with the remedy. */
export const listenError = (host: string, port: number, error: unknown): Error =>
  new Error(
    `--listen ${host.includes(":") ? `[${host}]` : host}:${port}: ${listenAdvice[codeOf(error)] ?? messageOf(error)}`,
  );
