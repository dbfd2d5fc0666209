import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { FindingType } from "../../../schema/finding-types.js";
import type { Ref } from "../../../schema/meta.js";
import type { TcpBackend } from "../../core/nodes.js";
import type { HTTPProxy, Reader, Report } from "../../core/reader.js";
import { tcpHealthCheck } from "../../policies/health-check.js";
import { balancerOf, type LoadBalancing } from "../../policies/load-balancing.js";
import { nameIn } from "../roots/included-by.js";
import { readTcpServices } from "../roots/tcp.js";
import { readInclude } from "./included-proxy.js";
import { readValidation } from "./service.js";

type TcpProxyFields = NonNullable<HTTPProxy["spec"]["tcpproxy"]>;

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
  if (tcp?.services?.length) return readServices(proxy, tcp, reader, report);
  if (!include) return fail("NothingDefined", "either services or inclusion must be specified");
  readLoadBalancing(proxy, report);

  const chain = [...path, proxy.ref];
  const found = readInclude(proxy, include, chain, reader, report);
  const error = "TCPProxyIncludeError";
  if (found.kind === "problem") return fail(found.reason, found.message, error);
  if (found.kind === "end")
    return fail("IncludeCreatesCycle", `include creates a cycle: ${found.names}`, error);
  const { target } = found;
  if (target.spec.tcpproxy) return readTcpProxy(target, reader, report, chain);
  const message = `include ${nameIn(target.ref)} has no tcpproxy, so that the host serves nothing over TLS`;
  report.warn(proxy.ref, error, "NothingDefined", message, "spec.tcpproxy");
  return [];
}

function readServices(
  proxy: HTTPProxy,
  { services = [], healthCheckPolicy }: TcpProxyFields,
  reader: Reader,
  report: Report,
): readonly TcpBackend[] | undefined {
  const healthCheck = healthCheckPolicy && tcpHealthCheck(healthCheckPolicy);
  const fail = (type: FindingType, reason: ErrorCode, message: string, path: string): undefined => {
    report.error(proxy.ref, type, reason, message, path);
    return undefined;
  };
  const loadBalancing = readLoadBalancing(proxy, report);
  return readTcpServices(
    {
      namespace: proxy.meta.namespace,
      services,
      optionsOf: ({ protocol, healthPort }) => ({
        loadBalancing,
        ...(healthCheck ? { healthCheck } : {}),
        ...(protocol ? { protocol } : {}),
        ...(healthCheck && healthPort ? { healthPort } : {}),
      }),
      checked: (service, cluster, path) => readValidation(proxy, service, cluster, path, reader, report),
      weightOf: ({ weight = 0 }) => weight,
      badCertificate: (message) => fail("TLSError", "SecretNotValid", message, "spec.tcpproxy"),
      unresolved: (_, error, path) =>
        fail(
          "TCPProxyError",
          "ServiceUnresolvedReference",
          `Spec.TCPProxy unresolved service reference: ${error}`,
          path,
        ),
    },
    reader,
  );
}

function readLoadBalancing(proxy: HTTPProxy, report: Report): LoadBalancing {
  const strategy = proxy.spec.tcpproxy?.loadBalancerPolicy?.strategy;
  if (strategy === "Cookie" || strategy === "RequestHash") {
    const message = `ignoring field "Spec.TCPProxy.LoadBalancerPolicy"; ${strategy} load balancer policy is not supported for TCPProxies`;
    report.warn(proxy.ref, "TCPProxyError", "IgnoredField", message, "spec.tcpproxy.loadBalancerPolicy");
  }
  return balancerOf(strategy);
}
