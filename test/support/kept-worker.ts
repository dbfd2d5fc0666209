import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { Miniflare } from "miniflare";
import { onTestFinished } from "vitest";
import { freePort } from "./http.js";
import { compatibility } from "./wrangler.js";

/** The built Worker with a folder that persists between runs. */
export interface KeptWorker<Body> {
  readonly folder: string;
  /** Log lines. */
  readonly lines: readonly string[];
  /** Runs the Worker while `work` runs. */
  running<T>(work: () => Promise<T>): Promise<T>;
  ask(path: string, token?: string, init?: RequestInit): Promise<{ status: number; body: Body }>;
}

/** `rest` is appended to the token's line. */
export async function keptWorker<Body>(
  tokens: readonly { readonly role: string; readonly token: string; readonly rest?: string }[],
): Promise<KeptWorker<Body>> {
  const folder = mkdtempSync(join(tmpdir(), "isoline-worker-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const lines: string[] = [];
  const tokenLines = tokens.map(
    ({ role, token, rest = "" }) =>
      `${role} sha256:${createHash("sha256").update(token).digest("hex")} name=${token} ${rest}`,
  );
  const running = async <T>(work: () => Promise<T>): Promise<T> => {
    const worker = new Miniflare({
      host: "127.0.0.1",
      port,
      modules: [
        {
          type: "ESModule",
          path: "worker.js",
          contents: readFileSync(new URL("../../dist/worker.js", import.meta.url), "utf8"),
        },
      ],
      ...compatibility,
      durableObjects: { FLEET: { className: "Fleet", useSQLite: true } },
      durableObjectsPersist: folder,
      bindings: { ISOLINE_INSECURE: "1", ISOLINE_TOKENS: tokenLines.join("\n") },
      handleRuntimeStdio: (_: Readable, stderr: Readable) =>
        void stderr.on("data", (data: Buffer) => lines.push(data.toString())),
    });
    try {
      await worker.ready;
      return await work();
    } finally {
      await worker.dispose();
    }
  };
  return {
    folder,
    lines,
    running,
    async ask(path, token = "", init = {}) {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
      return { status: answer.status, body: (await answer.json()) as Body };
    },
  };
}
