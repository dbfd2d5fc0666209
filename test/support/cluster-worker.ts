import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { Miniflare, Response } from "miniflare";
import { certificate, type Manifest } from "./backend.js";
import { compatibility } from "./wrangler.js";

/** A line of `ISOLINE_TOKENS`. */
export const tokenLine = (role: string, token: string): string =>
  `${role} sha256:${createHash("sha256").update(token).digest("hex")}`;

interface ClusterWorkerOptions {
  readonly port: number;
  /** The storage of the object, which persists between runs. */
  readonly folder: string;
  /** A kubeconfig of the API server; its credentials are not used. */
  readonly kubeconfig: string;
  /** The bearer token of the Worker for the API server. */
  readonly kubeToken: string;
  readonly tokens: readonly string[];
  readonly settings: Manifest;
  readonly bindings?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  /** Called for each request to the API server. */
  asked?(method: string): void;
  /** Called with lines of the log. */
  logged?(text: string): void;
}

/** Starts the built Worker in workerd, with a binding that stands for a VPC service in front of an API server. */
export async function startClusterWorker(options: ClusterWorkerOptions): Promise<Miniflare> {
  const { port, folder, tokens, settings, kubeToken, bindings = {} } = options;
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
    serviceBindings: { KUBE: reachOf(options) as never },
    bindings: {
      ISOLINE_INSECURE: "1",
      ISOLINE_TOKENS: tokens.join("\n"),
      ISOLINE_SETTINGS: JSON.stringify(settings),
      KUBE_TOKEN: kubeToken,
      ...bindings,
    },
    handleRuntimeStdio: (_: Readable, stderr: Readable) =>
      void stderr.on("data", (data: Buffer) => options.logged?.(data.toString())),
  });
  await worker.ready;
  return worker;
}

/** Sends the Worker's requests to the API server as they are, with its trust alone. */
function reachOf({ kubeconfig, asked }: ClusterWorkerOptions): (wanted: Request) => Promise<Response> {
  const { clusters } = JSON.parse(readFileSync(kubeconfig, "utf8")) as {
    readonly clusters: readonly {
      readonly cluster: { readonly server: string; readonly "certificate-authority-data": string };
    }[];
  };
  const { server = "", "certificate-authority-data": ca = "" } = clusters[0]?.cluster ?? {};
  return async (wanted) => {
    asked?.(wanted.method);
    const { pathname, search } = new URL(wanted.url);
    const headers = Object.fromEntries(wanted.headers);
    delete headers.host;
    const body = wanted.body ? Buffer.from(await wanted.arrayBuffer()) : undefined;
    return new Promise((resolve, reject) => {
      const sent = httpsRequest(
        new URL(pathname + search, server),
        { method: wanted.method, headers, ca: Buffer.from(ca, "base64") },
        (answer) => {
          const stream = Readable.toWeb(answer) as never;
          resolve(new Response(stream, { status: answer.statusCode ?? 502 }));
        },
      );
      wanted.signal.addEventListener("abort", () => sent.destroy());
      sent.on("error", reject);
      sent.end(body);
    });
  };
}

/** Cloudflare's edge in front of a Worker: TLS with HTTP/2 and HTTP/1.1, here for the name `localhost`. */
export async function startEdge(port: number, workerPort: number): Promise<{ close(): void }> {
  const forward = (asked: Http2ServerRequest, answer: Http2ServerResponse): void => {
    const given = Object.entries(asked.headers).filter(([name]) => !name.startsWith(":"));
    const host = asked.headers[":authority"] ?? asked.headers.host;
    const onward = httpRequest(
      {
        port: workerPort,
        method: asked.method,
        path: asked.url,
        headers: { ...Object.fromEntries(given), host },
      },
      (got) => {
        const { connection, "keep-alive": alive, "transfer-encoding": coding, ...headers } = got.headers;
        answer.writeHead(got.statusCode ?? 502, headers);
        got.pipe(answer.stream ?? answer);
      },
    );
    onward.on("error", () => answer.destroy());
    asked.on("aborted", () => onward.destroy());
    asked.pipe(onward);
  };
  const server = createSecureServer({ ...certificate("loopback"), allowHTTP1: true }, forward);
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    close: () => {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}
