import type { Ref } from "../schema/meta.js";
import { isAllowedClass, isRootNamespace } from "./class.js";
import { isOverBudget } from "./cost/overrun.js";
import { type Host, readHost } from "./httpproxy-host.js";
import { readProxyRoutes } from "./httpproxy-routes.js";
import { readTcpProxy } from "./httpproxy-tcp.js";
import { readTls } from "./httpproxy-tls.js";
import { type HTTPProxy, objectsOf, type Reader, type Report } from "./reader.js";
import type { Route, TcpBackend, Tls } from "./types.js";

/** What one root (HTTPProxy or IngressRoute) says of its host. */
export interface Root {
  readonly ref: Ref;
  readonly routes: readonly Route[];
  readonly tls?: Tls;
  readonly passthrough?: boolean;
  readonly tcp?: readonly TcpBackend[];
  readonly host?: Host;
  /** `<namespace>/<name>` of the certificate for clients without SNI. */
  readonly fallback?: string;
  /** The host has TLS: routes are served over HTTPS and, over HTTP, as `Route.insecure` says. */
  readonly secure: boolean;
}

/** The HTTPProxies of a list of claimants that are of our class. */
export const proxiesOf = (refs: readonly Ref[], reader: Reader): HTTPProxy[] =>
  objectsOf("HTTPProxy", refs, reader).filter((proxy) =>
    isAllowedClass(proxy, proxy.spec.ingressClassName, reader.settings),
  );

const describe = (proxy: HTTPProxy): string => `${proxy.meta.namespace}/${proxy.meta.name}`;

/** Reads the root of a host; undefined when it can't be served. Two roots of one host are both refused. */
export function readProxyRoot(
  proxies: readonly HTTPProxy[],
  reader: Reader,
  report: Report,
): Root | undefined {
  const roots = proxies.filter((proxy) => {
    const allowed = isRootNamespace(proxy.meta.namespace, reader.settings);
    if (!allowed) {
      const message = "root HTTPProxy cannot be defined in this namespace";
      report.error(
        proxy.ref,
        "RootNamespaceError",
        "RootProxyNotAllowedInNamespace",
        message,
        "metadata.namespace",
      );
    }
    return allowed;
  });
  if (roots.length > 1) {
    const owners = roots.map(describe).sort().join(", ");
    for (const root of roots) {
      const message = `fqdn "${root.spec.virtualhost?.fqdn}" is used in multiple HTTPProxies: ${owners}`;
      report.error(root.ref, "VirtualHostError", "DuplicateVhost", message, "spec.virtualhost.fqdn");
    }
    return undefined;
  }
  const root = roots[0];
  return root && readRoot(root, reader, report);
}

function readRoot(proxy: HTTPProxy, reader: Reader, report: Report): Root | undefined {
  const { spec, ref } = proxy;
  if (!spec.routes?.length && !spec.includes?.length && !spec.tcpproxy) {
    const message = "HTTPProxy.Spec must have at least one Route, Include, or a TCPProxy";
    report.error(ref, "SpecError", "NothingDefined", message, "spec");
    return undefined;
  }
  if (isOverBudget(proxy, "SpecError", "spec", reader, report)) return undefined;
  const security = readTls(proxy, reader, report);
  const host = security && readHost(proxy, security, reader, report);
  if (!security || !host) return undefined;

  const tcp = spec.tcpproxy ? readTcpProxy(proxy, reader, report) : undefined;
  if (spec.tcpproxy && !tcp) return undefined;
  const routes = readProxyRoutes(proxy, { conditions: [], path: [], host }, reader, report);
  return {
    ref,
    routes,
    host,
    secure: host.secure,
    passthrough: security.passthrough,
    ...(security.tls ? { tls: security.tls } : {}),
    ...(security.fallback ? { fallback: security.fallback } : {}),
    ...(tcp ? { tcp } : {}),
  };
}
