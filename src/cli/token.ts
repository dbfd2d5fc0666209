import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { appendPrivateFile, replacePrivateFile } from "../platform/private-file.js";
import { digestOf, parseTokens, type Role } from "../server/tokens.js";
import { tokenFileFor } from "../xds/bootstrap.js";
import { UsageError } from "./usage.js";

/** The options of `isoline token`, as commander passes them. */
export interface TokenCommandOptions {
  readonly name?: string;
  readonly fleet?: string;
  readonly nodes?: string;
  readonly source?: string;
  readonly namespaces?: string;
  readonly until?: string;
  readonly file?: string;
  readonly envoyFile?: string;
}

const keys = ["name", "fleet", "nodes", "source", "namespaces", "until"] as const;

/**
 * `isoline token ROLE`: writes a new token to standard output, and its line for the server to the file, or to standard
 * error.
 *
 * @throws UsageError when an option is not valid.
 */
export async function tokenCommand(role: Role, options: TokenCommandOptions): Promise<void> {
  const token = `isoline_${role}_${randomBytes(32).toString("base64url")}`;
  const words = keys.flatMap((key) => (options[key] === undefined ? [] : [`${key}=${options[key]}`]));
  const line = [role, `sha256:${await digestOf(token)}`, ...words].join(" ");
  const { errors, warnings } = parseTokens(line);
  if (errors[0]) throw new UsageError(errors[0].replace(/^line 1: /, ""));
  for (const warning of warnings) console.error(warning.replace(/^line 1: /, ""));
  if (options.file) appendLine(options.file, line);
  else console.error(`the line for the server, which stores no tokens:\n${line}`);
  if (options.envoyFile) replacePrivateFile(options.envoyFile, [`${tokenFileFor(token)}\n`]);
  console.log(token);
}

function appendLine(path: string, line: string): void {
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  appendPrivateFile(path, `${before === "" || before.endsWith("\n") ? "" : "\n"}${line}\n`);
}

/**
 * `isoline token revoke NAME`: removes every token with this name from the file.
 *
 * @throws UsageError when there is none.
 */
export function revokeCommand(name: string, file: string): void {
  const lines = readFileSync(file, "utf8").split("\n");
  const kept = lines.filter((line) => parseTokens(line).entries[0]?.name !== name);
  const count = lines.length - kept.length;
  if (count === 0) throw new UsageError(`${file} has no token with name=${name}`);
  replacePrivateFile(file, [kept.join("\n")]);
  console.error(
    `${count === 1 ? "one token is" : `${count} tokens are`} revoked; a running server notices within a second`,
  );
}
