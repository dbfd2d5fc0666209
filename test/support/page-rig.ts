import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../../src/runtime/node/serve.js";
import { discoveryRequest } from "./discovery.js";

/** Tokens by their roles; each is its own text. */
export const pageTokens = {
  read: "read-token",
  admin: "admin-token",
  node: "node-token",
  publish: "ci-token",
} as const;

const lines = Object.entries(pageTokens).map(([role, token]) => {
  const name = role === "publish" ? "ci" : role === "node" ? "edge" : role;
  return `${role} sha256:${createHash("sha256").update(token).digest("hex")} name=${name}`;
});

export interface PageRig {
  readonly url: string;
  /** Pushes objects as a source; `token` is one of the role publish or admin. */
  push(objects: readonly object[] | string, source?: string): Promise<number>;
  /** A poll that is not held. Returns the version of the answer; empty for none. */
  poll(node: string, type: string, version: string, names?: readonly string[]): Promise<string>;
  readonly tokensFile: string;
  stop(): Promise<void>;
}

/** A server with tokens that manifests are pushed to, on a free port of 127.0.0.1; `settings` as in a settings file. */
export async function startPageRig(settings?: object): Promise<PageRig> {
  const folder = await mkdtemp(join(tmpdir(), "isoline-page-"));
  const tokensFile = join(folder, "tokens");
  await writeFile(tokensFile, `${lines.join("\n")}\n`);
  const settingsFile = join(folder, "settings.json");
  if (settings) await writeFile(settingsFile, JSON.stringify(settings));
  const server = await startServer({
    paths: [],
    push: true,
    tokensFile,
    ...(settings ? { settingsFile } : {}),
    host: "127.0.0.1",
    port: 0,
    log: () => undefined,
  });
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await server.close();
    await rm(folder, { recursive: true, force: true });
  };
  const { url } = server;
  const headers = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
  return {
    url,
    tokensFile,
    stop,
    async push(objects, source = "web") {
      const body = typeof objects === "string" ? objects : JSON.stringify(objects);
      const path = `${url}/sources/${source}?accept-shrink`;
      const answer = await fetch(path, { method: "PUT", body, headers: headers(pageTokens.publish) });
      if (!answer.ok) throw new Error(await answer.text());
      return ((await answer.json()) as { readonly revision: number }).revision;
    },
    async poll(node, type, version, names = []) {
      const body = discoveryRequest(node, version, names);
      const answer = await fetch(`${url}/v3/discovery:${type}`, {
        method: "POST",
        body,
        headers: headers(pageTokens.node),
      });
      if (answer.status !== 200) return "";
      return ((await answer.json()) as { readonly version_info: string }).version_info;
    },
  };
}
