import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { FindingType } from "../../../schema/finding-types.js";
import type { Ref } from "../../../schema/meta.js";
import { type ClusterOverrides, clientCertificate, readCluster } from "../../backends/backend.js";
import type { TcpBackend } from "../../core/nodes.js";
import type { HTTPProxy, Reader, Report } from "../../core/reader.js";
import { tcpHealthCheck } from "../../policies/health-check.js";
import { balancerOf, type LoadBalancing } from "../../policies/load-balancing.js";
import { chainEnd } from "./chain.js";
import { includeProblem } from "./included-by.js";
import { includedProxy } from "./included-proxy.js";
import { readValidation } from "./service.js";

/**
 * Reads `spec.tcpproxy` with its includes; undefined with a finding if it has no service. The list is empty if the
 * included object has no `tcpproxy`.
 */
export function readTcpProxy(
  proxy: HTTPProxy,
  reader: Reader,
  report: Report,
  path: readonly Ref[] = [],
): readonly TcpBackend[] | undefined {
  const tcp = proxy.spec.tcpproxy;
  const fail = (reason: ErrorCode, message: string, type: FindingType = "TCPProxyError"): undefined => {
    report.error(proxy.ref, type, reason, message, "spec.tcpproxy");
    return undefined;
  };
  if (path.length === 0 && !proxy.spec.virtualhost?.tls) {
    return fail(
      "TLSMustBeConfigured",
      "Spec.TCPProxy requires that either Spec.TLS.Passthrough or Spec.TLS.SecretName be set",
    );
  }
  const include = tcp?.include ?? tcp?.includes;
  if (tcp?.services?.length && include) {
    return fail("NoServicesAndInclude", "cannot specify services and include in the same httpproxy");
  }
  if (tcp?.services?.length) return readServices(proxy, reader, report);
  if (!include) return fail("NothingDefined", "either services or inclusion must be specified");
  readLoadBalancing(proxy, report);

  const namespace = include.namespace || proxy.meta.namespace;
  const target = includedProxy(reader, namespace, include.name);
  const error = "TCPProxyIncludeError";
  if (!target) return fail("IncludeNotFound", `include ${namespace}/${include.name} not found`, error);
  if (target.spec.virtualhost) {
    const message = `root httpproxy cannot include another root httpproxy (${namespace}/${include.name})`;
    return fail("RootIncludesRoot", message, error);
  }
  const chain = [...path, proxy.ref];
  const forbidden = includeProblem(target, chain, reader, report);
  if (forbidden) return fail("IncludeNotPermitted", `include is not permitted: ${forbidden}`, error);
  const end = chainEnd(chain, target.ref);
  if (end) return fail("IncludeCreatesCycle", `include creates a cycle: ${end.names}`, error);
  if (target.spec.tcpproxy) return readTcpProxy(target, reader, report, chain);
  const message = `include ${namespace}/${include.name} has no tcpproxy, so that the host serves nothing over TLS`;
  report.warn(proxy.ref, error, "NothingDefined", message, "spec.tcpproxy");
  return [];
}

function readServices(proxy: HTTPProxy, reader: Reader, report: Report): readonly TcpBackend[] | undefined {
  const certificate = clientCertificate(reader);
  if (certificate.error) {
    report.error(proxy.ref, "TLSError", "SecretNotValid", certificate.error, "spec.tcpproxy");
    return undefined;
  }
  const healthCheck =
    proxy.spec.tcpproxy?.healthCheckPolicy && tcpHealthCheck(proxy.spec.tcpproxy.healthCheckPolicy);
  const options: ClusterOverrides = {
    loadBalancing: readLoadBalancing(proxy, report),
    ...(healthCheck ? { healthCheck } : {}),
    ...certificate.options,
  };
  const found: TcpBackend[] = [];
  for (const [i, service] of (proxy.spec.tcpproxy?.services ?? []).entries()) {
    const path = `spec.tcpproxy.services[${i}]`;
    const { cluster, error } = readCluster(reader, proxy.meta.namespace, service.name, service.port, {
      ...options,
      ...(service.protocol ? { protocol: service.protocol } : {}),
      ...(healthCheck && service.healthPort ? { healthPort: service.healthPort } : {}),
    });
    if (!cluster) {
      const message = `Spec.TCPProxy unresolved service reference: ${error}`;
      report.error(proxy.ref, "TCPProxyError", "ServiceUnresolvedReference", message, path);
      return undefined;
    }
    const checked = readValidation(proxy, service, cluster, path, reader, report);
    if (!checked) return undefined;
    found.push({ cluster: checked, weight: service.weight ?? 0 });
  }
  return found;
}

function readLoadBalancing(proxy: HTTPProxy, report: Report): LoadBalancing {
  const strategy = proxy.spec.tcpproxy?.loadBalancerPolicy?.strategy;
  if (strategy === "Cookie" || strategy === "RequestHash") {
    const message = `ignoring field "Spec.TCPProxy.LoadBalancerPolicy"; ${strategy} load balancer policy is not supported for TCPProxies`;
    report.warn(proxy.ref, "TCPProxyError", "IgnoredField", message, "spec.tcpproxy.loadBalancerPolicy");
  }
  return balancerOf(strategy);
}
