import { request as httpRequest, type RequestOptions } from "node:http";
import { type RequestOptions as HttpsOptions, request as httpsRequest } from "node:https";
import type { ApiRequest, ApiResponse, Transport } from "../kubernetes/api.js";

export interface KubeOptions {
  /** Default: `$KUBECONFIG`, then `~/.kube/config`, then the pod's own service account. */
  readonly kubeconfig?: string;
  readonly context?: string;
}

const connectMs = 30_000;

/**
 * Requests to the API server of a kubeconfig, with its certificates, tokens and exec plugins. The client library is
 * loaded only here: half a second and 100 MB that no other command has to pay.
 *
 * @throws Error when the configuration can't be read or has no such context.
 */
export async function kubeTransport({
  kubeconfig,
  context,
}: KubeOptions): Promise<Transport & { server: string }> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  if (kubeconfig) config.loadFromFile(kubeconfig);
  else config.loadFromDefault();
  if (context) {
    const names = config.getContexts().map(({ name }) => name);
    if (!names.includes(context))
      throw new Error(`the kubeconfig has no context ${JSON.stringify(context)}; it has ${names.join(", ")}`);
    config.setCurrentContext(context);
  }
  const cluster = config.getCurrentCluster();
  if (!cluster)
    throw new Error("the kubeconfig has no current context, and this is no pod; use --kubeconfig");
  const server = new URL(cluster.server);
  return {
    server: cluster.server,
    async send(request) {
      const options: HttpsOptions = {};
      // Asked for each request: exec plugins and service accounts renew their tokens.
      await config.applyToHTTPSOptions(options);
      return send(server, request, options);
    },
  };
}

function send(
  server: URL,
  { method, path, headers, body, signal }: ApiRequest,
  auth: HttpsOptions,
): Promise<ApiResponse> {
  const secure = server.protocol === "https:";
  const options: RequestOptions & HttpsOptions = {
    ...auth,
    method,
    host: server.hostname.replace(/^\[|\]$/g, ""),
    port: server.port || (secure ? 443 : 80),
    path: server.pathname.replace(/\/$/, "") + path,
    headers: {
      ...(auth.headers as Record<string, string>),
      ...headers,
      ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
    },
    signal,
    timeout: connectMs,
  };
  return new Promise((resolve, reject) => {
    const sent = secure ? httpsRequest(options) : httpRequest(options);
    sent.on("timeout", () => {
      if (!sent.socket || sent.socket.connecting) sent.destroy(new Error("no connection in 30 s"));
    });
    sent.on("error", reject);
    sent.on("response", (response) => resolve({ status: response.statusCode ?? 0, body: response }));
    sent.end(body);
  });
}
