import { isTrafficAddress } from "./listener-ports.js";

interface Address {
  readonly address: string;
  readonly port: number;
}
type Partly<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** Paths of PEM files on Envoy's machine; empty for no file. */
interface Files {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

interface AdminSettings {
  readonly http: Address;
  readonly https: Address;
  readonly stats: Address;
  readonly health: Partly<Address>;
  readonly metrics: Partly<Address> & { readonly tls: Files };
  readonly omEnforcedHealth: { readonly address: string; readonly port?: number | undefined };
}

/** The addresses at which Envoy serves its health and its metrics. */
export interface AdminEndpoints {
  readonly health: Address;
  /** Absent when the configured TLS is not possible: metrics are never served without it. */
  readonly metrics?: Address & { readonly tls?: Files };
  /** A health check on a listener whose connections the overload manager may refuse. */
  readonly omEnforcedHealth?: Address;
}

interface Problem {
  readonly path: string;
  readonly message: string;
}

const same = (a: Address, b: Address): boolean => a.address === b.address && a.port === b.port;

/** Resolves the addresses: `health` and `metrics` default to the address and port of `stats`. */
export function readAdminEndpoints(settings: AdminSettings): {
  readonly endpoints: AdminEndpoints;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const at = (path: string, { address, port }: Partly<Address>): Address => {
    const own = { address: address ?? settings.stats.address, port: port ?? settings.stats.port };
    if (!isTrafficAddress(settings, own)) return own;
    problems.push({
      path,
      message: `${own.port} is the port of http or https; the address of stats is used`,
    });
    return settings.stats;
  };
  const health = at("health.port", settings.health);
  const metrics = at("metrics.port", settings.metrics);
  const { tls } = settings.metrics;
  const wrong = filesProblem(tls) ?? (tls.certFile && same(health, metrics) ? sharedPort : undefined);
  if (wrong) problems.push({ path: "metrics.tls", message: `${wrong}; metrics are not served` });

  const { address, port } = settings.omEnforcedHealth;
  const enforced = port === undefined ? undefined : { address, port };
  const clash =
    enforced &&
    ([health, metrics].some((other) => same(other, enforced)) || isTrafficAddress(settings, enforced));
  if (clash) {
    const message = "must differ from the addresses of other listeners; the listener is left out";
    problems.push({ path: "omEnforcedHealth.port", message });
  }
  return {
    endpoints: {
      health,
      ...(wrong ? {} : { metrics: { ...metrics, ...(tls.certFile ? { tls } : {}) } }),
      ...(enforced && !clash ? { omEnforcedHealth: enforced } : {}),
    },
    problems,
  };
}

const sharedPort = "needs its own port: health over HTTP and metrics over HTTPS can't share one";

function filesProblem({ certFile, keyFile, caFile }: Files): string | undefined {
  if ((certFile === "") !== (keyFile === "")) return "needs both certFile and keyFile";
  return caFile !== "" && certFile === "" ? "needs certFile and keyFile when caFile is set" : undefined;
}
