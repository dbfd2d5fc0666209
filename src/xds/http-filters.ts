import type { HttpConnectionManager, HttpFilter } from "../gen/envoy.js";
import { byStage } from "./filter-stages.js";
import { policyFilters } from "./policies/index.js";
import { passedFilter } from "./policies/nginx-phases.js";
import type { Chain, ChainFilter } from "./policies/policy.js";
import { sessionFilters } from "./policies/session.js";

const types = "type.googleapis.com/envoy.extensions.filters.http" as const;

/**
 * Compares Host and SNI. All TLS hosts share one route table: without this check a client could open a connection
 * under the rules of one host (such as client certificates) and request another host. The script and its response are
 * constants without the host of the request.
 */
const misdirected = `function envoy_on_request(handle)
  local host = string.lower(handle:headers():get(":authority") or "")
  host = string.gsub(host, ":%d+$", "")
  host = string.gsub(host, "%.$", "")
  if string.lower(handle:streamInfo():requestedServerName()) ~= host then
    handle:respond({[":status"] = "421"}, "misdirected request")
  end
end
`;

const misdirectedFilter: ChainFilter = {
  name: "isoline.misdirected_request",
  stage: "hostCheck",
  write: ({ checkSni }) =>
    checkSni
      ? { "@type": `${types}.lua.v3.Lua`, default_source_code: { inline_string: misdirected } }
      : undefined,
};

/** Whether Host and server name are compared. */
export const checksSni = ({ http_filters = [] }: HttpConnectionManager): boolean =>
  http_filters.some(({ name }) => name === misdirectedFilter.name);

/** The filters that do not belong to a policy. */
const fixed: readonly ChainFilter[] = [
  misdirectedFilter,
  {
    name: "envoy.filters.http.grpc_web",
    stage: "protocol",
    write: () => ({ "@type": `${types}.grpc_web.v3.GrpcWeb` }),
  },
  {
    name: "envoy.filters.http.grpc_stats",
    stage: "protocol",
    write: () => ({
      "@type": `${types}.grpc_stats.v3.FilterConfig`,
      emit_filter_state: true,
      enable_upstream_stats: true,
    }),
  },
  passedFilter,
  ...sessionFilters,
  { name: "router", stage: "router", write: () => ({ "@type": `${types}.router.v3.Router` }) },
];

const inOrder = [...fixed, ...policyFilters].sort(byStage);

/** The HTTP filters of a chain in the order of their stages. For plain HTTP they do not depend on routes. */
export const httpFilters = (chain: Chain): readonly HttpFilter[] =>
  inOrder.flatMap(({ name, write, disabled }) => {
    const config = write(chain);
    if (!config) return [];
    const isOff = typeof disabled === "function" ? disabled(chain) : disabled;
    return [{ name, typed_config: config, ...(isOff ? { disabled: true } : {}) }];
  });
