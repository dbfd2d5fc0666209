import type { Log } from "../../log/log.js";
import type { Fetching } from "./bindings.js";

/** The access to the API server; a cluster is followed if `KUBE_SERVER` or `KUBE` is set. */
export interface ClusterEnv {
  /** A binding that reaches the API server, such as a VPC service. */
  readonly KUBE?: Fetching;
  /** The URL of the API server. Without a binding it must have a publicly trusted certificate. */
  readonly KUBE_SERVER?: string;
  /** Bearer token of a service account with the printed role. */
  readonly KUBE_TOKEN?: string;
  /** Seconds between two polls if no hook rings. */
  readonly KUBE_POLL_SECONDS?: string;
  /** Settings as JSON, or Contour's configuration. */
  readonly ISOLINE_SETTINGS?: string;
  /** "1": write statuses. */
  readonly KUBE_WRITE_STATUS?: string;
  /** `namespace/name` of the Service of the Envoys: its addresses are in the statuses. */
  readonly KUBE_ENVOY_SERVICE?: string;
  /** The field manager of statuses. It must differ between Workers that write statuses in the same cluster. */
  readonly KUBE_STATUS_MANAGER?: string;
  /** The maximum number of requests for statuses in one alarm. Each status takes two. */
  readonly KUBE_STATUS_REQUESTS?: string;
}

export const hasCluster = ({ KUBE, KUBE_SERVER }: ClusterEnv): boolean =>
  KUBE !== undefined || KUBE_SERVER !== undefined;

/** The values of the variables, with their defaults. */
export interface ClusterPlan {
  readonly pollSeconds: number;
  /** Undefined: no statuses are written. */
  readonly status?: {
    readonly envoyService: string;
    readonly manager: string;
    /** The maximum number of write attempts in one alarm. */
    readonly perAlarm: number;
  };
}

/** The names that `isoline manifests` prints. */
const defaultEnvoyService = "projectcontour/envoy";
const defaultManager = "isoline";
/** With the requests of a poll, this is far below the 1,000 subrequests of one invocation. */
const defaultRequests = 400;
const defaultPollSeconds = 60;

/** Reads the variables. A variable with an invalid value gets its default, and `log` gets a line about it. */
export function clusterPlan(env: ClusterEnv, log: Log): ClusterPlan {
  const read = (name: keyof ClusterEnv, otherwise: string, valid: RegExp, expected: string): string => {
    const text = env[name];
    if (text === undefined) return otherwise;
    if (typeof text === "string" && valid.test(text)) return text;
    log(`${name}: expected ${expected}; ${otherwise} is used`, "setting-ignored", { name });
    return otherwise;
  };
  const count = (name: keyof ClusterEnv, otherwise: number, least: number): number => {
    const expected = `a whole number of at least ${least}`;
    const value = Number(read(name, String(otherwise), /^[1-9]\d{0,5}$/, expected));
    if (value >= least) return value;
    log(`${name}: expected ${expected}; ${otherwise} is used`, "setting-ignored", { name });
    return otherwise;
  };
  const pollSeconds = count("KUBE_POLL_SECONDS", defaultPollSeconds, 2);
  if (read("KUBE_WRITE_STATUS", "0", /^[01]$/, "1 or 0") === "0") return { pollSeconds };
  const name = "[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?";
  return {
    pollSeconds,
    status: {
      envoyService: read(
        "KUBE_ENVOY_SERVICE",
        defaultEnvoyService,
        new RegExp(`^${name}/${name}$`),
        "namespace/name of a Service",
      ),
      manager: read(
        "KUBE_STATUS_MANAGER",
        defaultManager,
        /^[\w:/.-]{1,128}$/,
        "up to 128 letters, digits and :/._-",
      ),
      perAlarm: Math.floor(count("KUBE_STATUS_REQUESTS", defaultRequests, 2) / 2),
    },
  };
}
