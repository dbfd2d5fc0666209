import type { ErrorCode } from "../../../schema/finding-codes.js";
import { gatewayGroup, type Listener } from "../../../schema/gateway.js";
import { isWildcardSubdomain } from "../../../schema/names.js";
import type { GatewayRoute } from "../../../schema/object.js";
import { readKeyPair } from "../../certificates/secret.js";
import { ingressHttp, ingressHttps } from "../../core/listener-names.js";
import type { ObjectByKind, Reader } from "../../core/reader.js";
import { isGranted } from "./grants.js";
import { familyOf, type ListenerProblem, portProblem } from "./ports.js";
import { matchesSelector } from "./selector.js";

export type Gateway = ObjectByKind<"Gateway">;

export type RouteObject = GatewayRoute;
export type RouteKind = RouteObject["kind"];

/** One listener of the Gateway as routes see it. */
export interface GatewayListener {
  readonly spec: Listener;
  /** Lower case; empty is any. */
  readonly hostname: string;
  /** Name of the Envoy listener that serves its port; undefined where it can't be served. */
  readonly envoy?: string;
  readonly kinds: readonly RouteKind[];
  /** `<namespace>/<name>` of its certificate, where it ends TLS. */
  readonly secret?: string;
  readonly problems: readonly ListenerProblem[];
  /** Whether routes are served by it; kinds that it can't take keep none of the others away. */
  readonly ready: boolean;
}

/** The Gateway that is served. */
export interface GatewayView {
  readonly gateway: Gateway;
  readonly listeners: readonly GatewayListener[];
}

/** The Gateway of the settings with its class; undefined unless both are there. */
export function servedGateway(
  reader: Reader,
): { readonly gateway: Gateway; readonly gatewayClass: ObjectByKind<"GatewayClass"> } | undefined {
  const { gatewayRef } = reader.settings;
  const gateway = gatewayRef && reader.get("Gateway", gatewayRef.namespace, gatewayRef.name);
  const gatewayClass = gateway && reader.get("GatewayClass", "", gateway.spec.gatewayClassName);
  return gatewayClass && { gateway, gatewayClass };
}

/** The Gateway that is served, with its listeners; undefined when there is none. */
export function readGateway(reader: Reader): GatewayView | undefined {
  const served = servedGateway(reader);
  if (!served) return undefined;
  const { gateway } = served;
  const names = envoyListeners(gateway, reader);
  return {
    gateway,
    listeners: gateway.spec.listeners.map((spec, i) => readListener(spec, names[i], gateway, reader)),
  };
}

/** Per listener of the Gateway its Envoy listener, or why it has none. */
function envoyListeners(
  { spec: { listeners } }: Gateway,
  { settings }: Reader,
): readonly (string | ListenerProblem)[] {
  const good: Listener[] = [];
  const problems = listeners.map((listener) => {
    const problem = hostnameProblem(listener) ?? portProblem(listener, good, settings);
    if (!problem) good.push(listener);
    return problem;
  });
  const first = (family: string): number =>
    Math.min(...good.filter((one) => familyOf(one) === family).map(({ port }) => port));
  const main = { http: first("http"), https: first("https") };
  return listeners.map((listener, i) => {
    const family = familyOf(listener);
    const problem = problems[i];
    if (problem || !family) return problem ?? "";
    if (family === "tcp" || listener.port !== main[family]) return `${family}-${listener.port}`;
    return family === "http" ? ingressHttp : ingressHttps;
  });
}

function hostnameProblem({ hostname }: Listener): ListenerProblem | undefined {
  if (hostname === "" || (isWildcardSubdomain(hostname) && !/^[\d.]+$/.test(hostname))) return undefined;
  const message = `invalid hostname ${JSON.stringify(hostname)}: must be a lower-case DNS name, optionally with a leading *.`;
  return { type: "Programmed", reason: "Invalid", message };
}

function readListener(
  spec: Listener,
  envoy: string | ListenerProblem | undefined,
  gateway: Gateway,
  reader: Reader,
): GatewayListener {
  const { kinds, problems: wrongKinds } = readKinds(spec);
  const selector = selectorProblem(spec);
  const problems = [...wrongKinds, ...(selector ? [selector] : [])];
  const listener = { spec, hostname: spec.hostname.toLowerCase(), kinds };
  if (typeof envoy !== "string")
    return { ...listener, problems: [...problems, ...(envoy ? [envoy] : [])], ready: false };
  const { secret, problem } = readCertificate(spec, gateway, reader);
  return {
    ...listener,
    envoy,
    ...(secret ? { secret } : {}),
    problems: problem ? [...problems, problem] : problems,
    ready: !problem && !selector,
  };
}

const usualKinds: ReadonlyMap<string, readonly RouteKind[]> = new Map([
  ["HTTP", ["HTTPRoute", "GRPCRoute"]],
  ["HTTPS", ["HTTPRoute", "GRPCRoute"]],
  ["TLS", ["TLSRoute", "TCPRoute"]],
  ["TCP", ["TCPRoute"]],
]);

/** The kinds of routes that a listener takes; one that it can't take is a problem of its references. */
function readKinds({ protocol, allowedRoutes }: Listener): {
  kinds: readonly RouteKind[];
  problems: ListenerProblem[];
} {
  const possible = usualKinds.get(protocol) ?? [];
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

/** The certificate of a listener that ends TLS. */
function readCertificate(
  { protocol, tls }: Listener,
  { meta, spec }: Gateway,
  reader: Reader,
): { secret?: string; problem?: ListenerProblem } {
  if (protocol !== "HTTPS" && protocol !== "TLS") return {};
  const fail = (
    reason: ErrorCode,
    message: string,
    type: ListenerProblem["type"] = "ResolvedRefs",
  ): { problem: ListenerProblem } => ({ problem: { type, reason, message } });
  const invalid = (message: string) => fail("Invalid", message, "Programmed");
  if (!tls) return invalid(`tls is required when protocol is ${protocol}`);
  if (tls.frontendValidation || (protocol === "HTTPS" && spec.tls?.frontend)) {
    const message =
      "certificates of clients (frontend validation) are not supported: without them nobody is let in";
    return fail("UnsupportedValue", message, "Accepted");
  }
  if (tls.mode === "Passthrough") {
    if (protocol === "HTTPS") return invalid("tls.mode must be Terminate when protocol is HTTPS");
    return tls.certificateRefs.length === 0
      ? {}
      : invalid("tls.certificateRefs cannot be defined when tls.mode is Passthrough");
  }
  const [ref] = tls.certificateRefs;
  if (!ref || tls.certificateRefs.length > 1)
    return invalid("tls.certificateRefs must hold exactly one entry");
  if (ref.group !== "" || ref.kind !== "Secret")
    return fail("InvalidCertificateRef", `certificateRef "${ref.name}" must be a reference to a Secret`);
  const secret = { namespace: ref.namespace || meta.namespace, name: ref.name };
  const from = { kind: "Gateway", namespace: meta.namespace };
  if (!isGranted({ from, to: { kind: "Secret", ...secret } }, reader)) {
    const message = `certificateRef "${ref.name}" must be in the Gateway's namespace or be covered by a ReferenceGrant`;
    return fail("RefNotPermitted", message);
  }
  const { pair, error } = readKeyPair(reader, secret);
  if (!pair) return fail("InvalidCertificateRef", `certificateRef "${ref.name}" is invalid: ${error}`);
  return { secret: `${secret.namespace}/${secret.name}` };
}

/** Whether routes of a namespace may be attached to a listener. */
export function allowsNamespace(
  { spec: { allowedRoutes } }: GatewayListener,
  { meta }: Gateway,
  namespace: string,
  reader: Reader,
): boolean {
  const { from, selector } = allowedRoutes.namespaces;
  if (from === "All") return true;
  if (from === "Same") return namespace === meta.namespace;
  if (from === "None" || !selector) return false;
  // As the API server has it on every namespace, whatever a manifest says.
  const name = { "kubernetes.io/metadata.name": namespace };
  return matchesSelector({ ...reader.get("Namespace", "", namespace)?.spec.labels, ...name }, selector);
}
