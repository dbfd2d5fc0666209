import type { Ref } from "../../../schema/meta.js";
import { clientCertificate, readCluster } from "../../backends/backend.js";
import { backendOf } from "../../backends/server-name.js";
import { warnOfCertificate } from "../../certificates/certificate.js";
import { isDelegated, readKeyPair } from "../../certificates/secret.js";
import { anyHost } from "../../core/claims.js";
import { isAllowedClass } from "../../core/class.js";
import { tlsHostKey } from "../../core/keys.js";
import { ingressHttp, ingressHttps } from "../../core/listener-names.js";
import type { HttpsTerms, Route, Site, Sites, Tls } from "../../core/nodes.js";
import { byAge } from "../../core/order.js";
import { type ObjectByKind, objectsOf, type Reader, type Report } from "../../core/reader.js";
import { isOverBudget } from "../../cost/overrun.js";
import type { PathMatch } from "../../matches/match-types.js";
import { isPath, trimSlashes, unreachablePath } from "../../matches/normalize-path.js";
import { regexProblem } from "../../matches/regex.js";
import { ingressHeaders } from "../../policies/default-headers.js";
import { readIngressPolicies } from "../../policies/index.js";
import { tlsRange } from "../roots/tls.js";

export type Ingress = ObjectByKind<"Ingress">;
type PathFields = NonNullable<
  NonNullable<NonNullable<Ingress["spec"]["rules"]>[number]["http"]>["paths"]
>[number];
type BackendFields = PathFields["backend"];

const type = "IngressError";

/** The Ingresses of a served class among claimants. The last one takes precedence: the oldest, then by name. */
export function ingressesOf(refs: readonly Ref[], reader: Reader): Ingress[] {
  const found = objectsOf("Ingress", refs, reader).filter((ingress) =>
    isAllowedClass(ingress, ingress.spec.ingressClassName, reader.settings),
  );
  return found.sort((a, b) => byAge(b, a));
}

/**
 * The sites of a host from the rules (and default backends) of Ingresses. An error affects one path, or the TLS of one
 * host. The rules of a namespace are served over TLS if its own Ingresses have a `tls` entry with a certificate for
 * the host. The certificate is that of the oldest such Ingress with a rule. As in Contour, the entry may be in an
 * Ingress without rules for the host if another Ingress of its namespace has some.
 */
export function readIngresses(
  candidates: readonly Ingress[],
  host: string,
  reader: Reader,
  report: Report,
): Sites {
  const ingresses = candidates.filter((one) => !isOverBudget(one, type, "spec", reader, report));
  const http: Route[] = [];
  const overTls: { readonly namespace: string; readonly routes: readonly Route[] }[] = [];
  for (const ingress of ingresses) {
    const { meta } = ingress;
    const routes = readRules(ingress, host, reader, report);
    overTls.push({ namespace: meta.namespace, routes });
    const force = meta.annotations["ingress.kubernetes.io/force-ssl-redirect"] === "true";
    const allowHttp = meta.annotations["kubernetes.io/ingress.allow-http"] !== "false";
    if (force) http.push(...routes.map((route): Route => ({ ...route, insecure: "redirect" })));
    else if (allowHttp) http.push(...routes);
  }
  const sites = new Map<string, Site>();
  const oldest = http.at(-1)?.from;
  if (oldest) sites.set(ingressHttp, { terms: { kind: "http", owner: oldest, policies: {} }, routes: http });
  const served = new Set(overTls.flatMap(({ namespace, routes }) => (routes.length > 0 ? namespace : [])));
  const secured = new Set<string>();
  let terms: HttpsTerms | undefined;
  for (const ingress of [...securingIngresses(candidates, host, reader, report), ...ingresses]) {
    if (reader.overrun(ingress.ref)) continue;
    const tls = readIngressTls(ingress, host, reader, report);
    if (!tls || !served.has(ingress.meta.namespace)) continue;
    secured.add(ingress.meta.namespace);
    terms = { kind: "https", owner: ingress.ref, policies: {}, tls };
  }
  if (terms) {
    const routes = overTls.flatMap((rules) => (secured.has(rules.namespace) ? rules.routes : []));
    sites.set(ingressHttps, { terms, routes });
  }
  return sites;
}

/**
 * The Ingresses that have a certificate and no rule for the host, in namespaces with rules for it. Ingresses of other
 * namespaces get a warning that their entry has no effect.
 */
function securingIngresses(
  withRules: readonly Ingress[],
  host: string,
  reader: Reader,
  report: Report,
): Ingress[] {
  if (withRules.length === 0 || host === anyHost) return [];
  const known = new Set(withRules.map(({ ref }) => ref));
  const namespaces = new Set(withRules.map(({ meta }) => meta.namespace));
  return ingressesOf(reader.claimants(tlsHostKey(host)), reader).filter(({ ref, meta, spec }) => {
    if (known.has(ref)) return false;
    if (namespaces.has(meta.namespace)) return true;
    const entry = (spec.tls ?? []).findIndex(({ hosts }) => hosts?.some((one) => one.toLowerCase() === host));
    const message = `host ${JSON.stringify(host)}: the entry has no effect, because no Ingress of this namespace has a rule for the host`;
    report.warn(ref, type, "HostOfAnotherNamespace", message, `spec.tls[${entry}].hosts`);
    return false;
  });
}

/** A Contour annotation, in its current or its former group. */
const annotation = ({ meta }: Ingress, name: string): string | undefined =>
  meta.annotations[`projectcontour.io/${name}`] ?? meta.annotations[`contour.heptio.com/${name}`];

function readRules(ingress: Ingress, host: string, reader: Reader, report: Report): Route[] {
  const routes: Route[] = [];
  const add = (match: PathMatch, written: string, backend: BackendFields, path: string): void => {
    const route = readPath(ingress, match, written, backend, path, reader, report);
    if (route) routes.push(route);
  };
  // First, so that an explicit rule for `/` without a host takes precedence.
  if (host === anyHost && ingress.spec.defaultBackend) {
    add({ kind: "prefix", value: "/" }, "/", ingress.spec.defaultBackend, "spec.defaultBackend");
  }
  for (const [i, rule] of (ingress.spec.rules ?? []).entries()) {
    if ((rule.host || anyHost).toLowerCase() !== host) continue;
    for (const [j, fields] of (rule.http?.paths ?? []).entries()) {
      const path = `spec.rules[${i}].http.paths[${j}]`;
      const match = readPathMatch(fields);
      const wrong = pathProblem(match, reader.settings.budgets.regexProgramSize);
      if (wrong) {
        const message = `path ${JSON.stringify(fields.path)} ${wrong}`;
        report.error(ingress.ref, type, "PathNotValid", message, `${path}.path`);
        continue;
      }
      const unreachable = unreachablePath(match, reader.settings);
      if (unreachable) report.warn(ingress.ref, type, "PathNeverMatches", unreachable, `${path}.path`);
      add(match, fields.path || "/", fields.backend, `${path}.backend`);
    }
  }
  return routes;
}

function pathProblem({ kind, value }: PathMatch, maxProgramSize: number): string | undefined {
  if (kind !== "regex")
    return isPath(value) ? undefined : "must start with / and contain no query, space or control character";
  const wrong = regexProblem(value, maxProgramSize);
  return wrong && `is not valid RE2: ${wrong}`;
}

/** Prefix matches whole segments; ImplementationSpecific is a regex if it contains operators, else a string prefix. */
function readPathMatch({ path, pathType }: PathFields): PathMatch {
  const value = path || "/";
  if (pathType === "Exact") return { kind: "exact", value };
  if (pathType === "Prefix") {
    const trimmed = trimSlashes(value);
    return trimmed === "" ? { kind: "prefix", value: "/" } : { kind: "segment", value: trimmed };
  }
  return /[\^+*[\]%]/.test(value) ? { kind: "regex", value } : { kind: "prefix", value };
}

function readPath(
  ingress: Ingress,
  path: PathMatch,
  written: string,
  backend: BackendFields,
  field: string,
  reader: Reader,
  report: Report,
): Route | undefined {
  const service = backend.service;
  if (!service) {
    report.error(
      ingress.ref,
      type,
      "BackendNotSupported",
      "only backends of kind Service are supported",
      field,
    );
    return undefined;
  }
  const port = service.port?.number ?? service.port?.name ?? 0;
  const certificate = clientCertificate(reader);
  if (certificate.error) {
    report.error(ingress.ref, "TLSError", "SecretNotValid", certificate.error, field);
    return undefined;
  }
  const { cluster, error } = readCluster(
    reader,
    ingress.meta.namespace,
    service.name,
    port,
    certificate.options,
  );
  if (!cluster) {
    report.error(
      ingress.ref,
      type,
      "ServiceUnresolvedReference",
      `unresolved service reference: ${error}`,
      field,
    );
    return undefined;
  }
  return {
    match: { path, headers: [], queries: [] },
    action: {
      kind: "forward",
      backends: [backendOf(cluster, 0, ingressHeaders(reader.settings, cluster))],
    },
    policies: readIngressPolicies(
      {
        annotation: (name) => annotation(ingress, name),
        path: written,
        warn: (reason, message) => report.warn(ingress.ref, type, reason, message, "metadata.annotations"),
      },
      { annotations: ingress.meta.annotations, settings: reader.settings },
    ),
    insecure: "serve",
    from: ingress.ref,
    field,
  };
}

/**
 * The certificate for a host that the Ingress lists in `spec.tls`: the last valid one. An invalid one leaves HTTP
 * unchanged.
 */
function readIngressTls(ingress: Ingress, host: string, reader: Reader, report: Report): Tls | undefined {
  let found: Tls | undefined;
  for (const [i, entry] of (ingress.spec.tls ?? []).entries()) {
    if (!entry.hosts?.some((h) => h.toLowerCase() === host) || !entry.secretName) continue;
    const path = `spec.tls[${i}].secretName`;
    const namespace = annotation(ingress, "tls-cert-namespace") || ingress.meta.namespace;
    const secret = { namespace, name: entry.secretName };
    const { pair, error } = isDelegated(reader, secret, ingress.meta.namespace)
      ? readKeyPair(reader, secret)
      : { error: "certificate delegation not permitted" };
    if (pair) warnOfCertificate(pair, { about: ingress.ref, path, secret, host }, report);
    const range = tlsRange(
      annotation(ingress, "tls-minimum-protocol-version"),
      annotation(ingress, "tls-maximum-protocol-version"),
      reader,
    );
    if (!error && range) found = { secret: `${namespace}/${entry.secretName}`, ...range };
    else {
      const message = error
        ? `Secret "${namespace}/${entry.secretName}" is invalid: ${error}`
        : "the minimum TLS version is greater than the maximum";
      report.error(ingress.ref, type, error ? "SecretNotValid" : "TLSConfigNotValid", message, path);
    }
  }
  return found;
}
