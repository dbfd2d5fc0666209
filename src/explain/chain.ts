import type { FilterChain } from "../gen/envoy.js";
import { describeAddresses } from "../xds/policies/ip-filter.js";
import type { Fact } from "../xds/policies/policy.js";
import { typed } from "../xds/typed.js";
import type { TlsSeen } from "./explanation.js";

const filters = "type.googleapis.com/envoy.extensions.filters.network";
const tlsType = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";

/** Undefined without TLS. */
export function tlsOf(chain: FilterChain): TlsSeen | undefined {
  const tls = typed(chain.transport_socket?.typed_config, tlsType);
  if (!tls) return chain.filter_chain_match ? "passthrough" : undefined;
  const { common_tls_context: common, require_client_certificate: isRequired } = tls;
  const { tls_minimum_protocol_version: minimum, tls_maximum_protocol_version: maximum } =
    common?.tls_params ?? {};
  const version = (text: string | undefined): string => text?.replace("TLSv1_", "1.") ?? "";
  const { validation_context: validation } = common ?? {};
  return {
    minimum: version(minimum),
    maximum: version(maximum),
    certificates: common?.tls_certificate_sds_secret_configs?.map(({ name }) => name ?? ""),
    clientCertificate: validation ? (isRequired ? "required" : "optional") : "none",
    acceptsAny: validation?.trust_chain_verification === "ACCEPT_UNTRUSTED",
  };
}

/** The requirements of a filter chain for a connection. Never contains a key. */
export function chainFacts(chain: FilterChain): Fact[] {
  const facts = tlsFacts(tlsOf(chain));
  for (const { typed_config } of chain.filters ?? []) {
    const addresses = describeAddresses(typed(typed_config, `${filters}.rbac.v3.RBAC`)?.rules);
    if (addresses) facts.push({ what: "addresses", value: addresses });
  }
  return facts;
}

function tlsFacts(tls: TlsSeen | undefined): Fact[] {
  if (!tls) return [];
  if (tls === "passthrough") return [{ what: "TLS", value: "passed through" }];
  const { minimum, maximum, certificates, clientCertificate, acceptsAny } = tls;
  const facts: Fact[] = [{ what: "TLS", value: `${minimum} to ${maximum}` }];
  if (certificates?.length) facts.push({ what: "certificate", value: certificates.join(", ") });
  if (clientCertificate !== "none")
    facts.push({
      what: "client certificate",
      value: `${clientCertificate}${acceptsAny ? ", any certificate" : ""}`,
    });
  return facts;
}

/** The clusters of a TCP proxy, with their weights. */
export function tcpBackends(
  chain: FilterChain,
): readonly { readonly cluster: string; readonly weight: number }[] {
  for (const { typed_config } of chain.filters ?? []) {
    const proxy = typed(typed_config, `${filters}.tcp_proxy.v3.TcpProxy`);
    if (proxy?.cluster) return [{ cluster: proxy.cluster, weight: 1 }];
    if (proxy)
      return (proxy.weighted_clusters?.clusters ?? []).map(({ name = "", weight = 0 }) => ({
        cluster: name,
        weight,
      }));
  }
  return [];
}
