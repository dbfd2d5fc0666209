import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from "node:https";
import type { Log } from "../../log/log.js";
import type { ApiRequest, ApiResponse, Transport } from "../api.js";
import { type Access, type KubeOptions, RenewedKubeConfig } from "./config.js";

/** TCP detects a dead peer after this time plus ten probes, one per second. */
const keepAliveMs = 15_000;

/**
 * Requests to the API server of a kubeconfig, with its current certificates, tokens and exec plugins. Connections are
 * kept for further requests.
 *
 * @throws Error when the configuration can't be read or has no such context.
 */
export async function kubeTransport(
  options: KubeOptions,
  log: Log = () => undefined,
): Promise<Transport & { readonly server: string }> {
  const config = await RenewedKubeConfig.load(options, log);
  const kept = { keepAlive: true, keepAliveMsecs: keepAliveMs };
  const agents = { "http:": new Agent(kept), "https:": new HttpsAgent(kept) };
  const once = async (request: ApiRequest): Promise<ApiResponse> => {
    const access = await unlessAborted(config.access(), request.signal);
    const agent = access.proxy ?? agents[access.server.protocol === "http:" ? "http:" : "https:"];
    // The next request must not reuse a connection to a server that did not answer this one.
    const dropIdle = (): void => {
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
    };
    request.signal.addEventListener("abort", dropIdle);
    try {
      return await send(access, agent, request);
    } catch (error) {
      dropIdle();
      throw error;
    }
  };
  return {
    get server() {
      return config.server;
    },
    async send(request) {
      const response = await retried(request, once);
      if (response.status !== 401 || !config.renew()) return response;
      for await (const _ of response.body);
      return once(request);
    },
  };
}

/** Repeats a GET once after a lost connection: the server may close a kept connection just when it is used again. */
async function retried(
  request: ApiRequest,
  once: (request: ApiRequest) => Promise<ApiResponse>,
): Promise<ApiResponse> {
  try {
    return await once(request);
  } catch (error) {
    if (!(error instanceof LostConnection) || request.method !== "GET" || request.signal.aborted) throw error;
    return once(request);
  }
}

/** The error of a request on a reused connection. */
class LostConnection extends Error {}

const closed: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE"]);

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
  });
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener("abort", stop));
}

function send(
  { server, options: auth }: Access,
  agent: Agent,
  { method, path, headers, body, signal }: ApiRequest,
): Promise<ApiResponse> {
  const secure = server.protocol === "https:";
  const options: RequestOptions = {
    ...auth,
    agent,
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
  };
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = secure ? httpsRequest(options) : httpRequest(options);
    sent.on("socket", (socket) => socket.setKeepAlive(true, keepAliveMs));
    sent.on("error", (error) =>
      reject(sent.reusedSocket && "code" in error && closed.has(error.code) ? lost(error) : error),
    );
    sent.on("response", (response: IncomingMessage) =>
      resolve({ status: response.statusCode ?? 0, body: response }),
    );
    sent.end(body);
  });
}

const lost = (cause: Error): LostConnection =>
  Object.assign(new LostConnection(cause.message, { cause }), cause);
