import { readFileSync } from "node:fs";
import { isLoopback } from "../server/auth.js";
import { ask } from "./client.js";
import { UsageError } from "./usage.js";

/** Options of requests to a running server. */
export interface ServerAccess {
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly insecure?: boolean;
}

/**
 * The JSON answer of a path of a running server.
 *
 * @throws UsageError as `serverUrl` and `readToken` do.
 * @throws Error when it can't be reached or refuses.
 */
export async function askServer(
  option: string,
  server: string,
  path: string,
  { tokenFile, caFile, insecure }: ServerAccess,
): Promise<unknown> {
  const url = serverUrl(option, server, path, insecure);
  const token = readToken(tokenFile);
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const { status, answer } = await ask(url, { method: "GET", headers, ...(caFile ? { caFile } : {}) });
  if (status === 200) return answer;
  const { detail = "" } = answer as { readonly detail?: string };
  throw new Error(`${url.origin} answers ${status}: ${detail}`);
}

/**
 * The URL of a path of a running server. Tokens are sent to other machines in plain text only with `insecure`.
 *
 * @throws UsageError when the server's URL is not valid, or is plain HTTP to another machine.
 */
export function serverUrl(option: string, server: string, path: string, insecure = false): URL {
  if (!URL.canParse(server) || !/^https?:/.test(server))
    throw new UsageError(`${option} ${server}: expected a URL`);
  const url = new URL(path, server.endsWith("/") ? server : `${server}/`);
  if (url.protocol === "http:" && !isLoopback(url.hostname) && !insecure)
    throw new UsageError(
      `${option} ${server}: manifests and tokens are sent over https; --insecure sends them in plain text`,
    );
  return url;
}

/**
 * The token in a file, or in `$ISOLINE_TOKEN`; empty for none.
 *
 * @throws UsageError when the file has other content.
 */
export function readToken(file: string | undefined): string {
  const token = file ? readFileSync(file, "utf8").trim() : (process.env.ISOLINE_TOKEN ?? "");
  if (/^[\x21-\x7e]*$/.test(token)) return token;
  throw new UsageError(`--token-file ${file}: expected one line with a token`);
}
