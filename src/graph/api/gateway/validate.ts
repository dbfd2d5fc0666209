import type { ErrorCode } from "../../../schema/finding-codes.js";
import { servesGateways } from "../../../schema/gateway-settings.js";
import type { Ref } from "../../../schema/meta.js";
import { routeKinds } from "../../../schema/routing-kinds.js";
import { warnOfCertificate } from "../../certificates/certificate.js";
import { readKeyPair, secretName } from "../../certificates/secret.js";
import { validatingHost } from "../../core/claims.js";
import { hostUnit } from "../../core/keys.js";
import { NeedCollector } from "../../core/need-collector.js";
import { isLeftOut, type Reader, type Report } from "../../core/reader.js";
import { type Parent, parentsOf } from "./attach.js";
import { readTcpBackends } from "./backends.js";
import { addressesOf, type GatewayView, viewOf } from "./gateway.js";
import type { RouteKind, RouteObject } from "./gateway-listener.js";
import { classParametersProblem, parametersProblem } from "./parameters.js";
import { envoyPort, type Family, familyOf } from "./ports.js";
import { routeContext } from "./problems.js";
import { readRules, usualRules } from "./route-rules.js";
import { isListening, problemsOf } from "./taken-ports.js";
import { tcpOptions, terminatesTls } from "./tcp.js";
import { readUdpBackends } from "./udp.js";

/** Reports the problems of a route of the Gateway API, once for all its hosts. */
export function validateRoute(ref: Ref, reader: Reader, report: Report): void {
  if (!servesGateways(reader.settings)) return;
  const [kind = "", namespace = "", name = ""] = ref.split("/");
  const route: RouteObject | undefined = reader.get(kind as RouteKind, namespace, name);
  if (!route || isLeftOut(route.kind, reader.settings)) return;
  const parents = parentsOf(route, reader);
  if (parents.length === 0) return;
  for (const { field, problem } of parents)
    if (problem) report.error(ref, "Accepted", problem.reason, problem.message, field);
  validateRules(route, parents, reader, report);
}

const isRouteKind = (kind: string): kind is RouteKind => (routeKinds as readonly string[]).includes(kind);

/** The routes that the unit of a host validates. */
export const validatedBy = (host: string, reader: Reader): readonly Ref[] =>
  servesGateways(reader.settings)
    ? reader.claimants(hostUnit(host)).filter((ref) => {
        const [kind = "", namespace = "", name = ""] = ref.split("/");
        if (!isRouteKind(kind)) return false;
        const route: RouteObject | undefined = reader.get(kind, namespace, name);
        return route && validatingHost(route) === host;
      })
    : [];

function validateRules(route: RouteObject, parents: readonly Parent[], reader: Reader, report: Report): void {
  if (route.kind === "HTTPRoute" || route.kind === "GRPCRoute") {
    for (const finding of readRules(route, usualRules, reader).findings) report.add(finding);
    return;
  }
  // The validation of a route keeps no unit of endpoints.
  const context = routeContext(route, new NeedCollector(reader), report);
  if (route.kind === "UDPRoute") readUdpBackends(route, context);
  else {
    const isTerminated = parents.some(({ attached }) =>
      attached.some(({ listener }) => terminatesTls(listener)),
    );
    for (const [i, rule] of route.spec.rules.entries())
      readTcpBackends(context, rule.backendRefs, `spec.rules[${i}]`, tcpOptions(isTerminated));
  }
  if (route.spec.rules.length === 1) return;
  if (route.kind === "TLSRoute")
    context.warn("OneRule", "only the first rule of a TLSRoute counts", "spec.rules[1]");
  else context.fail("Accepted", "InvalidRouteRules", `a ${route.kind} must have a single rule`, "spec.rules");
}

/** Reports the problems of a Gateway and of its ListenerSets. Undefined if the Gateway is not served. */
export function validateGateway(
  namespace: string,
  name: string,
  reader: Reader,
  report: Report,
): GatewayView | undefined {
  const { gatewayRef } = reader.settings;
  const view = viewOf(namespace, name, reader);
  if (!view) {
    const isMain = gatewayRef?.namespace === namespace && gatewayRef.name === name;
    const gateway = isMain ? reader.get("Gateway", namespace, name) : undefined;
    if (!gateway) return undefined;
    const message = `GatewayClass ${gateway.spec.gatewayClassName} is not there: the Gateway is not served`;
    report.error(gateway.ref, "Accepted", "InvalidParameters", message, "spec.gatewayClassName");
    return undefined;
  }
  for (const { type, reason, message, path } of wholeProblems(view, reader))
    report.error(view.gateway.ref, type, reason, message, path);
  const ofClass = view.isMain ? undefined : classParametersProblem(view.gatewayClass, reader);
  if (ofClass)
    report.error(view.gatewayClass.ref, "Accepted", "InvalidParameters", ofClass, "spec.parametersRef");
  for (const { set, allowed, excess } of view.sets) {
    if (excess !== undefined) report.error(set.ref, "Accepted", "OverBudget", excess, "spec.listeners");
    const message = `Gateway ${namespace}/${name} does not let ListenerSets of the namespace ${set.meta.namespace} in (spec.allowedListeners)`;
    if (!allowed && excess === undefined)
      report.error(set.ref, "Accepted", "NotAllowed", message, "spec.parentRef");
  }
  for (const listener of view.listeners)
    for (const { type, reason, message } of problemsOf(listener, view, reader))
      report.error(listener.owner.ref, type, reason, message, `spec.listeners[${listener.index}]`);
  warnOfCertificates(view, reader, report);
  return view;
}

interface WholeProblem {
  readonly type: "Accepted" | "Programmed" | "ResolvedRefs";
  readonly reason: ErrorCode;
  readonly message: string;
  readonly path: string;
}

/** The problems of a Gateway, without those of its listeners. */
export function wholeProblems(view: GatewayView, reader: Reader): readonly WholeProblem[] {
  const { gateway, gatewayClass, backendCertificate, isMain } = view;
  const addresses = addressesOf(view, reader);
  const problems: WholeProblem[] = [];
  const invalid = { type: "Accepted", reason: "InvalidParameters" } as const;
  const own = isMain ? undefined : parametersProblem(gateway, reader);
  if (own) problems.push({ ...invalid, message: own, path: "spec.infrastructure.parametersRef" });
  const ofClass = isMain ? undefined : classParametersProblem(gatewayClass, reader);
  if (ofClass) {
    const message = `GatewayClass ${gatewayClass.meta.name}: ${ofClass}`;
    problems.push({ ...invalid, message, path: "spec.gatewayClassName" });
  }
  if (addresses?.problem) problems.push({ ...addresses.problem, path: "spec.addresses" });
  if (backendCertificate?.problem)
    problems.push({
      type: "ResolvedRefs",
      ...backendCertificate.problem,
      path: "spec.tls.backend.clientCertificateRef",
    });
  return problems;
}

function warnOfCertificates({ listeners }: GatewayView, reader: Reader, report: Report): void {
  for (const { secret: first, moreSecrets = [], hostname, owner, index } of listeners)
    for (const text of first === undefined ? [] : [first, ...moreSecrets]) {
      const secret = secretName(text, "");
      const { pair } = readKeyPair(reader, secret);
      const use = { about: owner.ref, path: `spec.listeners[${index}].tls`, secret };
      if (pair) warnOfCertificate(pair, hostname === "" ? use : { ...use, host: hostname }, report);
    }
}

interface GatewayListenerSpec {
  readonly name: string;
  readonly listener: string;
  readonly family: Exclude<Family, "udp">;
  readonly port: number;
  readonly websockets: true;
  readonly addresses?: readonly string[];
}

/**
 * The Envoy listeners of a Gateway, each once; empty if it has no address. UDP listeners are not included:
 * `readUdpStreams` returns them.
 */
export function listenerSpecsOf(view: GatewayView, reader: Reader): GatewayListenerSpec[] {
  const { listeners } = view;
  const addresses = addressesOf(view, reader);
  const fronts = new Map<string, GatewayListenerSpec>();
  for (const listener of listeners) {
    const { envoy, spec } = listener;
    const family = familyOf(spec);
    if (!envoy || !family || family === "udp") continue;
    const common = { name: envoy, family, websockets: true } as const;
    if (!addresses) {
      const port = envoyPort(spec.port);
      fronts.set(envoy, { ...common, listener: `${family}-${port}`, port });
    } else if (isListening(listener, view, reader) && addresses.list.length > 0)
      fronts.set(envoy, { ...common, listener: envoy, port: spec.port, addresses: addresses.list });
  }
  return [...fronts.values()];
}
