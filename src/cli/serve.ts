import type { Server } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { listenersUnit } from "../graph/core/keys.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { bootstrapFindings, unfilteredFindings } from "../schema/bootstrap-settings.js";
import { findingsAt, type Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import { messageOf } from "../schema/words.js";
import { type AppOptions, createApp } from "../server/app.js";
import { everyone, isLoopback, tokenAuth } from "../server/auth.js";
import { HeldErrors } from "../server/held-errors.js";
import { Hub } from "../server/hub.js";
import { Publisher, settingsOf } from "../server/publisher.js";
import { PushedSources } from "../server/pushed.js";
import { createMemoryStore } from "../store/memory.js";
import type { Store } from "../store/store.js";
import { refresh, replaceAll } from "../update.js";
import { attempt, failedAttempts, waitAfter } from "./attempts.js";
import { steadyNow } from "./clock.js";
import { createHttpServer } from "./http-server.js";
import {
  connectionsOf,
  createHttpsServer,
  httpsOptions,
  leaveConnection,
  RenewedCertificate,
  shownCertificate,
  type TlsFiles,
  untimelyCertificate,
} from "./https-server.js";
import { type ClusterOptions, ClusterSource } from "./kube-source.js";
import { formatLocated, type Located, locateAll, type Manifests, readManifests } from "./objects.js";
import { freshPeer } from "./peers.js";
import { readSettings } from "./settings-file.js";
import { listenError } from "./start-errors.js";
import { StepAside } from "./step-aside.js";
import { TokenFile } from "./token-file.js";
import { watchPaths } from "./watch.js";

export interface ServerOptions {
  /** Files and folders of manifests; empty with `kube`. */
  readonly paths: readonly string[];
  /** Follow a cluster instead of files. */
  readonly kube?: ClusterOptions;
  /** Serve what is pushed to `/sources/NAME` instead of files. */
  readonly push?: boolean;
  /** Who is let in; without it everybody who reaches the address. */
  readonly tokensFile?: string;
  /** The fleet that tokens are for. */
  readonly fleet?: string;
  /** Serves https: HTTP/2, as Envoys ask for it, and HTTP/1.1. */
  readonly tls?: TlsFiles;
  readonly settingsFile?: string;
  /** Keys that win over the settings file. */
  readonly overrides?: Readonly<Record<string, unknown>>;
  readonly store?: Store;
  /** How many damaged files were put aside before there was this store. */
  readonly storesPutAside?: number;
  readonly host: string;
  readonly port: number;
  log(line: string): void;
}

export interface RunningServer {
  readonly url: string;
  /** Reads the files of tokens and of the certificate now, and not only within a second of a change. */
  reload(): void;
  close(): Promise<void>;
}

/** Follows manifests on disk or a cluster, or takes what is pushed, and serves it over REST xDS until it is closed. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  let source: Source | undefined;
  const replicaMs = options.kube?.peers?.length ? staleMsOf(options.kube) : 0;
  const synced = (): boolean => source?.synced ?? true;
  const hub = new Hub({ now: steadyNow, log: options.log, synced, replicaMs });
  if (options.storesPutAside) hub.metrics.count("stores_put_aside_total", undefined, options.storesPutAside);
  const heldErrors = new HeldErrors({
    now: steadyNow,
    log: options.log,
    overflowed: () => hub.metrics.count("errors_at_once_total"),
  });
  const tokens = options.tokensFile
    ? new TokenFile(options.tokensFile, options.log, () => {
        heldErrors.release();
        hub.release();
      })
    : undefined;
  const { store = createMemoryStore(), host: hostname, port: wanted, tls } = options;
  const secure = tls && httpsOptions(tls);
  const untimely = tls && untimelyCertificate(tls, Date.now());
  if (untimely) options.log(untimely);
  const outdated = refresh(store, { checkKeyPair });
  const started = await startSource(hub, { ...options, store, outdated });
  source = started;
  const aside = started.lookedAt ? stepAside(hub, options, started.lookedAt) : undefined;
  const app = createApp({
    hub,
    heldErrors,
    status: () => ({ ...started.status(), ...(aside ? { standing: aside.standing } : {}) }),
    ...started.surface,
    ...(aside ? { standing: () => aside.standing, leave: leaveConnection } : {}),
    ...(options.fleet ? { fleet: options.fleet } : {}),
    authenticate: tokens
      ? tokenAuth({ tokens: () => tokens.read(), now: Date.now, requireTls: false })
      : everyone,
    ...(tokens || !isLoopback(options.host) ? {} : { xdsCluster: () => settingsOf(store).xdsCluster }),
    client: (c) => getConnInfo(c).remote.address ?? "",
  });
  const stop = async (): Promise<void> => {
    tokens?.close();
    aside?.close();
    heldErrors.close();
    await started.close();
    hub.close();
  };
  const listener = getRequestListener(app.fetch, { hostname });
  const https = secure && createHttpsServer(secure, listener);
  const server: Server = https ?? createHttpServer(listener);
  const connections = connectionsOf(server);
  const listening = new Promise<void>((resolve, reject) =>
    server.once("listening", resolve).once("error", reject).listen(wanted, hostname),
  );
  await listening.catch(async (error: unknown) => {
    await stop();
    throw listenError(hostname, wanted, error);
  });
  const renewed = https && tls && new RenewedCertificate(https, tls, options.log);
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : wanted;
  return {
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

/** The store is there by now; `outdated`: an older Isoline has filled it. */
interface SourceOptions extends ServerOptions {
  readonly store: Store;
  readonly outdated: boolean;
}

function startSource(hub: Hub, options: SourceOptions): Promise<Source> {
  if (options.kube) return startCluster(hub, options, options.kube);
  return options.push ? startPushed(hub, options) : startFiles(hub, options);
}

interface Source {
  status(): object;
  /** When the API server of a cluster was last heard of. */
  readonly lookedAt?: () => number;
  /** Whether what is published last is what the source has now; absent: always. */
  readonly synced?: boolean;
  /** What it adds to the HTTP surface. */
  readonly surface: Pick<AppOptions, "hooks" | "sources" | "inspected" | "holds">;
  close(): Promise<void>;
}

async function startFiles(hub: Hub, options: SourceOptions): Promise<Source> {
  const source = new FileSource(hub, options);
  const files = options.settingsFile ? [...options.paths, options.settingsFile] : options.paths;
  const watcher = await watchPaths(files, () => source.refresh());
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    timer = source.start();
  } catch (error) {
    await watcher.close();
    throw error;
  }
  const { surface } = source;
  return {
    status: () => source.status(),
    surface,
    close: () => {
      clearTimeout(timer);
      return watcher.close();
    },
  };
}

async function startCluster(
  hub: Hub,
  options: SourceOptions,
  kube: NonNullable<ServerOptions["kube"]>,
): Promise<Source> {
  const source = new ClusterSource(hub, options.store, { ...options, ...kube });
  await source.start();
  return {
    status: () => source.status(),
    lookedAt: () => source.lookedAt,
    surface: source.surface,
    close: () => source.close(),
  };
}

/** Without news of the API server for longer, what is served may be old: each watch has news once a minute. */
const defaultStaleSeconds = 180;

const staleMsOf = ({
  staleSeconds = defaultStaleSeconds,
  pollSeconds = 0,
}: Pick<ClusterOptions, "staleSeconds" | "pollSeconds">): number =>
  Math.max(staleSeconds, 2 * pollSeconds) * 1000;

function stepAside(hub: Hub, { kube, tls, log }: ServerOptions, lookedAt: () => number): StepAside {
  const { peers = [] } = kube ?? {};
  const aside = new StepAside({
    staleMs: staleMsOf(kube ?? {}),
    lookedAt,
    now: steadyNow,
    freshPeer: () => freshPeer(peers, tls ? { certificate: () => shownCertificate(tls) } : {}),
    stepAside: (leaves) => hub.stepAside(leaves),
    log,
  });
  aside.start();
  return aside;
}

async function startPushed(hub: Hub, options: SourceOptions): Promise<Source> {
  const { store, settingsFile, overrides = {}, log } = options;
  const given = settingsFile !== undefined || Object.keys(overrides).length > 0;
  const { settings, findings: wrong, locate } = readSettings(settingsFile, overrides);
  const findings = given
    ? [
        ...wrong,
        ...bootstrapFindings(settings),
        ...unfilteredFindings(settings, "push what is to be read, and nothing else"),
      ]
    : [];
  for (const finding of findings) log(formatLocated(locate(finding)));
  const publisher = new Publisher(store, hub, Date.now);
  const sources = new PushedSources(store, publisher, { checkKeyPair }, given ? settings : undefined);
  sources.start();
  return {
    status: () => {
      const status = sources.status();
      return { ...status, findings: [...findings, ...status.findings] };
    },
    surface: { sources, inspected: sources.inspected },
    close: () => Promise.resolve(),
  };
}

interface ReadObject {
  readonly object: KubeObject;
  readonly file: string;
}

/** Manifests on disk as the source of a store; what can't be read or parsed leaves its objects as they were. */
class FileSource {
  readonly #store: Store;
  /** What is served, each with the file in which it was read last: it is kept as long as that can't be read. */
  #objects = new Map<Ref, ReadObject>();
  readonly #publisher: Publisher;
  #located: readonly Located[] = [];
  #reported = "";

  constructor(
    hub: Hub,
    private readonly options: SourceOptions,
  ) {
    this.#store = options.store;
    this.#publisher = new Publisher(this.#store, hub, Date.now);
  }

  get surface(): Pick<AppOptions, "inspected"> {
    const inspected = { store: this.#store, publisher: this.#publisher, platform: { checkKeyPair } };
    return { inspected };
  }

  /**
   * Reads the files; but where a process has ended while it applied them to this store, serves first what the store held before
   * them. Returns what reads them later, if they do not change meanwhile.
   */
  start(): ReturnType<typeof setTimeout> | undefined {
    const attempts = failedAttempts(this.#store);
    if (attempts === 0 || !this.#store.unit(listenersUnit)) {
      this.refresh();
      return undefined;
    }
    this.#publisher.publish();
    const wait = waitAfter(attempts);
    this.options.log(
      `the server ended ${attempts} times while it applied these files, and serves what it held before; it applies them again in ${wait / 1000} s, or when they change`,
    );
    return setTimeout(() => this.refresh(), wait);
  }

  refresh(): void {
    try {
      attempt(this.#store, () => this.#read());
    } catch (error) {
      if (!this.#publisher.snapshot) throw error;
      this.options.log(`keeping the last good configuration: ${messageOf(error)}`);
    }
  }

  #read(): void {
    const { settings, findings, locate } = readSettings(this.options.settingsFile, this.options.overrides);
    const manifests = readManifests(this.options.paths, settings.spec.watchNamespaces);
    const objects = this.#keepLastGood(manifests);
    const served = [...objects.values()].map(({ object }) => object);
    replaceAll(this.#store, [settings, ...served], { checkKeyPair });
    this.#objects = objects;
    this.#located = [
      ...[...findings, ...bootstrapFindings(settings)].map(locate),
      ...manifests.located,
      ...locateAll(findingsAt(Date.now(), this.#store.findings()), manifests.documents),
    ];
    this.#report();
    this.#publisher.publish();
  }

  /** Objects as read, and as they were before where a document or a whole file is not valid now. */
  #keepLastGood(now: Manifests): Map<Ref, ReadObject> {
    const objects = new Map(
      now.objects.map((object) => [object.ref, { object, file: now.documents.get(object.ref)?.file ?? "" }]),
    );
    for (const [ref, before] of this.#objects) {
      const inBroken = now.broken.has(before.file) || now.unnamed.has(before.file);
      const broken = now.invalid.has(ref) || inBroken;
      if (broken && !objects.has(ref)) objects.set(ref, before);
    }
    return objects;
  }

  /** Logs findings when they differ from the last time. */
  #report(): void {
    const lines = this.#located.map(formatLocated);
    const text = lines.join("\n");
    if (text === this.#reported) return;
    this.#reported = text;
    for (const line of lines.slice(0, 50)) this.options.log(line);
    if (lines.length > 50) this.options.log(`and ${lines.length - 50} more findings; see /status`);
  }

  status(): object {
    return {
      sources: [{ name: "files", paths: this.options.paths, objects: this.#objects.size }],
      endpoints: this.#publisher.snapshot?.mode,
      findings: [
        ...this.#located.map(({ finding, file, line }) => ({ ...finding, file, line })),
        ...(this.#publisher.snapshot?.findings ?? []),
      ],
    };
  }
}
