import { readServiceHeaders } from "./default-headers.js";
import { type DynamicValues, type HeadersPolicy, readHeadersPolicy } from "./header-values.js";
import type { Policy, RouteContext, ServiceContext } from "./policy.js";

type Scopes = { route: HeadersPolicy; service: HeadersPolicy };

/** A route's headers are those of its first backend, as in Contour. */
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

/** `requestHeadersPolicy` of a route or service. */
export const requestHeaders: Policy<Scopes> = {
  protects: false,
  fields: { route: ["requestHeadersPolicy"], service: ["requestHeadersPolicy"] },
  read: {
    route(context) {
      const { policy, error } = readHeadersPolicy(
        context.route.requestHeadersPolicy,
        "request",
        routeValues(context),
      );
      if (!error) return policy;
      const message = `${error} on request headers`;
      return context.fail("RouteError", "RequestHeadersPolicyInvalid", message, ".requestHeadersPolicy");
    },
    service(context) {
      const {
        of: { reader, fail },
        service,
        at,
      } = context;
      const { policy, error } = readServiceHeaders(
        service.requestHeadersPolicy,
        "request",
        serviceValues(context),
        reader.settings,
      );
      if (!error) return policy;
      const message = `${error} on request headers`;
      return fail("ServiceError", "RequestHeadersPolicyInvalid", message, `${at}.requestHeadersPolicy`);
    },
  },
};

/** `responseHeadersPolicy` of a route or service. */
export const responseHeaders: Policy<Scopes> = {
  protects: false,
  fields: { route: ["responseHeadersPolicy"], service: ["responseHeadersPolicy"] },
  read: {
    route(context) {
      const { policy, error } = readHeadersPolicy(
        context.route.responseHeadersPolicy,
        "response",
        routeValues(context),
      );
      if (!error) return policy;
      const message = `${error} on response headers`;
      return context.fail("RouteError", "ResponseHeaderPolicyInvalid", message, ".responseHeadersPolicy");
    },
    service(context) {
      const {
        of: { reader, fail },
        service,
        at,
      } = context;
      const { policy, error } = readServiceHeaders(
        service.responseHeadersPolicy,
        "response",
        serviceValues(context),
        reader.settings,
      );
      if (!error) return policy;
      const message = `${error} on response headers`;
      return fail("ServiceError", "ResponseHeadersPolicyInvalid", message, `${at}.responseHeadersPolicy`);
    },
  },
};
