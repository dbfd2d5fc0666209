import { gatewayGroup } from "../schema/gateway.js";
import { type Ref, refOf } from "../schema/meta.js";
import { isSubdomain } from "../schema/names.js";
import { type GatewayRoute, isGatewayRoute, type KubeObject } from "../schema/object.js";
import type { Settings } from "../schema/settings.js";
import { parsed } from "./placeholders.js";

type Gateway = Extract<KubeObject, { kind: "Gateway" }>;

interface GatewayName {
  readonly namespace: string;
  readonly name: string;
}

export interface AssumedGateway {
  readonly settings: Settings;
  readonly objects: readonly KubeObject[];
}

/**
 * Adds the Gateway of the input's routes, with its GatewayClass, when the input lacks it: the Gateway in the settings, or
 * the one that most routes name. A Gateway in the input is served only when the settings name it.
 */
export function assumeGateway(
  settings: Settings,
  objects: readonly KubeObject[],
  isAssumed: (ref: Ref) => boolean,
): AssumedGateway {
  const routes = objects.filter(isGatewayRoute);
  if (routes.length === 0) return { settings, objects: [] };
  const hasGateways = objects.some(({ kind }) => kind === "Gateway");
  const name = settings.spec.gatewayRef ?? (hasGateways ? undefined : mostNamed(routes));
  if (!name) return { settings, objects: [] };
  const ref = refOf("Gateway", name.namespace, name.name);
  const present = objects.find((object): object is Gateway => object.ref === ref);
  if (!present && !isAssumed(ref)) return { settings, objects: [] };
  const className = present?.spec.gatewayClassName ?? "assumed";
  const hasClass = objects.some(({ kind, meta }) => kind === "GatewayClass" && meta.name === className);
  const classRef = refOf("GatewayClass", "", className);
  return {
    settings: settings.spec.gatewayRef
      ? settings
      : { ...settings, spec: { ...settings.spec, gatewayRef: name } },
    objects: [
      ...(hasClass || (present && !isAssumed(classRef)) ? [] : [gatewayClass(className)]),
      ...(present ? [] : [gatewayFor(name, className, routes)]),
    ],
  };
}

/** The Gateway with the most references; with equal numbers, the first by name. */
function mostNamed(routes: readonly GatewayRoute[]): GatewayName | undefined {
  const counts = new Map<string, number>();
  for (const { meta, spec } of routes)
    for (const { group, kind, namespace, name } of spec.parentRefs) {
      if (group !== gatewayGroup || kind !== "Gateway" || !isSubdomain(name)) continue;
      const key = `${namespace || meta.namespace}/${name}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  const [first] = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const [namespace, name] = first?.[0].split("/") ?? [];
  return namespace !== undefined && name !== undefined ? { namespace, name } : undefined;
}

/** The name of the Secret with the certificate of an assumed Gateway. */
export const assumedCertificate = "isoline-assumed";

const gatewayClass = (name: string): KubeObject =>
  parsed({
    apiVersion: `${gatewayGroup}/v1`,
    kind: "GatewayClass",
    metadata: { name },
    spec: { controllerName: "isoline.dev/assumed" },
  });

type Protocol = "HTTP" | "HTTPS" | "TLS" | "TCP";

interface Listener {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/** A Gateway with a listener for each section and port in the routes. The listeners allow routes from all namespaces. */
function gatewayFor(
  name: GatewayName,
  gatewayClassName: string,
  routes: readonly GatewayRoute[],
): KubeObject {
  const listeners: Listener[] = [];
  for (const route of routes)
    for (const ref of route.spec.parentRefs)
      if (ref.name === name.name && (ref.namespace || route.meta.namespace) === name.namespace)
        addListener(listeners, route.kind, ref);
  // HTTPProxies and Ingresses also use listeners of the Gateway.
  for (const port of [80, 443])
    if (!listeners.some((one) => one.port === port)) addListener(listeners, "HTTPRoute", { port });
  return parsed({
    apiVersion: `${gatewayGroup}/v1`,
    kind: "Gateway",
    metadata: name,
    spec: { gatewayClassName, listeners: listeners.slice(0, maxListeners).map(listenerOf) },
  });
}

const maxListeners = 64;

function addListener(
  listeners: Listener[],
  kind: GatewayRoute["kind"],
  { sectionName, port }: { readonly sectionName?: string | undefined; readonly port?: number | undefined },
): void {
  if (sectionName !== undefined && !isSubdomain(sectionName)) return;
  const protocol = protocolOf(kind, sectionName, port);
  const name =
    sectionName ?? (port === undefined ? protocol.toLowerCase() : `${protocol.toLowerCase()}-${port}`);
  if (listeners.some((one) => one.name === name)) return;
  listeners.push({ name, protocol, port: freePort(listeners, port ?? usualPorts[protocol]) });
}

const usualPorts: Readonly<Record<Protocol, number>> = { HTTP: 80, HTTPS: 443, TLS: 8443, TCP: 9000 };

/** An unused port: two listeners with the same port need different hostnames, and assumed listeners have none. */
function freePort(listeners: readonly Listener[], wanted: number): number {
  let port = wanted;
  while (listeners.some((one) => one.port === port)) port = port === 65535 ? 1024 : port + 1;
  return port;
}

function protocolOf(
  kind: GatewayRoute["kind"],
  section: string | undefined,
  port: number | undefined,
): Protocol {
  if (kind === "TLSRoute") return "TLS";
  if (kind === "TCPRoute") return "TCP";
  return port === 443 || port === 8443 || /https|tls|secure/i.test(section ?? "") ? "HTTPS" : "HTTP";
}

const listenerOf = ({ name, port, protocol }: Listener): object => ({
  name,
  port,
  protocol,
  allowedRoutes: { namespaces: { from: "All" } },
  ...(protocol === "HTTPS" ? { tls: { certificateRefs: [{ name: assumedCertificate }] } } : {}),
  ...(protocol === "TLS" ? { tls: { mode: "Passthrough" } } : {}),
});
