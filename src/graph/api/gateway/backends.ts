import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { BackendRef, ObjectRef, RouteFilter } from "../../../schema/gateway-routes.js";
import { findServicePort, readCluster } from "../../backends/backend.js";
import type { Cluster } from "../../backends/cluster.js";
import { backendOf } from "../../backends/server-name.js";
import type { Action, Backend } from "../../core/nodes.js";
import type { HeadersPolicy } from "../../policies/header-values.js";
import type { BackendPolicies } from "../../policies/index.js";
import { readBackendTls } from "./backend-tls.js";
import { isGranted } from "./grants.js";
import { type HeaderPolicies, readHeaderFilter } from "./header-modifier.js";
import type { GatewayRouteContext } from "./problems.js";

/** What the rules of one kind of route ask of all their backends. */
export interface BackendOptions {
  /** Spoken where the Service says nothing of its protocol. */
  readonly usualProtocol?: "h2" | "h2c";
  /** Whether BackendTLSPolicies count. */
  readonly withTls: boolean;
}

const appProtocols = ["kubernetes.io/h2c", "kubernetes.io/ws", "http", "https"];

/** The cluster of a reference to a Service; one that is no good is told of, and left out by the caller. */
export function readReference(
  { route, reader, fail }: GatewayRouteContext,
  ref: ObjectRef,
  path: string,
  { usualProtocol, withTls }: BackendOptions,
): Cluster | undefined {
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
  const { service, found, error } = findServicePort(reader, namespace, ref.name, ref.port);
  if (!service || !found) return refuse("BackendNotFound", error ?? "the Service is not there");
  if (found.appProtocol && !appProtocols.includes(found.appProtocol))
    return refuse("UnsupportedProtocol", `appProtocol ${JSON.stringify(found.appProtocol)} is unsupported`);
  const tls = withTls ? readBackendTls(service, found, reader) : {};
  if (tls.error) return refuse("BackendNotFound", tls.error);
  const { cluster, error: unusable } = readCluster(reader, namespace, ref.name, ref.port, {
    ...(usualProtocol ? { usualProtocol } : {}),
    ...tls.options,
  });
  return cluster ?? refuse("BackendNotFound", unusable ?? "the Service can't be used");
}

type FilteredRef = BackendRef & { readonly filters: readonly RouteFilter[] };

/**
 * `backendRefs` of a rule. As in Contour, those that are no good are left out, and a rule whose others weigh nothing answers 500;
 * one without any is skipped. `headers` is what the rule does with those of a request.
 */
export function readBackends(
  context: GatewayRouteContext,
  refs: readonly FilteredRef[],
  path: string,
  options: BackendOptions,
  headers: HeadersPolicy | undefined,
): Extract<Action, { kind: "forward" | "respond" }> | undefined {
  if (refs.length === 0)
    return context.fail("ResolvedRefs", "Degraded", "at least one backendRef must be specified", path);
  const backends: Backend[] = [];
  for (const [i, ref] of refs.entries()) {
    const at = `${path}.backendRefs[${i}]`;
    const policies = readBackendFilters(context, ref.filters, at);
    const cluster = readReference(context, ref, at, options);
    if (cluster && policies) backends.push(backendOf(cluster, ref.weight, policies, headers));
  }
  const weighs = backends.some(({ weight }) => weight > 0);
  return weighs ? { kind: "forward", backends } : { kind: "respond", status: 500 };
}

/** Undefined when a filter can't be applied: the backend may not get requests without it. */
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

/** `backendRefs` of a TLSRoute or TCPRoute: undefined when none of them has any weight. */
export function readTcpBackends(
  context: GatewayRouteContext,
  refs: readonly BackendRef[],
  path: string,
): readonly { readonly cluster: Cluster; readonly weight: number }[] | undefined {
  if (refs.length === 0)
    return context.fail("ResolvedRefs", "Degraded", "at least one backendRef must be specified", path);
  const backends = refs.flatMap((ref, i) => {
    const cluster = readReference(context, ref, `${path}.backendRefs[${i}]`, { withTls: false });
    return cluster ? [{ cluster, weight: ref.weight }] : [];
  });
  if (backends.length === 0) return undefined;
  if (backends.some(({ weight }) => weight > 0)) return backends;
  const message = "at least one backendRef must have a non-zero weight";
  return context.fail("Accepted", "AllBackendRefsHaveZeroWeights", message, path);
}
