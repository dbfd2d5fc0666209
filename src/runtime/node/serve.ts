import type { Server } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { Engine } from "../../engine/engine.js";
import { statusReport } from "../../engine/status-report.js";
import { checkKeyPair } from "../../platform/key-pair.js";
import type { SettingsSpec } from "../../schema/settings.js";
import { createApp } from "../../server/app.js";
import { everyone, isLoopback, tokenAuth } from "../../server/auth.js";
import type { Connections } from "../../server/discovery.js";
import { FindingLog } from "../../server/finding-log.js";
import { HeldErrors } from "../../server/held-errors.js";
import { Hub } from "../../server/hub.js";
import { LiveRequests } from "../../server/live.js";
import type { Gauge } from "../../server/metrics.js";
import type { Source } from "../../sources/source.js";
import { createMemoryStore } from "../../store/memory.js";
import type { Store } from "../../store/store.js";
import { steadyNow } from "./clock.js";
import { followAnswer } from "./direct.js";
import { createHttpServer } from "./http-server.js";
import {
  certificateEnd,
  connectionsOf,
  createHttpsServer,
  httpsOptions,
  leaveConnection,
  RenewedCertificate,
  shownCertificate,
  type TlsFiles,
  untimelyCertificate,
} from "./https-server.js";
import type { KubernetesOptions } from "./kubernetes.js";
import { freshPeer } from "./peers.js";
import { MiddlesByToken, readPollBody } from "./poll-body.js";
import { processMetrics } from "./process-metrics.js";
import { type SourceOptions, sourceOf } from "./source.js";
import { listenError } from "./start-errors.js";
import { StepAside } from "./step-aside.js";
import { TokenFile } from "./token-file.js";
import type { Traces } from "./traces.js";

export interface ServerOptions extends SourceOptions {
  /** Grants access by token; absent: every client that reaches the address has access. */
  readonly tokensFile?: string;
  /** The fleet of the tokens. */
  readonly fleet?: string;
  /** Serves https: HTTP/2, which Envoys use, and HTTP/1.1. */
  readonly tls?: TlsFiles;
  readonly store?: Store;
  /** Number of damaged files that were put aside before this store was opened. */
  readonly storesPutAside?: number;
  readonly host: string;
  readonly port: number;
  /** The base URL of a collector of traces (OTLP over HTTP); absent: there are no traces. */
  readonly otlpEndpoint?: string;
  readonly build?: { readonly version: string; readonly commit: string };
}

/** The values of the process: one for all servers in it, because they observe the whole process. */
let families: ReturnType<typeof processMetrics> | undefined;

function ownGauges({ build, tls }: ServerOptions): Gauge[] {
  const end = tls && certificateEnd(tls);
  return [
    ["build_info", 1, { version: build?.version ?? "", commit: build?.commit ?? "" }],
    ...(end === undefined ? [] : [["server_certificate_not_after_timestamp_seconds", end / 1000] as const]),
  ];
}

export interface RunningServer {
  /** The settings in force. */
  readonly settings: SettingsSpec;
  readonly url: string;
  /** Reads the files of tokens and of the certificate now, instead of within a second after a change. */
  reload(): void;
  close(): Promise<void>;
}

/**
 * Follows manifests on disk or a Kubernetes cluster, or accepts pushes, and serves them over REST xDS until `close`.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  let source: Source | undefined;
  const replicaMs = options.kube?.peers?.length ? staleMsOf(options.kube) : 0;
  const synced = (): boolean => source?.synced ?? true;
  const traces = await tracesOf(options);
  const hub = new Hub({
    now: steadyNow,
    log: options.log,
    synced,
    replicaMs,
    accepted: (acceptance) => traces?.accepted(acceptance),
    settled: (sequence, at) => traces?.settled(sequence, at),
  });
  if (options.storesPutAside) hub.metrics.count("stores_put_aside_total", undefined, options.storesPutAside);
  const heldErrors = new HeldErrors({
    now: steadyNow,
    log: options.log,
    overflowed: () => hub.metrics.count("errors_at_once_total"),
  });
  const live = new LiveRequests({ mode: "stream", now: Date.now });
  const tokens = options.tokensFile
    ? new TokenFile(options.tokensFile, options.log, () => {
        heldErrors.release();
        hub.release();
        live.release();
      })
    : undefined;
  const { store = createMemoryStore(), host: hostname, port: wantedPort, tls } = options;
  const secure = tls && httpsOptions(tls);
  const untimely = tls && untimelyCertificate(tls, Date.now());
  if (untimely) options.log(untimely, "certificate-out-of-date");
  const engine = Engine.open({ store, platform: { checkKeyPair }, outlet: hub, now: Date.now });
  if (traces)
    engine.listen({
      compiled: (from, to) => traces.compiled(from, to),
      published: (publication) => traces.published(publication),
    });
  const wired = await sourceOf(engine, options, hub.metrics);
  const started = wired.source;
  const findings = new FindingLog({ engine, source: started, log: options.log });
  source = started;
  await startOrClose(started);
  findings.poke();
  const aside = wired.lastAnswerAt ? stepAside(hub, options, wired.lastAnswerAt) : undefined;
  families ??= processMetrics();
  const app = createApp({
    hub,
    heldErrors,
    live,
    status: () => ({ ...statusReport(engine, started), ...(aside ? { standing: aside.standing } : {}) }),
    ...wired.surface,
    ownMetrics: { gauges: () => ownGauges(options), families },
    ...(aside ? { standing: () => aside.standing } : {}),
    connections: connectionsWith(new MiddlesByToken()),
    ...(options.fleet ? { fleet: options.fleet } : {}),
    authenticate: tokens
      ? tokenAuth({ tokens: () => tokens.read(), now: Date.now, requireTls: false })
      : everyone,
    ...(tokens || !isLoopback(options.host) ? {} : { xdsCluster: () => engine.settings.xdsCluster }),
    client: (c) => getConnInfo(c).remote.address ?? "",
  });
  const stop = async (): Promise<void> => {
    tokens?.close();
    findings.close();
    aside?.close();
    heldErrors.close();
    live.release();
    engine.close();
    await started.close();
    hub.close();
    await traces?.close();
  };
  const listener = getRequestListener(app.fetch, { hostname });
  const https = secure && createHttpsServer(secure, listener);
  const server: Server = https ?? createHttpServer(listener);
  const connections = connectionsOf(server);
  const listening = new Promise<void>((resolve, reject) =>
    server.once("listening", resolve).once("error", reject).listen(wantedPort, hostname),
  );
  await listening.catch(async (error: unknown) => {
    await stop();
    throw listenError(hostname, wantedPort, error);
  });
  const renewed = https && tls && new RenewedCertificate(https, tls, options.log);
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : wantedPort;
  return {
    settings: engine.settings,
    url: `${tls ? "https" : "http"}://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`,
    reload() {
      tokens?.reload();
      renewed?.reload();
    },
    async close() {
      renewed?.close();
      await stop();
      connections.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** The module is loaded only where traces are wanted. */
async function tracesOf({ otlpEndpoint: endpoint, build, log }: ServerOptions): Promise<Traces | undefined> {
  if (endpoint === undefined) return undefined;
  const { Traces } = await import("./traces.js");
  return new Traces({ endpoint, version: build?.version ?? "", log });
}
const connectionsWith = (known: MiddlesByToken): Connections => ({
  leave: leaveConnection,
  follow: followAnswer,
  read: readPollBody,
  known: (token) => known.of(token),
});

async function startOrClose(source: Source): Promise<void> {
  try {
    await source.start();
  } catch (error) {
    await source.close();
    throw error;
  }
}

/**
 * Without an answer of the API server for this time, the served state may be old: each watch ends with one once a
 * minute.
 */
const defaultStaleSeconds = 180;

const staleMsOf = ({
  staleSeconds = defaultStaleSeconds,
  pollSeconds = 0,
}: Pick<KubernetesOptions, "staleSeconds" | "pollSeconds">): number =>
  Math.max(staleSeconds, 2 * pollSeconds) * 1000;

function stepAside(hub: Hub, { kube, tls, log }: ServerOptions, lastAnswerAt: () => number): StepAside {
  const { peers = [] } = kube ?? {};
  const aside = new StepAside({
    staleMs: staleMsOf(kube ?? {}),
    lastAnswerAt,
    now: steadyNow,
    freshPeer: () => freshPeer(peers, tls ? { certificate: () => shownCertificate(tls) } : {}),
    stepAside: (leaves) => hub.stepAside(leaves),
    log,
  });
  aside.start();
  return aside;
}
