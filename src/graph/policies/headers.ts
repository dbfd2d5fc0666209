import type { ErrorCode } from "../../schema/finding-codes.js";
import { readServiceHeaders } from "./default-headers.js";
import { type DynamicValues, type HeadersPolicy, readHeadersPolicy } from "./header-values.js";
import type { Policy, RouteContext, ServiceContext } from "./policy.js";

type Scopes = { route: HeadersPolicy; service: HeadersPolicy };

/** The headers of a route use the values of its first backend, as in Contour. */
function routeValues({ route, proxy }: RouteContext): DynamicValues {
  const service = route.services?.find(({ mirror }) => !mirror);
  const { namespace } = proxy.meta;
  return service ? { namespace, service: service.name, port: service.port } : { namespace };
}

const serviceValues = ({ of: { proxy }, service }: ServiceContext): DynamicValues => ({
  namespace: proxy.meta.namespace,
  service: service.name,
  port: service.port,
});

type Field = "requestHeadersPolicy" | "responseHeadersPolicy";

/** The reasons for a route and for a service are Contour's. */
const headersPolicy = (
  side: "request" | "response",
  field: Field,
  reasons: { readonly route: ErrorCode; readonly service: ErrorCode },
): Policy<Scopes> => ({
  protects: false,
  fields: { route: [field], service: [field] },
  read: {
    route(context) {
      const { policy, error } = readHeadersPolicy(context.route[field], side, routeValues(context));
      if (!error) return policy;
      return context.fail("RouteError", reasons.route, `${error} on ${side} headers`, `.${field}`);
    },
    service(context) {
      const { of, service, at } = context;
      const { policy, error } = readServiceHeaders(
        service[field],
        side,
        serviceValues(context),
        of.reader.settings,
      );
      if (!error) return policy;
      return of.fail("ServiceError", reasons.service, `${error} on ${side} headers`, `${at}.${field}`);
    },
  },
});

/** `requestHeadersPolicy` of a route or service. */
export const requestHeaders: Policy<Scopes> = headersPolicy("request", "requestHeadersPolicy", {
  route: "RequestHeadersPolicyInvalid",
  service: "RequestHeadersPolicyInvalid",
});

/** `responseHeadersPolicy` of a route or service. */
export const responseHeaders: Policy<Scopes> = headersPolicy("response", "responseHeadersPolicy", {
  route: "ResponseHeaderPolicyInvalid",
  service: "ResponseHeadersPolicyInvalid",
});
