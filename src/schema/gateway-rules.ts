import { z } from "zod";
import { gatewayDuration } from "./duration.js";
import { name, port, text } from "./fields.js";

/** Parts of the rules of HTTPRoutes and GRPCRoutes. */

export const objectRef = z.object({
  group: z.string().default(""),
  kind: z.string().default("Service"),
  name,
  namespace: text,
  port: port.optional(),
});
export type ObjectRef = z.output<typeof objectRef>;

export const headerName = z
  .string()
  .max(256)
  .regex(/^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/, { error: "must be the name of a header (RFC 7230 token)" });
const headerNames = z.array(headerName).max(64).default([]);

/** HTTPExternalAuthFilter. */
export const externalAuth = z
  .object({
    protocol: z.enum(["HTTP", "GRPC"]),
    backendRef: objectRef,
    grpc: z.object({ allowedHeaders: headerNames }).optional(),
    http: z
      .object({
        path: z
          .string()
          .max(1024)
          .regex(/^(?:(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+)?$/, { error: "must be a path" })
          .default(""),
        allowedHeaders: headerNames,
        allowedResponseHeaders: headerNames,
      })
      .optional(),
    forwardBody: z.object({ maxSize: z.int().min(0).max(65_535).default(0) }).optional(),
  })
  .superRefine(({ protocol, grpc, http }, context) => {
    const wrong = (field: string, message: string) =>
      context.addIssue({ code: "custom", message, path: [field] });
    if (protocol === "GRPC" && !grpc) wrong("grpc", "is missing; the protocol GRPC needs it (it may be {})");
    if (protocol === "HTTP" && !http) wrong("http", "is missing; the protocol HTTP needs it (it may be {})");
    if (protocol === "HTTP" && grpc) wrong("grpc", "can only be set with the protocol GRPC");
    if (protocol === "GRPC" && http) wrong("http", "can only be set with the protocol HTTP");
  });
export type ExternalAuthFields = z.output<typeof externalAuth>;

/** SessionPersistence with the rules that its CRD has as CEL. */
export const sessionPersistence = z
  .object({
    sessionName: z.string().max(128).optional(),
    absoluteTimeout: gatewayDuration.optional(),
    type: z.enum(["Cookie", "Header"]).default("Cookie"),
    cookieConfig: z.object({ lifetimeType: z.enum(["Permanent", "Session"]).default("Session") }).optional(),
  })
  .superRefine(({ type, cookieConfig, absoluteTimeout }, context) => {
    const wrong = (field: string, message: string) =>
      context.addIssue({ code: "custom", message, path: [field] });
    if (cookieConfig && type !== "Cookie") wrong("cookieConfig", "can only be set with the type Cookie");
    if (cookieConfig?.lifetimeType === "Permanent" && absoluteTimeout === undefined)
      wrong("absoluteTimeout", "is missing; a cookie with the lifetimeType Permanent needs it");
  })
  .optional();
export type SessionFields = NonNullable<z.output<typeof sessionPersistence>>;
