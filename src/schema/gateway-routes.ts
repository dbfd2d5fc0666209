import { z } from "zod";
import { gatewayDuration } from "./duration.js";
import { hostname, name, oneLine, port, text, wildcardHostname } from "./fields.js";
import { defaultScope, gatewayGroup, sectionName } from "./gateway.js";
import { externalAuth, headerName, objectRef, sessionPersistence } from "./gateway-rules.js";

const parentRef = z.object({
  group: z.string().default(gatewayGroup),
  kind: z.string().default("Gateway"),
  namespace: text,
  name,
  sectionName: sectionName.optional(),
  port: port.optional(),
});
export type ParentRef = z.output<typeof parentRef>;

const parentRefs = z.array(parentRef).max(32).default([]);
const common = { parentRefs, useDefaultGateways: defaultScope };
const hostnames = z.array(wildcardHostname).max(16).default([]);

const backendRef = objectRef.extend({ weight: z.int().min(0).max(1_000_000).default(1) });
export type BackendRef = z.output<typeof backendRef>;

const header = z.object({ name: headerName, value: z.string().min(1).max(4096) });
const headerModifier = z.object({
  set: z.array(header).max(16).default([]),
  add: z.array(header).max(16).default([]),
  remove: z.array(z.string()).max(16).default([]),
});
export type HeaderModifier = z.output<typeof headerModifier>;

const pathModifier = z.object({
  type: z.enum(["ReplaceFullPath", "ReplacePrefixMatch"]),
  replaceFullPath: z.union([z.literal(""), oneLine.max(1024)]).default(""),
  replacePrefixMatch: z.union([z.literal(""), oneLine.max(1024)]).default(""),
});
export type PathModifier = z.output<typeof pathModifier>;

const mirror = z
  .object({
    backendRef: objectRef,
    percent: z.int().min(0).max(100).optional(),
    fraction: z.object({ numerator: z.int().min(0), denominator: z.int().min(1).default(100) }).optional(),
  })
  .refine(({ percent, fraction }) => percent === undefined || fraction === undefined, {
    error: "must not set both percent and fraction",
  });

/** The field that a filter requires, by its type. */
const filterFields = {
  RequestHeaderModifier: "requestHeaderModifier",
  ResponseHeaderModifier: "responseHeaderModifier",
  RequestMirror: "requestMirror",
  RequestRedirect: "requestRedirect",
  URLRewrite: "urlRewrite",
  CORS: "cors",
  ExternalAuth: "externalAuth",
} as const;

const corsHeader = z.union([z.literal("*"), headerName]);
const httpMethod = z.enum([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
  "*",
]);
/** A scheme, a host that may begin with `*.`, and a port. */
const corsOrigin = z
  .string()
  .max(253)
  .regex(/^(?:\*|[a-zA-Z][a-zA-Z0-9+\-.]*:\/\/(?:\*|(?:\*\.)?[^\s*/?#@]+))$/, {
    error:
      'must be an origin such as "https://www.example.com", or with "*" for labels of its host, or "*" alone',
  });

/** A filter; `type` names its field. The compiler reports types that are not supported. */
const filterObject = z.object({
  type: name,
  requestHeaderModifier: headerModifier.optional(),
  responseHeaderModifier: headerModifier.optional(),
  requestMirror: mirror.optional(),
  requestRedirect: z
    .object({
      scheme: z.enum(["http", "https"]).optional(),
      hostname: hostname.optional(),
      path: pathModifier.optional(),
      port: port.optional(),
      statusCode: z.literal([301, 302, 303, 307, 308]).default(302),
    })
    .optional(),
  urlRewrite: z.object({ hostname: hostname.optional(), path: pathModifier.optional() }).optional(),
  cors: z
    .object({
      allowOrigins: z.array(corsOrigin).max(64).default([]),
      allowCredentials: z.boolean().default(false),
      allowMethods: z.array(httpMethod).max(9).default([]),
      allowHeaders: z.array(corsHeader).max(64).default([]),
      exposeHeaders: z.array(corsHeader).max(64).default([]),
      maxAge: z.int().min(1).max(2_147_483_647).default(5),
    })
    .optional(),
  externalAuth: externalAuth.optional(),
});
const filter = filterObject.superRefine((value, context) => {
  const field = new Map(Object.entries(filterFields)).get(value.type);
  if (field && value[field] === undefined)
    context.addIssue({
      code: "custom",
      message: `is missing; a filter of type ${value.type} needs it`,
      path: [field],
    });
});
export type RouteFilter = z.output<typeof filter>;

const filters = z.array(filter).max(16).default([]);
const filteredBackendRefs = z.array(backendRef.extend({ filters })).max(16).default([]);

const valueMatch = z.object({
  type: z.enum(["Exact", "RegularExpression"]).default("Exact"),
  name: headerName,
  value: oneLine.max(4096),
});
export type ValueMatch = z.output<typeof valueMatch>;

const valueMatches = z.array(valueMatch).max(16).default([]);
const anyPath = { type: "PathPrefix", value: "/" } as const;

const httpMatch = z.object({
  path: z
    .object({
      type: z.enum(["Exact", "PathPrefix", "RegularExpression"]).default("PathPrefix"),
      value: z.string().max(1024).default("/"),
    })
    .default(anyPath),
  headers: valueMatches,
  queryParams: valueMatches,
  method: z.enum(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]).optional(),
});

/** The only rule of a route without rules, as in the CRD. */
const anyRule = { matches: [{ path: anyPath }] };

/** gateway.networking.k8s.io HTTPRoute with the defaults of its CRD. */
export const httpRouteSpec = z.object({
  ...common,
  hostnames,
  rules: z
    .array(
      z.object({
        // An empty list matches all requests.
        name: sectionName.optional(),
        matches: z
          .array(httpMatch)
          .max(64)
          .default([])
          .transform((matches) => (matches.length > 0 ? matches : [httpMatch.parse({})])),
        filters,
        backendRefs: filteredBackendRefs,
        timeouts: z
          .object({ request: gatewayDuration.optional(), backendRequest: gatewayDuration.optional() })
          .optional(),
        retry: z
          .object({
            codes: z.array(z.int().min(400).max(599)).max(200).default([]),
            attempts: z.int().min(0).max(2_147_483_647).optional(),
            backoff: gatewayDuration.optional(),
          })
          .optional(),
        sessionPersistence,
      }),
    )
    .max(16)
    .prefault([anyRule]),
});

/** gateway.networking.k8s.io GRPCRoute with the defaults of its CRD. */
export const grpcRouteSpec = z.object({
  ...common,
  hostnames,
  rules: z
    .array(
      z.object({
        matches: z
          .array(
            z.object({
              method: z
                .object({
                  type: z.enum(["Exact", "RegularExpression"]).default("Exact"),
                  service: z.string().max(1024).optional(),
                  method: z.string().max(1024).optional(),
                })
                .optional(),
              headers: valueMatches,
            }),
          )
          .max(64)
          .default([]),
        name: sectionName.optional(),
        filters,
        backendRefs: filteredBackendRefs,
        sessionPersistence,
      }),
    )
    .max(16)
    .default([]),
});

const plainRules = z.array(z.object({ backendRefs: z.array(backendRef).max(16).default([]) })).max(16);

/** gateway.networking.k8s.io TLSRoute. */
export const tlsRouteSpec = z.object({
  ...common,
  hostnames: z.array(wildcardHostname).max(1024).default([]),
  rules: plainRules.min(1),
});

/** gateway.networking.k8s.io TCPRoute and UDPRoute. */
export const streamRouteSpec = z.object({ ...common, rules: plainRules.min(1) });
