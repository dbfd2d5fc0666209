import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { Ref } from "../../../schema/meta.js";
import { clientCertificate, readCluster } from "../../backends/backend.js";
import type { Cluster } from "../../backends/cluster.js";
import { backendOf } from "../../backends/server-name.js";
import { readUpstreamValidation } from "../../backends/upstream-validation.js";
import { append } from "../../core/append.js";
import { isAllowedClass } from "../../core/class.js";
import type { Action, Backend, Route, TcpBackend, Tls } from "../../core/nodes.js";
import { type ObjectByKind, objectsOf, type Reader, type Report } from "../../core/reader.js";
import { type Root, rootOf, type SecureTerms } from "../../core/root.js";
import { isOverBudget } from "../../cost/overrun.js";
import type { PathMatch } from "../../matches/match-types.js";
import { unreachablePath } from "../../matches/normalize-path.js";
import { defaultHeaders } from "../../policies/default-headers.js";
import { httpHealthCheck } from "../../policies/health-check.js";
import { readIngressRoutePolicies } from "../../policies/index.js";
import { balancerOf } from "../../policies/load-balancing.js";
import { follow } from "../roots/follow.js";
import { readTcpServices } from "../roots/tcp.js";
import { readServerTls } from "../roots/tls.js";

export type IngressRoute = ObjectByKind<"IngressRoute">;
type RouteFields = NonNullable<IngressRoute["spec"]["routes"]>[number];
type ServiceFields = NonNullable<RouteFields["services"]>[number];

const type = "IngressRouteError";

/** The IngressRoutes of a served class among claimants. */
export const ingressRoutesOf = (refs: readonly Ref[], reader: Reader): IngressRoute[] =>
  objectsOf("IngressRoute", refs, reader).filter((found) =>
    isAllowedClass(found, undefined, reader.settings),
  );

/** Why an IngressRoute can't be the root of any host. */
export const ingressRouteProblem = ({ spec: { virtualhost } }: IngressRoute): string | undefined =>
  virtualhost?.fqdn?.includes("*")
    ? `Spec.VirtualHost.Fqdn "${virtualhost.fqdn}" cannot use wildcards`
    : undefined;

/** Reads the root of a host (v1beta1 rules); undefined when it can't be served. */
export function readIngressRouteRoot(root: IngressRoute, reader: Reader, report: Report): Root | undefined {
  if (isOverBudget(root, type, "spec", reader, report)) return undefined;
  const owner = root.ref;
  const host = root.spec.virtualhost;
  let tls: Tls | undefined;
  if (host?.tls?.secretName) {
    tls = readRootTls(root, reader, report);
    if (!tls) return undefined;
  }
  const passthrough = !tls && (host?.tls?.passthrough ?? false);
  const tcp =
    root.spec.tcpproxy && (tls || passthrough) ? readTcp(root, reader, report, [root.ref]) : undefined;
  const secure = tls !== undefined;
  const routes = readRoutes(root, { parents: [root.ref], secure }, reader, report);
  return rootOf({ kind: "http", owner, policies: {} }, readSecureTerms(owner, passthrough, tls, tcp), routes);
}

function readSecureTerms(
  owner: Ref,
  passthrough: boolean,
  tls: Tls | undefined,
  tcp: readonly TcpBackend[] | undefined,
): SecureTerms | undefined {
  if (tcp?.length) return { kind: "tcp", owner, ...(tls ? { tls } : {}), backends: tcp };
  if (passthrough) return { kind: "none", owner };
  return tls && { kind: "https", owner, policies: {}, tls };
}

function readRootTls(root: IngressRoute, reader: Reader, report: Report): Tls | undefined {
  const minimum = root.spec.virtualhost?.tls?.minimumProtocolVersion;
  return readServerTls(root, { minimum }, reader, report, (reason, message, path) => {
    report.error(root.ref, type, reason, message, path);
    return undefined;
  });
}

interface Place {
  readonly parents: readonly Ref[];
  readonly secure: boolean;
  /** The match of the delegating route. */
  readonly within?: string;
}

/** The routes of an object up to the first invalid one: v1beta1 stops there and keeps the earlier ones. */
function readRoutes(object: IngressRoute, place: Place, reader: Reader, report: Report): Route[] {
  const routes: Route[] = [];
  for (const [i, route] of (object.spec.routes ?? []).entries()) {
    const path = `spec.routes[${i}]`;
    const fail = (reason: ErrorCode, message: string, field = ""): void =>
      report.error(object.ref, type, reason, message, path + field);
    const problem = routeProblem(route, place);
    if (problem) {
      fail(problem.reason, problem.message, problem.field);
      return routes;
    }
    if (route.services?.length) {
      const found = readServicesRoute(object, route, path, place, reader, report);
      if (!found) return routes;
      routes.push(found);
    } else if (route.delegate) {
      const target = readDelegate(object, route.delegate, place.parents, path, reader, report);
      if (target === "stop") return routes;
      if (!target) continue;
      const inner = { ...place, parents: [...place.parents, target.ref], within: route.match };
      append(routes, readRoutes(target, inner, reader, report));
    }
  }
  return routes;
}

/** The problem with a route itself, without its services or its delegation. */
function routeProblem(
  { match, services, delegate }: RouteFields,
  { within }: Place,
): { reason: ErrorCode; message: string; field?: string } | undefined {
  if (services?.length && delegate) {
    const message = `route "${match}": cannot specify services and delegate in the same route`;
    return { reason: "ServicesAndDelegate", message };
  }
  if (within === undefined || isWithin(match, within)) return undefined;
  const message = `the path prefix "${match}" does not match the parent's path prefix "${within}"`;
  return { reason: "PathMatchNotValid", message, field: ".match" };
}

const segments = (path: string): string => (path.endsWith("/") ? path : `${path}/`);
const isWithin = (child: string, parent: string): boolean => segments(child).startsWith(segments(parent));

/** The target of a delegation. A missing one is skipped without a finding (v1beta1); an invalid one stops the object. */
function readDelegate(
  object: IngressRoute,
  delegate: { readonly name: string; readonly namespace?: string },
  parents: readonly Ref[],
  path: string,
  reader: Reader,
  report: Report,
  label = "route",
): IngressRoute | undefined | "stop" {
  const fail = (reason: ErrorCode, message: string): "stop" => {
    report.error(object.ref, type, reason, message, `${path}.delegate`);
    return "stop";
  };
  const target = reader.get("IngressRoute", delegate.namespace || object.meta.namespace, delegate.name);
  const found = follow(target, parents, reader, report);
  switch (found.kind) {
    case "missing":
      return undefined;
    case "root":
      return fail("RootDelegatesToRoot", "root ingressroute cannot delegate to another root ingressroute");
    case "forbidden":
      return fail("IncludeNotPermitted", `delegation is not permitted: ${found.why}`);
    case "end":
      return fail("DelegationCycle", `${label} creates a delegation cycle: ${found.names}`);
    case "target":
      return found.target;
  }
}

function readServicesRoute(
  object: IngressRoute,
  route: RouteFields,
  path: string,
  place: Place,
  reader: Reader,
  report: Report,
): Route | undefined {
  const backends: Backend[] = [];
  for (const [j, service] of (route.services ?? []).entries()) {
    const cluster = readService(
      object,
      service,
      `route "${route.match}": `,
      `${path}.services[${j}]`,
      reader,
      report,
    );
    if (!cluster) return undefined;
    backends.push(backendOf(cluster, service.weight ?? 0, defaultHeaders(reader.settings, cluster)));
  }
  const action: Action = { kind: "forward", backends };
  const matched: PathMatch = { kind: "prefix", value: route.match };
  const policies = readIngressRoutePolicies(
    { route, match: matched },
    { annotations: object.meta.annotations, settings: reader.settings },
  );
  const unreachable = unreachablePath(matched, reader.settings);
  if (unreachable) report.warn(object.ref, type, "PathNeverMatches", unreachable, `${path}.match`);
  const keepHttp = route.permitInsecure && !reader.settings.disablePermitInsecure;
  return {
    match: { path: matched, headers: [], queries: [] },
    action,
    policies,
    insecure: place.secure && !keepHttp ? "redirect" : "serve",
    from: object.ref,
    field: path,
  };
}

function readService(
  object: IngressRoute,
  service: ServiceFields,
  label: string,
  path: string,
  reader: Reader,
  report: Report,
): Cluster | undefined {
  const fail = (reason: ErrorCode, message: string): undefined => {
    report.error(object.ref, type, reason, message, path);
    return undefined;
  };
  if (service.port < 1 || service.port > 65535) {
    return fail("ServicePortInvalid", `${label}service "${service.name}": port must be in the range 1-65535`);
  }
  const certificate = clientCertificate(reader);
  if (certificate.error) return fail("SecretNotValid", certificate.error);
  const check = service.healthCheck;
  const base = {
    ...certificate.options,
    loadBalancing: service.strategy === "Cookie" ? ("ring-hash" as const) : balancerOf(service.strategy),
    ...(check ? { healthCheck: httpHealthCheck(check) } : {}),
  };
  const { cluster } = readCluster(reader, object.meta.namespace, service.name, service.port, base);
  if (!cluster)
    return fail(
      "ServiceUnresolvedReference",
      `Service [${service.name}:${service.port}] is invalid or missing`,
    );
  if (!service.validation || cluster.protocol !== "tls") return cluster;
  const { validation, message } = readUpstreamValidation(reader, service.validation, object.meta.namespace);
  if (validation) return { ...cluster, validation };
  return fail(
    "TLSUpstreamValidation",
    `Service [${service.name}:${service.port}] TLS upstream validation policy error: ${message}`,
  );
}

/** Reads `tcpproxy`. Weights have no effect in v1beta1: every service gets an equal share. */
function readTcp(
  object: IngressRoute,
  reader: Reader,
  report: Report,
  parents: readonly Ref[],
): readonly TcpBackend[] | undefined {
  const tcp = object.spec.tcpproxy;
  const path = "spec.tcpproxy";
  if (tcp?.services?.length && tcp.delegate) {
    report.error(
      object.ref,
      type,
      "ServicesAndDelegate",
      "tcpproxy: cannot specify services and delegate in the same tcpproxy",
      path,
    );
    return undefined;
  }
  if (tcp?.delegate) {
    const target = readDelegate(object, tcp.delegate, parents, path, reader, report, "tcpproxy");
    return target && target !== "stop"
      ? readTcp(target, reader, report, [...parents, target.ref])
      : undefined;
  }
  const { namespace } = object.meta;
  const fail = (reason: ErrorCode, message: string, at: string): undefined => {
    report.error(object.ref, type, reason, message, at);
    return undefined;
  };
  return readTcpServices(
    {
      namespace,
      services: tcp?.services ?? [],
      weightOf: () => 0,
      badCertificate: (message) => fail("SecretNotValid", message, path),
      unresolved: ({ name, port }, _, at) =>
        fail("ServiceUnresolvedReference", `tcpproxy: service ${namespace}/${name}/${port}: not found`, at),
    },
    reader,
  );
}
