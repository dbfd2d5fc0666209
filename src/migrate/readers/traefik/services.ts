import { type Conversion, partOf } from "../../conversion.js";
import type { Field } from "../../field.js";
import type { SourceBackend, SourceBalancing, SourcePart } from "../../model.js";
import type { SourceObject } from "../../source.js";
import { group } from "./middlewares.js";
import { traefikServiceTable, transportTable } from "./table.js";

/** The targets of the requests of a route. */
export interface Targets {
  readonly parts: SourcePart[];
  readonly backends: SourceBackend[];
  readonly mirrors: { readonly backend: SourceBackend; readonly percent: number }[];
  balancing?: SourceBalancing;
  /** Whether the route has no target. A remark contains the reason. */
  closed: boolean;
}

interface Context {
  readonly conversion: Conversion;
  readonly hosts: readonly string[];
}

/** The Services of a list, and the Services that TraefikServices in the list refer to. */
export function targetsOf(services: readonly Field[], owner: SourceObject, context: Context): Targets {
  const targets: Targets = { parts: [], backends: [], mirrors: [], closed: false };
  for (const service of services)
    addService(service, owner, services.length > 1 ? 1 : undefined, targets, context, []);
  return targets;
}

function addService(
  field: Field,
  owner: SourceObject,
  usualWeight: number | undefined,
  targets: Targets,
  context: Context,
  within: readonly SourceObject[],
): void {
  const name = field.at("name").text() ?? "";
  const namespace = field.at("namespace").text() || owner.namespace;
  const weight = field.at("weight").number() ?? usualWeight;
  readBalancing(field, targets);
  if (field.at("kind").text() !== "TraefikService") {
    const backend = serviceBackend(field, owner, context);
    if (backend) targets.backends.push({ ...backend, ...(weight === undefined ? {} : { weight }) });
    else targets.closed = true;
    return;
  }
  const found = context.conversion.find(group, "TraefikService", namespace, name);
  if (found && !within.includes(found)) {
    addTraefikService(found, weight, targets, context, within);
    return;
  }
  targets.closed = true;
  const why = found ? "leads back to itself" : "is not among the input";
  const message = `TraefikService ${namespace}/${name} ${why}; answered 503`;
  const todo = name.includes("@") ? "serve it in another way" : "give it, too";
  context.conversion.remark("error", partOf(owner, field), message, {
    hosts: context.hosts,
    closes: true,
    todo,
  });
}

/** Adds the targets of a TraefikService; `weight` is its weight as a whole. */
function addTraefikService(
  found: SourceObject,
  weight: number | undefined,
  targets: Targets,
  context: Context,
  within: readonly SourceObject[],
): void {
  context.conversion.take(found, traefikServiceTable);
  targets.parts.push(partOf(found));
  const inner: Targets = { parts: targets.parts, backends: [], mirrors: targets.mirrors, closed: false };
  const nested = [...within, found];
  for (const service of found.root.at("spec", "weighted", "services").items())
    addService(service, found, 1, inner, context, nested);
  const mirroring = found.root.at("spec", "mirroring");
  if (mirroring.given) addMirroring(mirroring, found, inner, context, nested);
  const isSticky = found.root.at("spec", "weighted", "sticky").seen();
  const balancing = inner.balancing ?? (isSticky ? { strategy: "Cookie" as const } : undefined);
  if (balancing) targets.balancing = balancing;
  targets.closed ||= inner.closed;
  const isWhole = within.length === 0 && (weight === undefined || weight === 1);
  targets.backends.push(...(isWhole ? inner.backends : shares(inner.backends, weight ?? 1)));
}

/** Divides the weight of a TraefikService between its backends, in proportion to their own weights. */
function shares(backends: readonly SourceBackend[], weight: number): SourceBackend[] {
  const sum = backends.reduce((all, backend) => all + (backend.weight ?? 1), 0);
  return backends.map((backend) => ({
    ...backend,
    weight: Math.round((1000 * weight * (backend.weight ?? 1)) / Math.max(1, sum)),
  }));
}

function addMirroring(
  field: Field,
  owner: SourceObject,
  targets: Targets,
  context: Context,
  within: readonly SourceObject[],
): void {
  addService(field, owner, undefined, targets, context, within);
  for (const mirror of field.at("mirrors").items()) {
    const percent = mirror.at("percent").number() ?? 0;
    const backend = serviceBackend(mirror, owner, context);
    if (backend && percent > 0) targets.mirrors.push({ backend, percent });
  }
}

function readBalancing(field: Field, targets: Targets): void {
  if (field.at("sticky").seen()) targets.balancing = { strategy: "Cookie" };
  const strategy = field.at("strategy").text();
  if (strategy && !["wrr", "RoundRobin"].includes(strategy))
    targets.balancing ??= { strategy: "WeightedLeastRequest" };
}

function serviceBackend(
  field: Field,
  owner: SourceObject,
  { conversion, hosts }: Context,
): SourceBackend | undefined {
  const part = partOf(owner, field);
  const name = field.at("name").text();
  const namespace = field.at("namespace").text() || owner.namespace;
  const given = field.at("port").port();
  const port =
    typeof given === "string" && /^\d+$/.test(given)
      ? Number(given)
      : (given ?? conversion.onlyPort(namespace, name ?? ""));
  const scheme = field.at("scheme").text();
  const kind = field.at("kind").text();
  const close = (message: string): undefined => {
    conversion.remark("error", part, `${message}; answered 503`, { hosts, closes: true });
    return undefined;
  };
  if (kind !== undefined && kind !== "Service") return close(`a mirror of kind ${kind} can't be converted`);
  if (name === undefined || port === undefined) return close("the Service has no name or port");
  if (field.at("passHostHeader").flag() === false)
    conversion.remark("warning", part, "the backend gets the host of the request, and not its own address", {
      hosts,
    });
  field.at("nativeLB").seen();
  const portName = typeof port === "string" ? port : "";
  const isTls =
    scheme === "https" || (scheme === undefined && (port === 443 || portName.startsWith("https")));
  const validation = isTls ? validationOf(field, namespace, owner, { conversion, hosts }) : undefined;
  field.at("serversTransport").use();
  return {
    namespace,
    name,
    port,
    ...(isTls ? { protocol: "tls" as const } : scheme === "h2c" ? { protocol: "h2c" as const } : {}),
    ...(validation ? { validation } : {}),
  };
}

/** Traefik verifies backends unless a ServersTransport disables it. */
function validationOf(
  field: Field,
  namespace: string,
  owner: SourceObject,
  { conversion, hosts }: Context,
): SourceBackend["validation"] {
  const part = partOf(owner, field);
  const named = field.at("serversTransport").text();
  const transport =
    named === undefined ? undefined : conversion.find(group, "ServersTransport", owner.namespace, named);
  const weaker = (why: string): undefined => {
    conversion.remark("warning", part, `the backend's certificate is not verified: ${why}`, {
      hosts,
      todo: "write services[].validation with the authority and a name",
    });
    return undefined;
  };
  if (named !== undefined && !transport) return weaker(`ServersTransport ${named} is not among the input`);
  if (!transport)
    return weaker("Traefik verifies it under the authorities of its system, which are not known here");
  conversion.take(transport, transportTable);
  const spec = transport.root.at("spec");
  const isSkipped = spec.at("insecureSkipVerify").flag() ?? false;
  const serverName = spec.at("serverName").text();
  const [old] = spec.at("rootCAsSecrets").texts();
  const [rooted] = spec
    .at("rootCAs")
    .items()
    .map((one) => one.at("secret").text());
  const caSecret = old ?? rooted;
  spec.at("rootCAs").use();
  if (isSkipped) return undefined;
  if (!caSecret || !serverName) return weaker("that needs rootCAs with a Secret and serverName");
  if (namespace !== transport.namespace) return weaker("the Secret is of another namespace than the Service");
  return { caSecret, subjectName: serverName };
}
