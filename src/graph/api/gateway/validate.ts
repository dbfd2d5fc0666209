import { UnitCache } from "../../../schema/compile-cache.js";
import type { Ref } from "../../../schema/meta.js";
import { warnOfCertificate } from "../../certificates/certificate.js";
import { readKeyPair, secretName } from "../../certificates/secret.js";
import { isLeftOut, type Reader, type Report } from "../../core/reader.js";
import { parentsOf } from "./attach.js";
import { readTcpBackends } from "./backends.js";
import { type GatewayView, type RouteKind, type RouteObject, readGateway } from "./gateway.js";
import { readGrpcRules, readHttpRules } from "./http-route.js";
import { envoyPort, type Family, familyOf } from "./ports.js";
import { type GatewayRouteContext, routeContext } from "./problems.js";

/** Tells what is wrong with a route of the Gateway API: once, however many hosts it has. */
export function validateRoute(ref: Ref, reader: Reader, report: Report): void {
  const view = readGateway(reader);
  const [kind = "", namespace = "", name = ""] = ref.split("/");
  const route: RouteObject | undefined = view && reader.get(kind as RouteKind, namespace, name);
  if (!view || !route || isLeftOut(route.kind, reader.settings)) return;
  const context = routeContext(route, withoutNeeds(reader), report);
  const parents = parentsOf(route, view, reader);
  if (parents.length === 0) return;
  for (const { index, problem } of parents)
    if (problem) context.fail("Accepted", problem.reason, problem.message, `spec.parentRefs[${index}]`);
  validateRules(route, context);
}

function validateRules(route: RouteObject, context: GatewayRouteContext): void {
  if (route.kind === "HTTPRoute") readHttpRules(route, context);
  else if (route.kind === "GRPCRoute") readGrpcRules(route, context, "h2c");
  else
    for (const [i, rule] of route.spec.rules.entries())
      readTcpBackends(context, rule.backendRefs, `spec.rules[${i}]`);
  if (route.spec.rules.length === 1) return;
  if (route.kind === "TCPRoute")
    context.fail("Accepted", "InvalidRouteRules", "a TCPRoute must have a single rule", "spec.rules");
  else if (route.kind === "TLSRoute")
    context.warn("OneRule", "only the first rule of a TLSRoute counts", "spec.rules[1]");
}

/** To judge is not to serve: no endpoints are kept for it. */
const withoutNeeds = (reader: Reader): Reader => ({
  settings: reader.settings,
  cache: reader.cache,
  unitCache: new UnitCache(),
  get: (kind, namespace, name) => reader.get(kind, namespace, name),
  claimants: (key) => reader.claimants(key),
  need: () => undefined,
  overrun: (ref) => reader.overrun(ref),
  checkKeyPair: (certificate, key) => reader.checkKeyPair(certificate, key),
});

/** Tells what is wrong with the Gateway itself. */
export function validateGateway(reader: Reader, report: Report): GatewayView | undefined {
  const { gatewayRef } = reader.settings;
  const view = readGateway(reader);
  const gateway = gatewayRef && reader.get("Gateway", gatewayRef.namespace, gatewayRef.name);
  if (gateway && !view) {
    const message = `GatewayClass ${gateway.spec.gatewayClassName} is not there: the Gateway is not served`;
    report.error(gateway.ref, "Accepted", "InvalidParameters", message, "spec.gatewayClassName");
  }
  if (!view) return undefined;
  for (const [i, { problems }] of view.listeners.entries())
    for (const { type, reason, message } of problems)
      report.error(view.gateway.ref, type, reason, message, `spec.listeners[${i}]`);
  warnOfCertificates(view, reader, report);
  return view;
}

function warnOfCertificates({ gateway, listeners }: GatewayView, reader: Reader, report: Report): void {
  for (const [i, { secret: text, hostname }] of listeners.entries()) {
    if (text === undefined) continue;
    const secret = secretName(text, "");
    const { pair } = readKeyPair(reader, secret);
    const use = { about: gateway.ref, path: `spec.listeners[${i}].tls`, secret };
    if (pair) warnOfCertificate(pair, hostname === "" ? use : { ...use, host: hostname }, report);
  }
}

interface GatewayListenerSpec {
  readonly name: string;
  readonly listener: string;
  readonly family: Family;
  readonly port: number;
  readonly websockets: true;
}

/** The Envoy listeners of a Gateway, each once. */
export function listenerSpecsOf({ listeners }: GatewayView): GatewayListenerSpec[] {
  const fronts = new Map<string, GatewayListenerSpec>();
  for (const { envoy, spec } of listeners) {
    const family = familyOf(spec);
    if (!envoy || !family) continue;
    const port = envoyPort(spec.port);
    fronts.set(envoy, { name: envoy, listener: `${family}-${port}`, family, port, websockets: true });
  }
  return [...fronts.values()];
}
