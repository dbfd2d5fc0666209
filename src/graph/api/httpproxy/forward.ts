import { clientCertificate, findServicePort, readCluster } from "../../backends/backend.js";
import { backendOf } from "../../backends/server-name.js";
import type { Action, Backend, Mirror } from "../../core/nodes.js";
import {
  type ClusterPolicies,
  type RoutePolicies,
  readClusterPolicies,
  readServicePolicies,
} from "../../policies/index.js";
import type { ServiceFields } from "../../policies/policy.js";
import type { ProxyRouteContext } from "./context.js";
import { readValidation } from "./service.js";

/** Values shared by the services of one route. */
interface Shared {
  readonly options: ClusterPolicies & ReturnType<typeof clientCertificate>["options"];
  readonly policies: RoutePolicies;
}

/** Reads `services` of a route: undefined with a finding if one of them is refused. Missing services are omitted. */
export function readForward(context: ProxyRouteContext, policies: RoutePolicies): Action | undefined {
  const { route, reader, fail } = context;
  const clusters = readClusterPolicies(context);
  if (!clusters) return undefined;
  const { options, error } = clientCertificate(reader);
  if (error) return fail("TLSError", "SecretNotValid", error);
  const shared: Shared = { options: { ...clusters, ...options }, policies };
  const backends: Backend[] = [];
  let mirror: Mirror | undefined;
  for (const [i, service] of (route.services ?? []).entries()) {
    const backend = readBackend(context, service, `.services[${i}]`, shared);
    if (backend === "invalid") return undefined;
    if (!backend) continue;
    if (!service.mirror) {
      backends.push(backend);
      continue;
    }
    if (mirror) {
      const message = "only one service per route may be nominated as mirror";
      return fail("ServiceError", "OnlyOneMirror", message, `.services[${i}].mirror`);
    }
    mirror = { cluster: backend.cluster, percent: Math.min(backend.weight || 100, 100) };
  }
  if (backends.length === 0) return { kind: "respond", status: 503 };
  return { kind: "forward", backends, ...(mirror ? { mirrors: [mirror] } : {}) };
}

/** Reads one service: undefined if the Service does not exist, "invalid" if the object is refused. */
function readBackend(
  context: ProxyRouteContext,
  service: ServiceFields,
  at: string,
  shared: Shared,
): Backend | undefined | "invalid" {
  const { proxy, reader, fail, report, path } = context;
  const unresolved = (error: string | undefined): undefined =>
    fail(
      "ServiceError",
      "ServiceUnresolvedReference",
      `Spec.Routes unresolved service reference: ${error}`,
      at,
    );
  const { found, error: missing } = findServicePort(reader, proxy.meta.namespace, service.name, service.port);
  // As in Contour, other problems of a missing service have no effect on other routes.
  if (!found) return unresolved(missing);
  const own = readServicePolicies({ of: context, service, at }, shared.policies);
  if (!own) return "invalid";
  const { protocol, healthPort } = service;
  const options = Object.assign(
    {},
    shared.options,
    own.cluster,
    protocol && { protocol },
    shared.options.healthCheck && healthPort && { healthPort },
  );
  const { cluster, error } = readCluster(reader, proxy.meta.namespace, service.name, service.port, options);
  if (!cluster) return unresolved(error);
  const checked = readValidation(proxy, service, cluster, path + at, reader, report);
  if (!checked) return "invalid";
  return backendOf(checked, service.weight ?? 0, own.backend, shared.policies.requestHeaders);
}
