import { z } from "zod";
import { finiteDuration, timeout } from "./duration.js";
import {
  absolutePath,
  celRule,
  flag,
  hostname,
  name,
  oneLine,
  port,
  sentText,
  shortName,
  text,
  uint32,
} from "./fields.js";
import { sparse } from "./sparse.js";

/** A header condition of a route, an include or a rate limit descriptor. */
export const headerCondition = sparse({
  name: shortName,
  present: flag,
  notpresent: flag,
  contains: text,
  notcontains: text,
  exact: text,
  notexact: text,
  regex: text,
  ignoreCase: flag,
  treatMissingAsEmpty: flag,
});

const headerValue = z.object({ name, value: oneLine });

export const headersPolicy = z.object({
  set: z.array(headerValue).optional(),
  remove: z.array(z.string()).optional(),
});

export const timeoutPolicy = z.object({
  response: timeout.optional(),
  idle: timeout.optional(),
  idleConnection: timeout.optional(),
});

const retryOn = z.enum([
  "5xx",
  "gateway-error",
  "reset",
  "reset-before-request",
  "connect-failure",
  "envoy-ratelimited",
  "retriable-4xx",
  "refused-stream",
  "retriable-status-codes",
  "retriable-headers",
  "http3-post-connect-failure",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
]);

/** A `count` of −1 disables retries. */
export const retryPolicy = z.object({
  count: z.int().min(-1).max(4294967295).default(1),
  perTryTimeout: timeout.optional(),
  retryOn: z.array(retryOn).optional(),
  retriableStatusCodes: z.array(z.int().min(100).max(599)).optional(),
});

const seconds = uint32.optional();
const threshold = uint32.optional();

export const tcpHealthCheckPolicy = z.object({
  intervalSeconds: seconds,
  timeoutSeconds: seconds,
  unhealthyThresholdCount: threshold,
  healthyThresholdCount: threshold,
});

/** `expectedStatuses` are ranges that exclude their `end`. */
export const httpHealthCheckPolicy = tcpHealthCheckPolicy.extend({
  path: sentText.min(1),
  host: sentText.optional(),
  expectedStatuses: z
    .array(z.object({ start: z.int().min(100).max(599), end: z.int().min(101).max(600) }))
    .optional(),
});

/** Contour uses RoundRobin for an unknown strategy, so any text is valid. */
export const loadBalancerPolicy = z.object({
  strategy: text,
  requestHashPolicies: z
    .array(
      z.object({
        terminal: flag,
        headerHashOptions: z.object({ headerName: shortName }).optional(),
        queryParameterHashOptions: z.object({ parameterName: name }).optional(),
        hashSourceIP: flag,
      }),
    )
    .optional(),
});

/** Text that replaces a part of a path; `\1` is a group of the expression. */
export const pathReplacement = z.string().regex(/^(?:[^\s\p{Cc}?#\\]|\\[\d\\])*$/u, {
  error:
    "must be a part of a path without spaces, ? and #; a backslash must be before a digit or a backslash",
});

export const pathRewritePolicy = z.object({
  replacePrefix: z.array(z.object({ prefix: name.optional(), replacement: oneLine })).optional(),
  replaceRegex: z.object({ regex: oneLine, replacement: pathReplacement }).optional(),
});

const redirectCode = z.literal([301, 302, 303, 307, 308]);

export const requestRedirectPolicy = z.object({
  scheme: z.enum(["http", "https"]).optional(),
  hostname: hostname.optional(),
  port: port.optional(),
  statusCode: redirectCode.default(302),
  path: absolutePath.optional(),
  prefix: absolutePath.optional(),
});

export const directResponsePolicy = z.object({ statusCode: z.int().min(200).max(599), body: text });

export const internalRedirectPolicy = z.object({
  maxInternalRedirects: uint32.optional(),
  redirectResponseCodes: z.array(redirectCode).optional(),
  allowCrossSchemeRedirect: z.enum(["Always", "Never", "SafeOnly"]).default("Never"),
  denyRepeatedRouteRedirect: flag,
});

export const upstreamValidation = z
  .object({
    caSecret: name.max(317),
    subjectName: name.max(250),
    subjectNames: z.array(z.string()).min(1).max(8).optional(),
  })
  .refine(({ subjectName, subjectNames }) => !subjectNames?.length || subjectNames[0] === subjectName, {
    error: "must have subjectName as the first of subjectNames",
  })
  .meta(
    celRule(
      "!has(self.subjectNames) || self.subjectNames[0] == self.subjectName",
      "must have subjectName as the first of subjectNames",
    ),
  );

const cookieName = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[^()<>@,;:\\"/[\]?={} \p{Cc}]+$/u, { error: "must be a cookie name, without separators" });
const cookiePath = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[^;\p{Cc}]+$/u, { error: "must contain no ; and no control character" });

export const cookieRewritePolicy = z.object({
  name: cookieName,
  pathRewrite: z.object({ value: cookiePath }).optional(),
  domainRewrite: z.object({ value: hostname }).optional(),
  secure: flag,
  sameSite: z.enum(["Strict", "Lax", "None"]).optional(),
});

const localRateLimit = z.object({
  requests: uint32.min(1),
  unit: z.enum(["second", "minute", "hour"]),
  burst: uint32.optional(),
  responseStatusCode: z.int().min(400).max(599).optional(),
  responseHeadersToAdd: z.array(headerValue).optional(),
});

/** An entry sets exactly one of these fields. The compiler checks it and reports Contour's reason. */
const rateLimitEntry = z.object({
  genericKey: z.object({ key: text, value: name }).optional(),
  requestHeader: z.object({ headerName: shortName, descriptorKey: name }).optional(),
  requestHeaderValueMatch: z
    .object({
      headers: z.array(headerCondition).min(1).optional(),
      expectMatch: z.boolean().default(true),
      value: name,
    })
    .optional(),
  remoteAddress: z.object({}).optional(),
});

export const globalRateLimit = z.object({
  disabled: flag,
  descriptors: z
    .array(z.object({ entries: z.array(rateLimitEntry).min(1) }))
    .min(1)
    .optional(),
});

export const rateLimitPolicy = z.object({
  local: localRateLimit.optional(),
  global: globalRateLimit.optional(),
});

/** Whether responses are compressed. `disabled` is required, so that an empty policy is an error. */
export const compressionPolicy = z.object({ disabled: z.boolean() });

export const slowStartPolicy = z.object({
  window: finiteDuration,
  aggression: z
    .string()
    .max(40)
    .regex(/^(?:[0-9]+(?:[.][0-9]+)?|[.][0-9]+)$/, {
      error: 'must be a decimal number in quotes, such as "1.0"',
    })
    .default("1.0"),
  minWeightPercent: z.int().min(0).max(100).default(10),
});

export const authorizationPolicy = z.object({
  disabled: flag,
  context: z.record(z.string(), z.string()).optional(),
});

export const jwtVerificationPolicy = z.object({ require: text, disabled: flag });

/** `Peer` is the address of the connection, `Remote` the client address that trusted proxies report. */
export const ipFilterPolicy = z.object({ source: z.enum(["Peer", "Remote"]), cidr: z.string() });
