import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const source = fileURLToPath(new URL("../http3", import.meta.url));
const version = "1";

/** An answer; without a status, `body` is the client's error. */
export interface Http3Answer {
  readonly status: number;
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly certificate: string;
}

interface Asked {
  readonly port: number;
  readonly sni: string;
  readonly host?: string;
  readonly path?: string;
  readonly count?: number;
  readonly body?: number;
}

export type Http3Client = (asked: Asked) => Promise<readonly Http3Answer[]>;

/** The client of test/http3, which is built once; or why it can't be had. */
export function http3Client(): Http3Client | { readonly reason: string } {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "isoline", `http3-${version}`);
  const program = join(folder, "http3");
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    const own = `${program}-${process.pid}`;
    const built = spawnSync("go", ["build", "-o", own, "."], { cwd: source, encoding: "utf8" });
    if (built.status !== 0)
      return {
        reason: `the client for HTTP/3 can't be built: ${built.error?.message ?? built.stderr.trim()}`,
      };
    renameSync(own, program);
  }
  return async ({ port, sni, host = sni, path = "/", count = 1, body = 0 }) => {
    const options = {
      address: `127.0.0.1:${port}`,
      sni,
      host,
      path,
      count: String(count),
      body: String(body),
    };
    const args = Object.entries(options).map(([name, value]) => `-${name}=${value}`);
    const { stdout } = await promisify(execFile)(program, args);
    return JSON.parse(stdout) as Http3Answer[];
  };
}
