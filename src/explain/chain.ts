import type { DownstreamTlsContext, FilterChain } from "../gen/envoy.js";
import { typed } from "./config.js";
import { describeAddresses, type Fact } from "./protections.js";

const filters = "type.googleapis.com/envoy.extensions.filters.network";
const tlsType = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";

/** What a filter chain asks of a connection. Never tells a key. */
export function chainFacts(chain: FilterChain): Fact[] {
  const tls = typed(chain.transport_socket?.typed_config, tlsType);
  const facts: Fact[] = [];
  if (tls) facts.push(...tlsFacts(tls));
  else if (chain.filter_chain_match) facts.push({ what: "TLS", value: "passed through" });
  for (const { typed_config } of chain.filters ?? []) {
    const addresses = describeAddresses(typed(typed_config, `${filters}.rbac.v3.RBAC`)?.rules);
    if (addresses) facts.push({ what: "addresses", value: addresses });
  }
  return facts;
}

function tlsFacts({ common_tls_context: common, require_client_certificate }: DownstreamTlsContext): Fact[] {
  const names = common?.tls_certificate_sds_secret_configs?.map(({ name }) => name ?? "");
  const { tls_minimum_protocol_version: minimum, tls_maximum_protocol_version: maximum } =
    common?.tls_params ?? {};
  const version = (text: string | undefined): string => text?.replace("TLSv1_", "1.") ?? "";
  const facts: Fact[] = [{ what: "TLS", value: `${version(minimum)} to ${version(maximum)}` }];
  if (names?.length) facts.push({ what: "certificate", value: names.join(", ") });
  const { validation_context: validation } = common ?? {};
  if (validation) {
    const any = validation.trust_chain_verification === "ACCEPT_UNTRUSTED" ? ", any will do" : "";
    facts.push({
      what: "client certificate",
      value: `${require_client_certificate ? "required" : "optional"}${any}`,
    });
  }
  return facts;
}

/** The clusters that a TCP proxy shares connections among. */
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
