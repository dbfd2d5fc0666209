import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { BackendRef, RouteFilter } from "../../../schema/gateway-routes.js";
import type { ObjectRef } from "../../../schema/gateway-rules.js";
import { findServicePort, type PortProtocol, readCluster, type ServicePort } from "../../backends/backend.js";
import type { Cluster } from "../../backends/cluster.js";
import { backendOf } from "../../backends/server-name.js";
import type { Action, Backend, TcpBackend } from "../../core/nodes.js";
import type { ObjectByKind } from "../../core/reader.js";
import type { HeadersPolicy } from "../../policies/header-values.js";
import type { BackendPolicies } from "../../policies/index.js";
import { certificateOption } from "./backend-certificate.js";
import { readBackendTls } from "./backend-tls.js";
import { isGranted } from "./grants.js";
import { type HeaderPolicies, readHeaderFilter } from "./header-modifier.js";
import type { GatewayRouteContext } from "./problems.js";

/** The options for all backends in the rules of one kind of route. */
export interface BackendOptions {
  /** The protocol if the Service does not specify one. */
  readonly usualProtocol?: "h2" | "h2c";
  /** Whether BackendTLSPolicies apply. */
  readonly withTls: boolean;
  /** Bytes of the client are sent unchanged: TLS that passes, and plain TCP. */
  readonly isOpaque?: boolean;
}

/** A Service, and the port that a reference names. */
interface Resolved {
  readonly service: ObjectByKind<"Service">;
  readonly port: ServicePort;
}

/** Resolves a reference to a Service. Undefined, with a finding, if it can't be used; the caller leaves it out. */
export function resolveService(
  { route, reader, fail }: GatewayRouteContext,
  ref: ObjectRef,
  path: string,
  transport: PortProtocol = "TCP",
): Resolved | undefined {
  const refuse = (reason: ErrorCode, message: string, field = ""): undefined =>
    fail("ResolvedRefs", reason, message, path + field);
  if (ref.group !== "" || ref.kind !== "Service")
    return refuse(
      "InvalidKind",
      `only Services are supported, not ${ref.group || "core"}/${ref.kind}`,
      ".kind",
    );
  if (ref.port === undefined) return refuse("Degraded", "the port of the Service is missing", ".port");
  const namespace = ref.namespace || route.meta.namespace;
  const from = { kind: route.kind, namespace: route.meta.namespace };
  if (!isGranted({ from, to: { kind: "Service", namespace, name: ref.name } }, reader)) {
    const message = `Service ${namespace}/${ref.name} must be in the route's namespace or be covered by a ReferenceGrant`;
    return refuse("RefNotPermitted", message, ".namespace");
  }
  const { service, found, error } = findServicePort(reader, namespace, ref.name, ref.port, transport);
  return service && found
    ? { service, port: found }
    : refuse("BackendNotFound", error ?? "the Service is not there");
}

/** The supported values of `appProtocol` of a Service's port. */
const appProtocols: Readonly<Record<"HTTPRoute" | "GRPCRoute", readonly string[]>> = {
  HTTPRoute: [
    "kubernetes.io/h2c",
    "kubernetes.io/ws",
    "kubernetes.io/wss",
    "http",
    "https",
    "http2",
    "grpc",
    "tcp",
    "tls",
  ],
  GRPCRoute: ["kubernetes.io/h2c", "http", "https", "http2", "grpc", "tcp", "tls"],
};

const isHttp2 = (protocol: string | undefined): boolean => protocol === "http2" || protocol === "grpc";

/**
 * The cluster of a reference to a Service. Undefined, with a finding, if it can't be used; the caller leaves it out.
 * `options` are the same for all references of a context.
 */
export function readReference(
  context: GatewayRouteContext,
  ref: ObjectRef,
  path: string,
  options: BackendOptions,
): Cluster | undefined {
  const protocol = options.usualProtocol ?? "";
  const key = [
    ref.group,
    ref.kind,
    ref.namespace,
    ref.name,
    ref.port,
    protocol,
    options.withTls,
    options.isOpaque,
  ].join("/");
  const known = context.clusters.get(key);
  if (known) return known;
  const cluster = resolveReference(context, ref, path, options);
  if (cluster) context.clusters.set(key, cluster);
  return cluster;
}

function resolveReference(
  context: GatewayRouteContext,
  ref: ObjectRef,
  path: string,
  { usualProtocol, withTls, isOpaque }: BackendOptions,
): Cluster | undefined {
  const { route, reader, fail } = context;
  const refuse = (reason: ErrorCode, message: string): undefined =>
    fail("ResolvedRefs", reason, message, path);
  const resolved = resolveService(context, ref, path);
  if (!resolved) return undefined;
  const { service, port } = resolved;
  const { namespace, name } = service.meta;
  const spoken =
    route.kind === "HTTPRoute" || route.kind === "GRPCRoute" ? appProtocols[route.kind] : undefined;
  const asked = port.appProtocol?.toLowerCase();
  if (asked && spoken && !spoken.includes(asked))
    return refuse(
      "UnsupportedProtocol",
      `appProtocol ${JSON.stringify(port.appProtocol)} is unsupported, use ${spoken.join(", ")}`,
    );
  // Protocol names without a prefix are IANA names, which are case-insensitive (ServicePort.appProtocol).
  const usual = usualProtocol ?? (isHttp2(asked) ? ("h2c" as const) : undefined);
  const tls = withTls ? readBackendTls(service, port, reader) : {};
  if (tls.error) return refuse("BackendNotFound", tls.error);
  const { cluster, error: unusable } = readCluster(reader, namespace, name, port.port, {
    isOpaque: isOpaque ?? false,
    ...tls.options,
    ...(usual && { usualProtocol: usual }),
    ...(tls.options && context.backendCertificate !== undefined
      ? { clientCertificate: certificateOption(context.backendCertificate, reader) }
      : {}),
  });
  return cluster ?? refuse("BackendNotFound", unusable ?? "the Service can't be used");
}

type FilteredRef = BackendRef & { readonly filters: readonly RouteFilter[] };

/**
 * Reads `backendRefs` of a rule. The share of invalid backends is answered 500. If no valid backend has a weight, all
 * requests are answered 500 (Gateway API, HTTPRouteRule.backendRefs). `headers` is the policy of the rule for request
 * headers.
 */
export function readBackends(
  context: GatewayRouteContext,
  refs: readonly FilteredRef[],
  path: string,
  options: BackendOptions,
  headers: HeadersPolicy | undefined,
): Extract<Action, { kind: "forward" | "respond" }> {
  const backends: Backend[] = [];
  let lost = 0;
  for (const [i, ref] of refs.entries()) {
    const at = `${path}.backendRefs[${i}]`;
    const policies = readBackendFilters(context, ref.filters, at);
    const cluster = readReference(context, ref, at, options);
    if (cluster && policies) backends.push(backendOf(cluster, ref.weight, policies, headers));
    else lost += ref.weight;
  }
  const weighs = backends.some(({ weight }) => weight > 0);
  if (!weighs) return { kind: "respond", status: 500 };
  return lost > 0 ? { kind: "forward", backends, lost } : { kind: "forward", backends };
}

/** Undefined if a filter is not supported: the backend must not get requests without it. */
function readBackendFilters(
  context: GatewayRouteContext,
  filters: readonly RouteFilter[],
  path: string,
): BackendPolicies | undefined {
  const policies: HeaderPolicies = {};
  for (const [i, filter] of filters.entries()) {
    const at = `${path}.filters[${i}]`;
    if (readHeaderFilter(context, filter, at, policies)) continue;
    const message = `filter ${filter.type} is not supported on a backendRef: only RequestHeaderModifier and ResponseHeaderModifier are`;
    return context.fail("Accepted", "UnsupportedValue", message, at);
  }
  return policies;
}

/**
 * Reads `backendRefs` of a TLSRoute or TCPRoute; undefined if no usable backend has a weight. Connections in the share
 * of unusable backends are closed.
 */
export function readTcpBackends(
  context: GatewayRouteContext,
  refs: readonly BackendRef[],
  path: string,
  options: BackendOptions,
): readonly TcpBackend[] | undefined {
  if (refs.length === 0)
    return context.fail("ResolvedRefs", "Degraded", "at least one backendRef must be specified", path);
  const backends = refs.map((ref, i): TcpBackend => {
    const cluster = readReference(context, ref, `${path}.backendRefs[${i}]`, options);
    return { ...(cluster ? { cluster } : {}), weight: ref.weight };
  });
  if (!backends.some(({ cluster }) => cluster)) return undefined;
  if (backends.some(({ weight, cluster }) => weight > 0 && cluster)) return backends;
  if (backends.some(({ weight }) => weight > 0)) return undefined;
  const message = "at least one backendRef must have a non-zero weight";
  return context.fail("Accepted", "AllBackendRefsHaveZeroWeights", message, path);
}
