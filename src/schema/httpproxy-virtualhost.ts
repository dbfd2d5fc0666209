import { z } from "zod";
import { finiteDuration, maxAge, timeout } from "./duration.js";
import { celRule, flag, name, text, uint32, wildcardHostname } from "./fields.js";
import {
  authorizationPolicy,
  compressionPolicy,
  ipFilterPolicy,
  rateLimitPolicy,
  upstreamValidation,
} from "./httpproxy-policies.js";
import { sparse } from "./sparse.js";

const clientValidation = z.object({
  caSecret: name.optional(),
  skipClientCertValidation: flag,
  forwardClientCertificate: z
    .object({ subject: flag, cert: flag, chain: flag, dns: flag, uri: flag })
    .optional(),
  crlSecret: name.optional(),
  crlOnlyVerifyLeafCert: flag,
  optionalClientCertificate: flag,
});

/** A protocol version is any text: Contour uses its default for an unknown one. */
const tls = z.object({
  secretName: text,
  minimumProtocolVersion: text,
  maximumProtocolVersion: text,
  passthrough: flag,
  clientValidation: clientValidation.optional(),
  enableFallbackCertificate: flag,
});

const allowedHeader = z
  .object({
    exact: text,
    prefix: name.optional(),
    suffix: name.optional(),
    contains: name.optional(),
    ignoreCase: flag,
  })
  .refine(
    ({ exact, prefix, suffix, contains }) =>
      [exact, prefix, suffix, contains].filter((m) => m !== undefined).length === 1,
    {
      error: "must set exactly one of exact, prefix, suffix and contains",
    },
  )
  .meta(
    celRule(
      "(has(self.exact) ? 1 : 0) + (has(self.prefix) ? 1 : 0) + (has(self.suffix) ? 1 : 0) + (has(self.contains) ? 1 : 0) == 1",
      "must set exactly one of exact, prefix, suffix and contains",
    ),
  );

export const authorization = z
  .object({
    extensionRef: z
      .object({ apiVersion: name.optional(), namespace: name.optional(), name: name.optional() })
      .optional(),
    serviceType: z.enum(["grpc", "http"]).default("grpc"),
    httpSettings: z
      .object({
        pathPrefix: text,
        allowedAuthorizationHeaders: z.array(allowedHeader).optional(),
        allowedUpstreamHeaders: z.array(allowedHeader).optional(),
      })
      .optional(),
    authPolicy: authorizationPolicy.optional(),
    responseTimeout: timeout.optional(),
    failOpen: flag,
    withRequestBody: z
      .object({ maxRequestBytes: uint32.min(1).default(1024), allowPartialMessage: flag, packAsBytes: flag })
      .optional(),
  })
  .refine(({ httpSettings, serviceType }) => !httpSettings || serviceType === "http", {
    error: "can only be set when serviceType is http",
    path: ["httpSettings"],
  })
  .meta(
    celRule(
      "!has(self.httpSettings) || (has(self.serviceType) && self.serviceType == 'http')",
      "httpSettings can only be set when serviceType is http",
    ),
  );

const token = z.string().regex(/^[a-zA-Z0-9!#$%&'*+.^_`|~-]+$/, {
  error: "must be a header or method name, without spaces and separators",
});

const corsPolicy = z.object({
  allowCredentials: flag,
  allowOrigin: z.array(z.string()).min(1),
  allowMethods: z.array(token).min(1),
  allowHeaders: z.array(token).min(1).optional(),
  exposeHeaders: z.array(token).min(1).optional(),
  maxAge: maxAge.optional(),
  allowPrivateNetwork: flag,
});

const jwtProvider = z
  .object({
    name,
    default: flag,
    issuer: text,
    audiences: z.array(z.string()).optional(),
    remoteJWKS: z
      .object({
        uri: name,
        validation: upstreamValidation.optional(),
        timeout: finiteDuration.optional(),
        cacheDuration: finiteDuration.optional(),
        dnsLookupFamily: z.enum(["auto", "v4", "v6"]).optional(),
      })
      .optional(),
    localJWKS: z.object({ secretName: name, key: name }).optional(),
    forwardJWT: flag,
  })
  .refine(({ remoteJWKS, localJWKS }) => (remoteJWKS === undefined) !== (localJWKS === undefined), {
    error: "must set exactly one of remoteJWKS and localJWKS",
  })
  .meta(
    celRule(
      "has(self.remoteJWKS) != has(self.localJWKS)",
      "must set exactly one of remoteJWKS and localJWKS",
    ),
  );

export const virtualHost = sparse({
  fqdn: wildcardHostname,
  tls: tls.optional(),
  authorization: authorization.optional(),
  corsPolicy: corsPolicy.optional(),
  compressionPolicy: compressionPolicy.optional(),
  rateLimitPolicy: rateLimitPolicy.optional(),
  jwtProviders: z.array(jwtProvider).optional(),
  ipAllowPolicy: z.array(ipFilterPolicy).optional(),
  ipDenyPolicy: z.array(ipFilterPolicy).optional(),
});
