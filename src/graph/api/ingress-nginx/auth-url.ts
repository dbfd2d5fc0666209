import type { ErrorCode } from "../../../schema/finding-codes.js";
import { readCluster } from "../../backends/backend.js";
import type { Cluster } from "../../backends/cluster.js";
import type { AskedService } from "../../policies/authorization.js";
import type { NginxPhases } from "../../policies/nginx-phases.js";
import type { NginxHostContext, Notes } from "./annotated-ingress.js";
import type { NginxLocation } from "./locations.js";

interface Asked {
  readonly ask: AskedService;
  /** Response headers that the backend gets, in lower case. A client's own headers of these names are removed. */
  readonly answered: readonly string[];
  readonly signIn?: NginxPhases["signIn"];
}

/** Reads `auth-url` and the related annotations, or the `global-auth-*` options of the ConfigMap. */
export function readAuthUrl(
  location: NginxLocation,
  context: NginxHostContext,
  notes: Notes,
): Asked | undefined {
  const { values } = location.of;
  const { options } = context.config;
  const own = values["auth-url"];
  const isGlobal = own === undefined && values["enable-global-auth"] !== false;
  const url = own ?? (isGlobal ? options["global-auth-url"] : undefined);
  if (!url) return undefined;
  const found = readServiceUrl(url, location, context, isGlobal);
  if ("problem" in found) return notes.refuse("auth-url", `auth-url ${found.problem}`, found.reason);
  if (values["auth-method"] && values["auth-method"] !== "GET")
    notes.ignore("auth-method", "auth-method: the service is asked with the method of the request");
  const names =
    values["auth-response-headers"] ??
    (isGlobal ? options["global-auth-response-headers"]?.split(",").map((name) => name.trim()) : undefined) ??
    [];
  const answered = names.map((name) => name.toLowerCase()).filter((name) => name !== "");
  const signIn = readSignIn(
    values["auth-signin"] ?? (isGlobal ? options["global-auth-signin"] : undefined),
    location,
    options["global-auth-signin-redirect-param"],
  );
  const { cluster, path } = found;
  return { ask: { cluster, path, upstreamHeaders: answered }, answered, ...(signIn ? { signIn } : {}) };
}

const variables = new Set(["host", "http_host", "scheme", "request_uri", "escaped_request_uri"]);

/**
 * The URL of the sign-in page as parts: text and nginx variables. As in ingress-nginx, a URL with an unknown variable
 * is ignored, and clients get 401.
 */
function readSignIn(
  url: string | undefined,
  { of: { values } }: NginxLocation,
  usualParameter = "rd",
): NginxPhases["signIn"] {
  if (!url) return undefined;
  const parts = url.split(/(\$[a-z_]+)/).filter((part) => part !== "");
  const read = parts.map((part) => (part.startsWith("$") ? { variable: part.slice(1) } : { text: part }));
  if (read.some((part) => "variable" in part && !variables.has(part.variable ?? ""))) return undefined;
  const parameter = values["auth-signin-redirect-param"] ?? usualParameter;
  const query = url.includes("?") ? url.slice(url.indexOf("?") + 1) : "";
  const has = new URLSearchParams(query).has(parameter);
  return {
    parts: read,
    ...(has ? {} : { append: `${url.includes("?") ? "&" : "?"}${parameter}=` }),
  };
}

/**
 * Resolves a URL with the DNS name of a Service. A Service of another namespace requires `anyNamespace` or the option
 * of the ConfigMap.
 */
export function readServiceUrl(
  url: string,
  { of: { ingress } }: NginxLocation,
  { reader, config }: NginxHostContext,
  anyNamespace = false,
):
  | { readonly cluster: Cluster; readonly path: string }
  | { readonly problem: string; readonly reason?: ErrorCode } {
  if (url.includes("$"))
    return { problem: "has variables of nginx, which Envoy can't fill in; name a Service" };
  const [, scheme = "", name = "", port, path = "/"] =
    /^(https?):\/\/([-a-z0-9.]+)(?::(\d{1,5}))?(\/[!$-[\]-~]*)?$/i.exec(url) ?? [];
  const [service = "", namespace = ingress.meta.namespace, svc = "svc", ...zone] = name
    .toLowerCase()
    .split(".");
  if (scheme === "" || service === "" || svc !== "svc" || !["", "cluster.local"].includes(zone.join(".")))
    return {
      problem: "names no Service of the cluster: write http://SERVICE.NAMESPACE.svc.cluster.local/PATH",
    };
  if (
    namespace !== ingress.meta.namespace &&
    !anyNamespace &&
    !config.options["allow-cross-namespace-resources"]
  )
    return {
      problem: `names a Service of namespace ${namespace}; ConfigMap option allow-cross-namespace-resources allows that`,
    };
  const number = port === undefined ? (scheme === "https" ? 443 : 80) : Number(port);
  const { cluster, error } = readCluster(reader, namespace, service, number, {
    ...(scheme.toLowerCase() === "https" ? { protocol: "tls" as const } : {}),
  });
  return cluster
    ? { cluster, path }
    : { problem: `can't be used: ${error}`, reason: "NginxReferenceUnresolved" };
}
