import { levels } from "../log/events.js";
import { KeptStore } from "../runtime/node/kept-store.js";
import type { KubernetesOptions } from "../runtime/node/kubernetes.js";
import { createLog, logFormats } from "../runtime/node/logger.js";
import { podNamespace } from "../runtime/node/pod.js";
import { type RunningServer, type ServerOptions, startServer } from "../runtime/node/serve.js";
import { features } from "../schema/settings.js";
import { isLoopback } from "../server/auth.js";
import type { StatusOptions } from "../status/write/service.js";
import { parsePort } from "./bootstrap.js";
import { kubeTargets } from "./kube-targets.js";
import { parsePeer } from "./peer-option.js";
import { startLine } from "./start-line.js";
import { needFiles, UsageError } from "./usage.js";

/** The options of `isoline serve`, as commander passes them; the lower half are flags of `contour serve`. */
export interface ServeCommandOptions {
  readonly file?: readonly string[];
  readonly listen: string;
  readonly settings?: string;
  readonly store: string;
  readonly kube?: readonly string[];
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly acceptShrink?: boolean;
  readonly poll?: string;
  readonly strictAdmission?: boolean;
  readonly staleAfter?: string;
  readonly peer?: readonly string[];
  readonly writeStatus?: boolean;
  readonly ingressStatusAddress?: string;
  readonly envoyServiceName?: string;
  readonly envoyServiceNamespace: string;
  readonly disableLeaderElection?: boolean;
  readonly leaderElectionResourceName: string;
  readonly leaderElectionResourceNamespace?: string;
  readonly push?: boolean;
  readonly tokens?: string;
  readonly fleet?: string;
  readonly tlsCertFile?: string;
  readonly tlsKeyFile?: string;
  readonly insecure?: boolean;
  readonly ingressClassName?: string;
  readonly rootNamespaces?: string;
  readonly watchNamespaces?: string;
  readonly useProxyProtocol?: boolean;
  readonly envoyServiceHttpAddress?: string;
  readonly envoyServiceHttpPort?: string;
  readonly envoyServiceHttpsAddress?: string;
  readonly envoyServiceHttpsPort?: string;
  readonly envoyHttpAccessLog?: string;
  readonly envoyHttpsAccessLog?: string;
  readonly accesslogFormat?: string;
  readonly disableFeature?: readonly string[];
  readonly statsAddress?: string;
  readonly statsPort?: string;
  readonly otlpEndpoint?: string;
  readonly logFormat?: string;
  readonly logLevel?: string;
}

declare const ISOLINE_VERSION: string;
declare const ISOLINE_COMMIT: string;

/** An empty list counts as absent. */
function list(text: string | undefined): string[] | undefined {
  const parts = (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  return parts.length > 0 ? parts : undefined;
}

const portOf = (flag: string, text: string | undefined): number | undefined =>
  text === undefined ? undefined : parsePort(`--${flag}`, text);

function oneOf(flag: string, text: string | undefined, allowed: readonly string[]): string | undefined {
  if (text !== undefined && !allowed.includes(text))
    throw new UsageError(`--${flag} ${text}: expected ${allowed.join(", ")}`);
  return text;
}

function oneOfChoices<T extends string>(
  flag: string,
  text: string | undefined,
  allowed: readonly T[],
): T | undefined {
  oneOf(flag, text, allowed);
  return allowed.find((one) => one === text);
}

/** Settings that are flags of `contour serve`. */
function overridesOf(options: ServeCommandOptions): Record<string, unknown> {
  const overrides: Record<string, unknown> = {};
  const put = (key: string, value: unknown): void => {
    if (value !== undefined) overrides[key] = value;
  };
  put("ingressClassNames", list(options.ingressClassName));
  put("rootNamespaces", list(options.rootNamespaces));
  put("watchNamespaces", list(options.watchNamespaces));
  put("useProxyProtocol", options.useProxyProtocol);
  put("httpAddress", options.envoyServiceHttpAddress);
  put("httpPort", portOf("envoy-service-http-port", options.envoyServiceHttpPort));
  put("httpsAddress", options.envoyServiceHttpsAddress);
  put("httpsPort", portOf("envoy-service-https-port", options.envoyServiceHttpsPort));
  put("httpAccessLog", options.envoyHttpAccessLog);
  put("httpsAccessLog", options.envoyHttpsAccessLog);
  put("accesslog-format", oneOf("accesslog-format", options.accesslogFormat, ["envoy", "json"]));
  for (const name of options.disableFeature ?? []) oneOf("disable-feature", name, features);
  put("disableFeatures", options.disableFeature);
  put("ingressStatusAddress", options.ingressStatusAddress);
  put("statsAddress", options.statsAddress);
  put("statsPort", portOf("stats-port", options.statsPort));
  return overrides;
}

function parseListen(text: string): { host: string; port: number } {
  const found = /^(?:\[([0-9a-f:]+)\]|([^:]+)):(\d+)$/.exec(text);
  const host = found?.[1] ?? found?.[2];
  const port = Number(found?.[3]);
  if (!host || port > 65535)
    throw new UsageError(`--listen ${text}: expected ADDRESS:PORT, such as 127.0.0.1:18000`);
  return { host, port };
}

function kubeOf(options: ServeCommandOptions): Pick<ServerOptions, "kube"> {
  const { kube, kubeconfig, context, acceptShrink = false, file, poll, strictAdmission = false } = options;
  if (!kube) {
    if (kubeconfig || context || poll || options.staleAfter || options.peer)
      throw new UsageError("--kubeconfig, --context, --poll, --stale-after and --peer require --kube");
    return {};
  }
  if (file?.length) throw new UsageError("-f and --kube: give only one of them");
  const pollSeconds = Number(poll);
  if (poll !== undefined && !(pollSeconds >= 1 && pollSeconds <= 86_400))
    throw new UsageError(`--poll ${poll}: expected seconds from 1 to 86400`);
  return {
    kube: {
      targets: kubeTargets(kube, { ...(kubeconfig ? { kubeconfig } : {}), ...(context ? { context } : {}) }),
      acceptShrink,
      strictAdmission,
      ...(poll === undefined ? {} : { pollSeconds }),
      ...staleOf(options, poll === undefined ? 0 : pollSeconds),
      ...(options.writeStatus ? { status: statusOf(options) } : {}),
    },
  };
}

function staleOf(
  { staleAfter, peer = [] }: ServeCommandOptions,
  pollSeconds: number,
): Pick<KubernetesOptions, "staleSeconds" | "peers"> {
  const seconds = Number(staleAfter);
  if (staleAfter !== undefined && !(seconds >= 10 && seconds <= 86_400))
    throw new UsageError(`--stale-after ${staleAfter}: expected seconds from 10 to 86400`);
  if (staleAfter !== undefined && seconds < 2 * pollSeconds)
    throw new UsageError(
      `--stale-after ${staleAfter}: with --poll ${pollSeconds} there may be no answer for ${2 * pollSeconds} s; give at least that`,
    );
  return { ...(staleAfter === undefined ? {} : { staleSeconds: seconds }), peers: peer.map(parsePeer) };
}

function statusOf(options: ServeCommandOptions): StatusOptions {
  const { envoyServiceName, leaderElectionResourceName: name } = options;
  return {
    ...(envoyServiceName ? { envoyService: `${options.envoyServiceNamespace}/${envoyServiceName}` } : {}),
    ...(options.disableLeaderElection
      ? {}
      : { lease: { name, namespace: options.leaderElectionResourceNamespace || podNamespace() } }),
  };
}

/** The options of access: beyond loopback, tokens and https are required, because answers contain keys. */
function accessOf(options: ServeCommandOptions, host: string): Partial<ServerOptions> {
  const { tokens, fleet, tlsCertFile, tlsKeyFile, insecure = false } = options;
  if ((tlsCertFile === undefined) !== (tlsKeyFile === undefined))
    throw new UsageError("--tls-cert-file and --tls-key-file must be given together");
  if (!isLoopback(host) && !insecure) {
    const lacks = [
      ...(tokens ? [] : ["--tokens FILE"]),
      ...(tlsCertFile ? [] : ["--tls-cert-file and --tls-key-file"]),
    ];
    if (lacks.length > 0)
      throw new UsageError(
        `--listen ${host}: answers contain private keys, so serving other machines requires ${lacks.join(", ")}; --insecure serves them without`,
      );
  }
  return {
    ...(tokens ? { tokensFile: tokens } : {}),
    ...(fleet ? { fleet } : {}),
    ...(tlsCertFile && tlsKeyFile ? { tls: { certFile: tlsCertFile, keyFile: tlsKeyFile } } : {}),
  };
}

function otlpOf({ otlpEndpoint: text }: ServeCommandOptions): Pick<ServerOptions, "otlpEndpoint"> {
  if (!text) return {};
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new UsageError(`--otlp-endpoint ${text}: expected a URL, such as http://127.0.0.1:4318`);
  return { otlpEndpoint: text };
}

/** `isoline serve`: runs until SIGINT or SIGTERM. */
export async function serveCommand(options: ServeCommandOptions): Promise<void> {
  if (!options.kube && !options.push) needFiles(options.file);
  const sqlite = /^sqlite:(.+)$/.exec(options.store)?.[1];
  if (!sqlite && options.store !== "memory")
    throw new UsageError(`--store ${options.store}: expected memory or sqlite:FILE`);
  if (options.push && (options.kube || options.file?.length))
    throw new UsageError("-f, --kube and --push: give only one of them");
  const listen = parseListen(options.listen);
  const log = createLog({
    format: oneOfChoices("log-format", options.logFormat, logFormats) ?? "auto",
    level: oneOfChoices("log-level", options.logLevel, levels) ?? "info",
    isTerminal: process.stderr.isTTY,
    write: (line) => console.error(line),
  });
  const kept = sqlite ? await KeptStore.open(sqlite, log) : undefined;
  if (options.push && !kept)
    log(
      "--push without --store sqlite:FILE keeps pushes in memory: after a restart Envoys keep their configuration, and new ones get none, until every source is pushed again",
      "store-in-memory",
    );
  const settings: ServerOptions & Required<Pick<ServerOptions, "build">> = {
    paths: options.file ?? [],
    ...(options.push ? { push: true } : {}),
    ...accessOf(options, listen.host),
    ...(options.settings ? { settingsFile: options.settings } : {}),
    overrides: overridesOf(options),
    ...kubeOf(options),
    ...listen,
    ...otlpOf(options),
    build: { version: ISOLINE_VERSION, commit: ISOLINE_COMMIT },
    log,
  };
  const ended = new AbortController();
  const end = (signal: string): void => {
    log(`isoline ends after ${signal}`, "stopped", { signal });
    ended.abort();
  };
  process.once("SIGINT", end).once("SIGTERM", end);
  try {
    while (!ended.signal.aborted) {
      const server = await startFrom(settings, kept);
      log(...startLine({ ...server, ...settings.build, options }));
      await serveUntil(server, kept, ended.signal);
    }
  } finally {
    kept?.close();
  }
}

const withStore = (options: ServerOptions, kept: KeptStore): ServerOptions => ({
  ...options,
  store: kept.store,
  storesPutAside: kept.putAside,
});

/** Starts the server. If it does not start because a row of the store is damaged, starts it again with a new store. */
async function startFrom(options: ServerOptions, kept: KeptStore | undefined): Promise<RunningServer> {
  if (!kept) return startServer(options);
  try {
    return await startServer(withStore(options, kept));
  } catch (error) {
    const wrong = kept.check();
    if (wrong === undefined) throw error;
    kept.replace(wrong);
    return startServer(withStore(options, kept));
  }
}

/** Runs the server until a signal, or until its store is found damaged and is replaced. */
async function serveUntil(
  server: RunningServer,
  kept: KeptStore | undefined,
  ended: AbortSignal,
): Promise<void> {
  const reload = (): void => server.reload();
  process.on("SIGHUP", reload);
  const wrong = await kept?.checkSlowly(ended);
  if (wrong === undefined && !ended.aborted)
    await new Promise<void>((resolve) => ended.addEventListener("abort", () => resolve()));
  process.off("SIGHUP", reload);
  await server.close();
  if (wrong !== undefined) kept?.replace(wrong);
}
