import type { HeaderValueOption } from "../../gen/envoy.js";
import type { HeadersPolicy } from "../../graph/policies/header-values.js";
import { facts, type WrittenPolicy } from "./policy.js";

const options = ({ set, add = [] }: HeadersPolicy): readonly HeaderValueOption[] => [
  ...set.map(({ name, value }): HeaderValueOption => {
    return { header: { key: name, value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" };
  }),
  ...add.map(({ name, value }): HeaderValueOption => {
    return { header: { key: name, value }, append_action: "APPEND_IF_EXISTS_OR_ADD" };
  }),
];

const hasValues = ({ set, add = [] }: HeadersPolicy): boolean => set.length + add.length > 0;

/** The fields of Route and WeightedCluster.ClusterWeight. */
const writeRequest = (policy: HeadersPolicy) => ({
  ...(hasValues(policy) ? { request_headers_to_add: options(policy) } : {}),
  ...(policy.remove.length > 0 ? { request_headers_to_remove: policy.remove } : {}),
});

const writeResponse = (policy: HeadersPolicy) => ({
  ...(hasValues(policy) ? { response_headers_to_add: options(policy) } : {}),
  ...(policy.remove.length > 0 ? { response_headers_to_remove: policy.remove } : {}),
});

function headerChanges(
  set: readonly HeaderValueOption[] = [],
  remove: readonly string[] = [],
): string | undefined {
  const parts = [
    ...set.map(({ header, append_action: action }) => {
      const verb = action === "OVERWRITE_IF_EXISTS_OR_ADD" ? "set" : "add";
      return `${verb} ${header?.key}: ${header?.value ?? ""}`;
    }),
    ...remove.map((name) => `remove ${name}`),
  ];
  return parts.length > 0 ? parts.join(", ") : undefined;
}

export const requestHeaders: WrittenPolicy<"requestHeaders"> = {
  write: {
    route: (policy) => ({
      route: writeRequest(policy),
      action: {
        ...(policy.host ? { host_rewrite_literal: policy.host } : {}),
        ...(policy.hostFromHeader ? { host_rewrite_header: policy.hostFromHeader } : {}),
      },
    }),
    service: (policy) => ({
      ...writeRequest(policy),
      ...(policy.host ? { host_rewrite_literal: policy.host } : {}),
    }),
  },
  describe({ route }) {
    const { host_rewrite_literal: literal, host_rewrite_header: header } = route.route ?? {};
    return facts({
      host: literal ?? (header && `from header ${header}`),
      "request headers": headerChanges(route.request_headers_to_add, route.request_headers_to_remove),
    });
  },
  describeService: (backend, name) =>
    facts({
      [`request headers for ${name}`]: headerChanges(
        backend.request_headers_to_add,
        backend.request_headers_to_remove,
      ),
      [`host for ${name}`]: backend.host_rewrite_literal,
    }),
};

export const responseHeaders: WrittenPolicy<"responseHeaders"> = {
  write: { route: (policy) => ({ route: writeResponse(policy) }), service: writeResponse },
  describe: ({ route }) =>
    facts({
      "response headers": headerChanges(route.response_headers_to_add, route.response_headers_to_remove),
    }),
  describeService: (backend, name) =>
    facts({
      [`response headers of ${name}`]: headerChanges(
        backend.response_headers_to_add,
        backend.response_headers_to_remove,
      ),
    }),
};
