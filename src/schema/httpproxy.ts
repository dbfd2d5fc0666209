import { z } from "zod";
import { flag, name, port, shortName, text, uint32 } from "./fields.js";
import {
  authorizationPolicy,
  compressionPolicy,
  cookieRewritePolicy,
  directResponsePolicy,
  headerCondition,
  headersPolicy,
  httpHealthCheckPolicy,
  internalRedirectPolicy,
  ipFilterPolicy,
  jwtVerificationPolicy,
  loadBalancerPolicy,
  pathRewritePolicy,
  rateLimitPolicy,
  requestRedirectPolicy,
  retryPolicy,
  slowStartPolicy,
  tcpHealthCheckPolicy,
  timeoutPolicy,
  upstreamValidation,
} from "./httpproxy-policies.js";
import { virtualHost } from "./httpproxy-virtualhost.js";
import { sparse } from "./sparse.js";

const condition = sparse({
  prefix: text,
  exact: text,
  regex: text,
  header: headerCondition.optional(),
  queryParameter: z
    .object({
      name: shortName,
      exact: text,
      prefix: text,
      suffix: text,
      regex: text,
      contains: text,
      ignoreCase: flag,
      present: flag,
    })
    .optional(),
});

const service = sparse({
  name,
  port,
  healthPort: port.optional(),
  protocol: z.enum(["h2", "h2c", "tls"]).optional(),
  weight: uint32.optional(),
  validation: upstreamValidation.optional(),
  mirror: flag,
  requestHeadersPolicy: headersPolicy.optional(),
  responseHeadersPolicy: headersPolicy.optional(),
  cookieRewritePolicies: z.array(cookieRewritePolicy).optional(),
  slowStartPolicy: slowStartPolicy.optional(),
});

const route = sparse({
  conditions: z.array(condition).optional(),
  services: z.array(service).optional(),
  enableWebsockets: flag,
  permitInsecure: flag,
  authPolicy: authorizationPolicy.optional(),
  timeoutPolicy: timeoutPolicy.optional(),
  retryPolicy: retryPolicy.optional(),
  healthCheckPolicy: httpHealthCheckPolicy.optional(),
  loadBalancerPolicy: loadBalancerPolicy.optional(),
  pathRewritePolicy: pathRewritePolicy.optional(),
  requestHeadersPolicy: headersPolicy.optional(),
  responseHeadersPolicy: headersPolicy.optional(),
  cookieRewritePolicies: z.array(cookieRewritePolicy).optional(),
  compressionPolicy: compressionPolicy.optional(),
  rateLimitPolicy: rateLimitPolicy.optional(),
  requestRedirectPolicy: requestRedirectPolicy.optional(),
  directResponsePolicy: directResponsePolicy.optional(),
  internalRedirectPolicy: internalRedirectPolicy.optional(),
  jwtVerificationPolicy: jwtVerificationPolicy.optional(),
  ipAllowPolicy: z.array(ipFilterPolicy).optional(),
  ipDenyPolicy: z.array(ipFilterPolicy).optional(),
});

const tcpInclude = z.object({ name, namespace: text });

/**
 * projectcontour.io/v1 HTTPProxy with the rules and defaults of its CRD, because no API server validates objects from
 * files. The compiler checks what Contour itself checks (regular expressions, duplicate conditions …).
 */
export const httpProxySpec = sparse({
  ingressClassName: text,
  virtualhost: virtualHost.optional(),
  routes: z.array(route).optional(),
  includes: z
    .array(z.object({ name, namespace: text, conditions: z.array(condition).optional() }))
    .optional(),
  tcpproxy: z
    .object({
      loadBalancerPolicy: loadBalancerPolicy.optional(),
      services: z.array(service).optional(),
      include: tcpInclude.optional(),
      includes: tcpInclude.optional(),
      healthCheckPolicy: tcpHealthCheckPolicy.optional(),
    })
    .optional(),
});
