import type { HeaderValueOption } from "../../gen/envoy.js";
import type { HeadersPolicy } from "../../graph/policies/headers.js";
import type { Written } from "./written.js";

const options = ({ set, add = [] }: HeadersPolicy): readonly HeaderValueOption[] => [
  ...set.map(({ name, value }): HeaderValueOption => {
    return { header: { key: name, value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" };
  }),
  ...add.map(({ name, value }): HeaderValueOption => {
    return { header: { key: name, value }, append_action: "APPEND_IF_EXISTS_OR_ADD" };
  }),
];

const hasValues = (policy: HeadersPolicy | undefined): policy is HeadersPolicy =>
  policy !== undefined && policy.set.length + (policy.add?.length ?? 0) > 0;

/** The header fields that Route and WeightedCluster.ClusterWeight share. */
export const writeHeaderFields = (
  request: HeadersPolicy | undefined,
  response: HeadersPolicy | undefined,
): {
  request_headers_to_add?: readonly HeaderValueOption[];
  request_headers_to_remove?: readonly string[];
  response_headers_to_add?: readonly HeaderValueOption[];
  response_headers_to_remove?: readonly string[];
} => ({
  ...(hasValues(request) ? { request_headers_to_add: options(request) } : {}),
  ...(request?.remove.length ? { request_headers_to_remove: request.remove } : {}),
  ...(hasValues(response) ? { response_headers_to_add: options(response) } : {}),
  ...(response?.remove.length ? { response_headers_to_remove: response.remove } : {}),
});

export const writeRequestHeaders = (policy: HeadersPolicy): Written => ({
  route: writeHeaderFields(policy, undefined),
  action: {
    ...(policy.host ? { host_rewrite_literal: policy.host } : {}),
    ...(policy.hostFromHeader ? { host_rewrite_header: policy.hostFromHeader } : {}),
  },
});

export const writeResponseHeaders = (policy: HeadersPolicy): Written => ({
  route: writeHeaderFields(undefined, policy),
});
