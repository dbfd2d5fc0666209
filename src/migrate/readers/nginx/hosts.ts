import { type Conversion, partOf } from "../../conversion.js";
import { anyPath, exact, matchOf } from "../../matches.js";
import { noFilters, type SourceRoute, type SourceSite } from "../../model.js";
import type { Location, NginxHost } from "./location.js";
import { redirectOf, urlRedirect } from "./locations.js";

/**
 * Adds what applies to a whole host: `app-root`, aliases, `from-to-www-redirect`, passthrough, client certificates, and
 * the path `/` that nginx adds.
 */
export function addHostExtras(
  host: NginxHost,
  routes: readonly SourceRoute[],
  conversion: Conversion,
): SourceRoute[] {
  const all = [...routes, ...addedRoot(host)];
  const first = <T>(
    read: (location: Location) => T | undefined,
  ): { value: T; location: Location } | undefined => {
    for (const location of host.locations) {
      const value = read(location);
      if (value !== undefined) return { value, location };
    }
    return undefined;
  };
  const root = first(({ annotations }) => annotations.text("app-root"));
  if (root?.value.startsWith("/"))
    all.push(
      redirectRoute(host, root.location, {
        path: exact("/"),
        to: { status: 302, path: { kind: "full", value: root.value } },
      }),
    );
  const passthrough = first(({ annotations }) => annotations.flag("ssl-passthrough") || undefined);
  if (passthrough) setPassthrough(host, passthrough.location, conversion);
  clientCertificates(host, conversion);
  const served = withAliases(
    host,
    all,
    conversion,
    first(({ annotations }) => annotations.text("server-alias"))?.location,
  );
  const www = first(({ annotations }) => annotations.flag("from-to-www-redirect") || undefined);
  if (www) served.push(...wwwRoute(host, www.location, conversion));
  return served;
}

interface RedirectTo {
  readonly path: ReturnType<typeof exact>;
  readonly to: Extract<SourceRoute["action"], { kind: "redirect" }>["redirect"];
}

const redirectRoute = (
  { host, hasTls }: NginxHost,
  { object, field }: Location,
  { path, to }: RedirectTo,
): SourceRoute => ({
  parts: [partOf(object, field)],
  hosts: [host],
  match: matchOf(path),
  action: { kind: "redirect", redirect: to },
  filters: noFilters("infinity"),
  access: [],
  http: "serve",
  https: hasTls,
  precedence: -200_000,
});

/**
 * nginx adds `/` with the annotations of the host's first Ingress, so that a redirect of this Ingress applies to all
 * paths of the host.
 */
function addedRoot(host: NginxHost): SourceRoute[] {
  if (host.locations.some(({ path, type }) => path === "/" && type !== "Exact")) return [];
  const [first] = host.locations;
  const url = first && redirectOf(first.annotations);
  const to = url && urlRedirect(url);
  return to ? [{ ...redirectRoute(host, first, { path: anyPath, to }), precedence: -1 }] : [];
}

function withAliases(
  host: NginxHost,
  routes: readonly SourceRoute[],
  { sites }: Conversion,
  location: Location | undefined,
): SourceRoute[] {
  const aliases = (location?.annotations.list("server-alias") ?? []).map((alias) => alias.toLowerCase());
  const names = aliases.filter((alias) => /^(?:\*\.)?[a-z0-9.-]+$/.test(alias) && alias !== host.host);
  if (names.length === 0) return [...routes];
  const site = sites.find((one) => one.host === host.host);
  if (site) sites.push(...names.map((name): SourceSite => ({ ...site, host: name })));
  return routes.map((route) => ({ ...route, hosts: [...route.hosts, ...names] }));
}

function wwwRoute(host: NginxHost, location: Location, { routes, sites }: Conversion): SourceRoute[] {
  const other = host.host.startsWith("www.") ? host.host.slice(4) : `www.${host.host}`;
  const exists = routes.some(({ hosts }) => hosts.includes(other));
  if (exists || host.host.includes("*")) return [];
  const site = sites.find((one) => one.host === host.host);
  if (site) sites.push({ ...site, host: other });
  const route = redirectRoute(host, location, { path: anyPath, to: { hostname: host.host, status: 308 } });
  return [{ ...route, hosts: [other], precedence: 0 }];
}

function setPassthrough({ host, locations }: NginxHost, location: Location, conversion: Conversion): void {
  const backend = locations.find(({ path }) => path === "/")?.backend ?? location.backend;
  if (!backend) return;
  const at = conversion.sites.findIndex((site) => site.host === host);
  const part = partOf(location.object, location.field);
  const site: SourceSite = { part, host, tls: { kind: "passthrough" }, tcp: [backend] };
  if (at >= 0) conversion.sites[at] = site;
  else conversion.sites.push(site);
}

/** Client certificates apply to the whole host. The first Ingress that requests them wins. */
function clientCertificates({ host, locations }: NginxHost, conversion: Conversion): void {
  for (const { annotations, object } of locations) {
    const secret = annotations.text("auth-tls-secret");
    if (secret === undefined) continue;
    const mode = annotations.text("auth-tls-verify-client") ?? "on";
    const pass = annotations.flag("auth-tls-pass-certificate-to-upstream") ?? false;
    const at = conversion.sites.findIndex((site) => site.host === host);
    const site = conversion.sites[at];
    const part = annotations.partOf("auth-tls-secret");
    if (mode === "off" || site?.tls.kind !== "terminate" || site.tls.client) continue;
    const [namespace = "", name = ""] = secret.includes("/")
      ? secret.split("/", 2)
      : [object.namespace, secret];
    conversion.sites[at] = {
      ...site,
      tls: {
        ...site.tls,
        client: {
          ca: { namespace, name },
          optional: mode === "optional",
          ...(pass ? { forward: ["subject", "cert"] as const } : {}),
        },
      },
    };
    const message = "a client without a certificate fails the handshake, and gets no 400";
    conversion.remark("info", part, message, { hosts: [host] });
    if (pass)
      conversion.remark(
        "warning",
        part,
        "the certificate is in x-forwarded-client-cert, and not in ssl-client-*",
        { hosts: [host] },
      );
  }
}
