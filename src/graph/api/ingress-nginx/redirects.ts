import type { Action } from "../../core/nodes.js";
import type { NginxPhases } from "../../policies/nginx-phases.js";
import type { AnnotatedIngress, NginxHostContext, Notes } from "./annotated-ingress.js";
import type { NginxLocation } from "./locations.js";

type Redirect = Extract<Action, { kind: "redirect" }>;

/** A redirect action. For a redirect that Envoy has no action for: a direct response and its `Location`. */
export type Redirected =
  | Redirect
  | { readonly kind: "respond"; readonly status: number; readonly location: string };

const codes = new Set([301, 302, 303, 307, 308]);

/**
 * `temporal-redirect` or `permanent-redirect`: redirects all requests of a location to one URL, without their own path
 * and query.
 */
export function readRedirect({ values }: AnnotatedIngress, notes: Notes): Redirected | undefined {
  const [annotation, usual, greatest] = values["temporal-redirect"]
    ? (["temporal-redirect", 302, 307] as const)
    : (["permanent-redirect", 301, 308] as const);
  const url = values[annotation];
  if (url === undefined) return undefined;
  if (annotation === "temporal-redirect" && values["permanent-redirect"])
    notes.ignore("permanent-redirect", "permanent-redirect has no effect beside temporal-redirect");
  const asked = values[`${annotation}-code`] ?? usual;
  const status = asked < 300 || asked > greatest ? usual : asked;
  const { protocol, hostname, port, pathname, search } = new URL(url);
  // Envoy's redirect action always writes a path.
  const hasPath = /^https?:\/\/[^/]*\//.test(url);
  if (!hasPath || !codes.has(status)) return { kind: "respond", status, location: url };
  return {
    kind: "redirect",
    scheme: protocol.slice(0, -1),
    host: hostname,
    ...(port ? { port: Number(port) } : {}),
    path: pathname + search,
    stripQuery: true,
    status,
  };
}

/** `app-root`: redirects the path `/` of the host. */
export const readAppRoot = ({ values }: AnnotatedIngress): Redirect | undefined =>
  values["app-root"]
    ? { kind: "redirect", path: values["app-root"], status: 302, stripQuery: true }
    : undefined;

const acme = ["/.well-known/acme-challenge"];

export const isUnder = (path: string, prefixes: readonly string[] | undefined): boolean =>
  (prefixes ?? acme).some((prefix) => path.startsWith(prefix));

/** Whether plain HTTP is redirected to HTTPS. */
export function redirectsToHttps(
  { path, of: { values } }: Pick<NginxLocation, "path" | "of">,
  hasTls: boolean,
  { config: { options } }: NginxHostContext,
): boolean {
  if (isUnder(path, options["no-tls-redirect-locations"])) return false;
  if (values["force-ssl-redirect"] ?? options["force-ssl-redirect"] ?? false) return true;
  return hasTls && (values["ssl-redirect"] ?? options["ssl-redirect"] ?? true);
}

/** The redirect to HTTPS, and what its `Location` has. */
export function httpsRedirect(
  { values }: AnnotatedIngress,
  { config: { options } }: NginxHostContext,
): { readonly action: Redirect; readonly location: NonNullable<NginxPhases["location"]> } {
  const keepsSlash = values["preserve-trailing-slash"] ?? options["preserve-trailing-slash"] ?? false;
  const hasPort = values["use-port-in-redirects"] ?? options["use-port-in-redirects"] ?? false;
  return {
    action: {
      kind: "redirect",
      scheme: "https",
      ...(hasPort ? { port: 443 } : {}),
      status: redirectStatus(options),
    },
    location: {
      ...(keepsSlash ? {} : { stripSlash: true as const }),
      ...(hasPort ? {} : { stripPort: true as const }),
    },
  };
}

export const redirectStatus = (options: NginxHostContext["config"]["options"]): number =>
  options["http-redirect-code"] ?? 308;
