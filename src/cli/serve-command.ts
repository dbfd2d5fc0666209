import { createSqliteStore } from "../store/sqlite.js";
import { type ServerOptions, startServer } from "./serve.js";
import { UsageError } from "./usage.js";

/** The options of `isoline serve` as commander hands them over; the lower half are `contour serve`'s flags. */
export interface ServeCommandOptions {
  readonly file?: readonly string[];
  readonly listen: string;
  readonly settings?: string;
  readonly store: string;
  readonly kube?: boolean;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly acceptShrink?: boolean;
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
  readonly statsAddress?: string;
  readonly statsPort?: string;
}

const list = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** Settings that `contour serve` takes as flags. */
function overridesOf(options: ServeCommandOptions): Record<string, unknown> {
  const overrides: Record<string, unknown> = {};
  const put = (key: string, value: unknown): void => {
    if (value !== undefined) overrides[key] = value;
  };
  put("ingressClassNames", options.ingressClassName && list(options.ingressClassName));
  put("rootNamespaces", options.rootNamespaces && list(options.rootNamespaces));
  put("watchNamespaces", options.watchNamespaces && list(options.watchNamespaces));
  put("useProxyProtocol", options.useProxyProtocol);
  put("httpAddress", options.envoyServiceHttpAddress);
  put("httpPort", options.envoyServiceHttpPort && Number(options.envoyServiceHttpPort));
  put("httpsAddress", options.envoyServiceHttpsAddress);
  put("httpsPort", options.envoyServiceHttpsPort && Number(options.envoyServiceHttpsPort));
  put("httpAccessLog", options.envoyHttpAccessLog);
  put("httpsAccessLog", options.envoyHttpsAccessLog);
  put("statsAddress", options.statsAddress);
  put("statsPort", options.statsPort && Number(options.statsPort));
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
  const { kube, kubeconfig, context, acceptShrink = false, file } = options;
  if (!kube) {
    if (kubeconfig || context) throw new UsageError("--kubeconfig and --context need --kube");
    return {};
  }
  if (file?.length) throw new UsageError("give either --kube or -f");
  return {
    kube: { acceptShrink, ...(kubeconfig ? { kubeconfig } : {}), ...(context ? { context } : {}) },
  };
}

/** `isoline serve`: runs until SIGINT or SIGTERM. */
export async function serveCommand(options: ServeCommandOptions): Promise<void> {
  const sqlite = /^sqlite:(.+)$/.exec(options.store)?.[1];
  if (!sqlite && options.store !== "memory")
    throw new UsageError(`--store ${options.store}: expected memory or sqlite:FILE`);
  const server = await startServer({
    paths: options.file ?? [],
    ...(options.settings ? { settingsFile: options.settings } : {}),
    overrides: overridesOf(options),
    ...kubeOf(options),
    ...(sqlite ? { store: createSqliteStore(sqlite) } : {}),
    ...parseListen(options.listen),
    log: (line) => console.error(line),
  });
  console.error(`isoline serves xDS on ${server.url}`);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve).once("SIGTERM", resolve);
  });
  await server.close();
}
