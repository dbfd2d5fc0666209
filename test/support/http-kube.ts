import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Manifest } from "./backend.js";
import { freePort } from "./http.js";

interface Stored {
  readonly plural: string;
  readonly object: Manifest;
}

const keyOf = (plural: string, { metadata }: Manifest): string => {
  const { namespace = "", name = "" } = metadata as Record<string, string>;
  return `${plural}/${namespace}/${name}`;
};

/** An in-memory API server over HTTP, with lists and long watches. */
export class HttpKube {
  readonly kubeconfig: string;
  /** Collections whose CRD does not exist. */
  readonly absent = new Set<string>();
  /** Requests whose path contains this are forbidden. */
  fail: string | undefined;
  /** Requested paths with their query. */
  readonly requests: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "isoline-http-kube-"));
  readonly #objects = new Map<string, Stored>();
  readonly #watches = new Set<{ readonly plural: string; readonly response: ServerResponse }>();
  #version = 100;
  #server: Server | undefined;

  private constructor(private readonly port: number) {
    this.kubeconfig = join(this.#folder, "config.json");
    const cluster = {
      name: "one",
      cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true },
    };
    const context = { name: "one", context: { cluster: "one", user: "one" } };
    const config = {
      clusters: [cluster],
      contexts: [context],
      users: [{ name: "one", user: {} }],
      "current-context": "one",
    };
    writeFileSync(this.kubeconfig, JSON.stringify({ apiVersion: "v1", kind: "Config", ...config }));
  }

  static async start(): Promise<HttpKube> {
    const made = new HttpKube(await freePort());
    await made.start();
    return made;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => this.#answer(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.port, "127.0.0.1", resolve));
  }

  /** Like a crash: closes connections and the port. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    this.#watches.clear();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  put(plural: string, object: Manifest): void {
    const key = keyOf(plural, object);
    const type = this.#objects.has(key) ? "MODIFIED" : "ADDED";
    const metadata = { ...(object.metadata as object), resourceVersion: String(++this.#version) };
    const stored = { plural, object: { ...object, metadata } };
    this.#objects.set(key, stored);
    for (const { plural: watched, response } of this.#watches)
      if (watched === plural) response.write(`${JSON.stringify({ type, object: stored.object })}\n`);
  }

  #answer({ url = "" }: IncomingMessage, response: ServerResponse): void {
    this.requests.push(url);
    const plural = /\/([a-z]+)\?/.exec(url)?.[1] ?? "";
    if (this.absent.has(plural)) {
      response.writeHead(404).end(JSON.stringify({ kind: "Status", code: 404, message: "no" }));
      return;
    }
    if (this.fail && url.includes(this.fail)) {
      response.writeHead(403).end(JSON.stringify({ kind: "Status", code: 403, message: "no" }));
      return;
    }
    const [, namespace, kind, name] = /\/namespaces\/([^/]+)\/([a-z]+)\/([^/?]+)$/.exec(url) ?? [];
    if (kind && name) {
      const one = this.#objects.get(keyOf(kind, { metadata: { namespace, name } }));
      response.writeHead(one ? 200 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify(one?.object ?? { kind: "Status", code: 404, message: "no" }));
      return;
    }
    response.writeHead(200, { "content-type": "application/json" });
    if (!url.includes("watch=1")) {
      const items = [...this.#objects.values()].filter((stored) => stored.plural === plural);
      const metadata = { resourceVersion: String(this.#version) };
      response.end(JSON.stringify({ metadata, items: items.map(({ object }) => object) }));
      return;
    }
    response.flushHeaders();
    const watch = { plural, response };
    this.#watches.add(watch);
    const from = Number(/resourceVersion=(\d+)/.exec(url)?.[1]);
    for (const { plural: kept, object } of this.#objects.values())
      if (kept === plural && Number((object.metadata as Record<string, string>).resourceVersion) > from)
        response.write(`${JSON.stringify({ type: "MODIFIED", object })}\n`);
    response.on("close", () => this.#watches.delete(watch));
  }
}
