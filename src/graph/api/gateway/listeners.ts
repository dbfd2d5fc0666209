import type { ErrorCode } from "../../../schema/finding-codes.js";
import { gatewayGroup, type Listener, type SecretObjectRef } from "../../../schema/gateway.js";
import { isWildcardSubdomain } from "../../../schema/names.js";
import type { SettingsSpec } from "../../../schema/settings.js";
import { readKeyPair } from "../../certificates/secret.js";
import { isRootNamespace } from "../../core/class.js";
import { ingressHttp, ingressHttps } from "../../core/listener-names.js";
import { ownersOf } from "../../core/owners.js";
import type { Reader } from "../../core/reader.js";
import { readFrontendValidation } from "./frontend-validation.js";
import type { Gateway, GatewayListener, ListenerSet, RouteKind } from "./gateway-listener.js";
import { isGranted } from "./grants.js";
import { isUnder } from "./hostnames.js";
import { familyOf, type ListenerProblem, portProblem } from "./ports.js";
import { readTlsOptions, type TlsRange } from "./tls-options.js";

/** A listener as written, and its place. */
export interface Entry {
  readonly owner: Gateway | ListenerSet;
  readonly index: number;
  readonly spec: Listener;
}

interface Owner {
  readonly gateway: Gateway;
  readonly isMain: boolean;
}

/** The name of the Envoy listener for each listener, or the problem. */
export function envoyNames(
  { gateway, isMain }: Owner,
  entries: readonly Entry[],
  settings: SettingsSpec,
): readonly (string | ListenerProblem)[] {
  const good: Listener[] = [];
  const problems = entries.map(({ spec }) => {
    const problem =
      hostnameProblem(spec) ?? portProblem(spec, good, isMain ? settings : undefined, settings.http3.enabled);
    if (!problem) good.push(spec);
    return problem;
  });
  const first = (family: string): number =>
    Math.min(...good.filter((one) => familyOf(one) === family).map(({ port }) => port));
  const main = { http: first("http"), https: first("https") };
  return entries.map(({ spec }, i) => {
    const family = familyOf(spec);
    const problem = problems[i];
    if (problem || !family) return problem ?? "";
    const name = `${family}-${spec.port}`;
    if (!isMain) return `${gateway.meta.namespace}/${gateway.meta.name}/${name}`;
    if (family === "tcp" || family === "udp" || spec.port !== main[family]) return name;
    return family === "http" ? ingressHttp : ingressHttps;
  });
}

/**
 * The name of the route table of one listener. Each HTTPS listener has its own table, so that a connection reaches only
 * the hosts of its listener. The colon distinguishes it from parts of tables (`shardName`), whatever the name of the
 * listener.
 */
const tableOf = (envoy: string, { owner, spec }: Entry): string =>
  owner.kind === "Gateway"
    ? `${envoy}:${spec.name}`
    : `${envoy}/${owner.meta.namespace}/${owner.meta.name}:${spec.name}`;

function hostnameProblem({ hostname }: Listener): ListenerProblem | undefined {
  if (hostname === "" || (isWildcardSubdomain(hostname) && !/^[\d.]+$/.test(hostname))) return undefined;
  const message = `invalid hostname ${JSON.stringify(hostname)}: must be a lower-case DNS name, optionally with a leading *.`;
  return { type: "Programmed", reason: "Invalid", message };
}

export function readListener(
  entry: Entry,
  envoy: string | ListenerProblem | undefined,
  { gateway, isMain }: Owner,
  reader: Reader,
): GatewayListener {
  const { spec } = entry;
  const { kinds, problems: wrongKinds } = readKinds(spec, isMain);
  const selector = selectorProblem(spec);
  const owned = ownerProblem(entry, reader.settings);
  const problems = [...wrongKinds, ...(selector ? [selector] : []), ...(owned ? [owned] : [])];
  const listener = { ...entry, hostname: spec.hostname.toLowerCase(), kinds };
  if (typeof envoy !== "string")
    return { ...listener, problems: [...problems, ...(envoy ? [envoy] : [])], ready: false };
  const { secrets, range, problem } = readCertificates(entry, isMain, reader);
  const { validation, problems: frontend = [] } = isMain ? {} : readFrontendValidation(spec, gateway, reader);
  const [secret, ...moreSecrets] = secrets;
  return {
    ...listener,
    envoy,
    site: !isMain && spec.protocol === "HTTPS" ? tableOf(envoy, entry) : envoy,
    ...(secret === undefined ? {} : { secret }),
    ...(range ? { range } : {}),
    ...(moreSecrets.length > 0 ? { moreSecrets } : {}),
    ...(validation ? { clientValidation: validation } : {}),
    problems: [...problems, ...(problem ? [problem] : []), ...frontend],
    ready: !problem && !selector && !owned && frontend.every(({ type }) => type !== "Accepted"),
  };
}

/**
 * A listener takes its hostname from wider listeners of the port, even without routes. A ListenerSet of a tenant must
 * not take a host in this way that the setting `hostOwners` gives to others, nor a wildcard above that host. Like a root
 * HTTPProxy, it has no hostname outside of `rootNamespaces`, unless `hostOwners` gives the hostname to its namespace.
 */
function ownerProblem({ owner, spec }: Entry, settings: SettingsSpec): ListenerProblem | undefined {
  const { namespace } = owner.meta;
  const hostname = spec.hostname.toLowerCase();
  if (owner.kind === "Gateway" || hostname === "") return undefined;
  const own = ownersOf(hostname, settings);
  const foreign =
    own && !own.includes(namespace)
      ? hostname
      : settings.hostOwners.find(
          ({ host, namespaces }) => isUnder(host, hostname) && !namespaces.includes(namespace),
        )?.host;
  if (foreign === undefined) {
    if (isRootNamespace(namespace, settings) || own?.includes(namespace)) return undefined;
    const message = `hostname ${JSON.stringify(hostname)}: a ListenerSet of the namespace ${namespace} has no hostname of its own (the setting rootNamespaces), unless the setting hostOwners gives it to the namespace`;
    return { type: "Accepted", reason: "HostNotAllowedInNamespace", message };
  }
  const message = `hostname ${JSON.stringify(hostname)}: host ${foreign} is for objects of ${(ownersOf(foreign, settings) ?? []).join(", ")} alone (the setting hostOwners)`;
  return { type: "Accepted", reason: "HostNotAllowedInNamespace", message };
}

const usualKinds: ReadonlyMap<string, readonly RouteKind[]> = new Map([
  ["HTTP", ["HTTPRoute", "GRPCRoute"]],
  ["HTTPS", ["HTTPRoute", "GRPCRoute"]],
  ["TLS", ["TLSRoute", "TCPRoute"]],
  ["TCP", ["TCPRoute"]],
  ["UDP", ["UDPRoute"]],
]);
/** For Gateways of classes. */
const kindsOfTls: readonly RouteKind[] = ["TLSRoute"];

/** The kinds of routes that a listener serves. An unsupported kind is a problem of type `ResolvedRefs`. */
function readKinds(
  { protocol, allowedRoutes }: Listener,
  isMain: boolean,
): { kinds: readonly RouteKind[]; problems: ListenerProblem[] } {
  const possible = (protocol === "TLS" && !isMain ? kindsOfTls : usualKinds.get(protocol)) ?? [];
  if (allowedRoutes.kinds.length === 0) return { kinds: possible, problems: [] };
  const problems: ListenerProblem[] = [];
  const kinds: RouteKind[] = [];
  for (const { group, kind } of allowedRoutes.kinds) {
    const known = group === gatewayGroup ? possible.find((one) => one === kind) : undefined;
    if (known) kinds.push(known);
    else {
      const message = `Kind "${group}/${kind}" is not supported for protocol ${protocol}, use ${possible.join(" or ") || "none"}`;
      problems.push({ type: "ResolvedRefs", reason: "InvalidRouteKinds", message });
    }
  }
  return { kinds, problems };
}

function selectorProblem({ allowedRoutes: { namespaces } }: Listener): ListenerProblem | undefined {
  if (namespaces.from !== "Selector") return undefined;
  const { matchLabels = {}, matchExpressions = [] } = namespaces.selector ?? {};
  const wrong = matchExpressions.find(
    ({ operator, values }) => (operator === "In" || operator === "NotIn") !== values.length > 0,
  );
  if (!wrong && Object.keys(matchLabels).length + matchExpressions.length > 0) return undefined;
  const message = wrong
    ? `allowedRoutes.namespaces.selector: ${wrong.operator} of key ${wrong.key} has ${wrong.values.length === 0 ? "no" : "needless"} values`
    : "allowedRoutes.namespaces.selector must hold a label or an expression where namespaces are chosen by it";
  return { type: "Programmed", reason: "Invalid", message };
}

interface Certificates {
  /** Each is `<namespace>/<name>`. */
  readonly secrets: readonly string[];
  readonly range?: TlsRange;
  readonly problem?: ListenerProblem;
}

/** Reads the certificates of a listener that terminates TLS. */
function readCertificates({ spec, owner }: Entry, isMain: boolean, reader: Reader): Certificates {
  const { protocol, tls } = spec;
  const { settings } = reader;
  if (protocol !== "HTTPS" && protocol !== "TLS") return { secrets: [] };
  const fail = (
    reason: ErrorCode,
    message: string,
    type: ListenerProblem["type"] = "ResolvedRefs",
  ): Certificates => ({
    secrets: [],
    problem: { type, reason, message },
  });
  const invalid = (message: string) => fail("Invalid", message, "Programmed");
  if (!tls) return invalid(`tls is required when protocol is ${protocol}`);
  const asksClients = owner.kind === "Gateway" && protocol === "HTTPS" && owner.spec.tls?.frontend;
  if (tls.frontendValidation || (isMain && asksClients)) {
    const message =
      "certificates of clients (frontend validation) are not supported: without them nobody is let in";
    return fail("UnsupportedValue", message, "Accepted");
  }
  const options = readTlsOptions(isMain ? {} : tls.options, settings);
  if (options.problem !== undefined) return fail("UnsupportedValue", options.problem, "Accepted");
  if (tls.mode === "Passthrough") {
    if (protocol === "HTTPS") return invalid("tls.mode must be Terminate when protocol is HTTPS");
    return tls.certificateRefs.length === 0
      ? { secrets: [] }
      : invalid("tls.certificateRefs cannot be defined when tls.mode is Passthrough");
  }
  if (tls.certificateRefs.length === 0 || (isMain && tls.certificateRefs.length > 1))
    return invalid(`tls.certificateRefs must hold ${isMain ? "exactly one entry" : "an entry"}`);
  const secrets: string[] = [];
  for (const ref of tls.certificateRefs) {
    const { secret, reason, message } = readCertificate(ref, owner, reader);
    if (secret === undefined) return fail(reason ?? "InvalidCertificateRef", message ?? "");
    secrets.push(secret);
  }
  return { secrets: [...new Set(secrets)], range: options.range };
}

function readCertificate(
  ref: SecretObjectRef,
  { kind, meta }: Gateway | ListenerSet,
  reader: Reader,
): { secret?: string; reason?: ErrorCode; message?: string } {
  if (ref.group !== "" || ref.kind !== "Secret")
    return {
      reason: "InvalidCertificateRef",
      message: `certificateRef "${ref.name}" must be a reference to a Secret`,
    };
  const secret = { namespace: ref.namespace || meta.namespace, name: ref.name };
  const from = { kind, namespace: meta.namespace };
  if (!isGranted({ from, to: { kind: "Secret", ...secret } }, reader)) {
    const message = `certificateRef "${ref.name}" must be in the ${kind}'s namespace or be covered by a ReferenceGrant`;
    return { reason: "RefNotPermitted", message };
  }
  const { pair, error } = readKeyPair(reader, secret);
  if (!pair)
    return { reason: "InvalidCertificateRef", message: `certificateRef "${ref.name}" is invalid: ${error}` };
  return { secret: `${secret.namespace}/${secret.name}` };
}
