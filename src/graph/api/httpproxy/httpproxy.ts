import type { Ref } from "../../../schema/meta.js";
import { isAllowedClass } from "../../core/class.js";
import type { TcpBackend } from "../../core/nodes.js";
import { type HTTPProxy, objectsOf, type Reader, type Report } from "../../core/reader.js";
import { type Root, rootOf, type SecureTerms } from "../../core/root.js";
import { isOverBudget } from "../../cost/overrun.js";
import { overPlainHttp } from "../../policies/index.js";
import { type Host, readHost } from "./host.js";
import { readProxyRoutes } from "./routes.js";
import { readTcpProxy } from "./tcp.js";
import { readTls, type Security } from "./tls.js";

/** The HTTPProxies of a served class among claimants. */
export const proxiesOf = (refs: readonly Ref[], reader: Reader): HTTPProxy[] =>
  objectsOf("HTTPProxy", refs, reader).filter((proxy) =>
    isAllowedClass(proxy, proxy.spec.ingressClassName, reader.settings),
  );

/** Reads the root of a host; undefined when it can't be served. */
export function readProxyRoot(proxy: HTTPProxy, reader: Reader, report: Report): Root | undefined {
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
  const policies = overPlainHttp(host.policies);
  const overTls = host.secure ? readSecureTerms(ref, security, host, tcp) : undefined;
  return rootOf({ kind: "http", owner: ref, policies }, overTls, routes);
}

function readSecureTerms(
  owner: Ref,
  { tls, fallback }: Security,
  { policies }: Host,
  tcp: readonly TcpBackend[] | undefined,
): SecureTerms {
  if (tcp?.length) {
    const { ipFilter } = policies;
    return {
      kind: "tcp",
      owner,
      ...(ipFilter ? { ipFilter } : {}),
      ...(tls ? { tls } : {}),
      backends: tcp,
    };
  }
  // For passthrough without a tcpproxy, or a tcpproxy whose include has none.
  if (!tls || tcp) return { kind: "none", owner };
  return {
    kind: "https",
    owner,
    policies,
    tls,
    ...(fallback ? { fallback } : {}),
  };
}
