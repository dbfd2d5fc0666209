import { z } from "zod";
import { flag, name, sentText, text, uint32 } from "./fields.js";
import { isSubdomain } from "./names.js";

const healthCheck = z.object({
  path: sentText.min(1),
  host: sentText.optional(),
  intervalSeconds: uint32.optional(),
  timeoutSeconds: uint32.optional(),
  unhealthyThresholdCount: uint32.optional(),
  healthyThresholdCount: uint32.optional(),
});

/** The compiler checks the port range, because it keeps the routes that precede a wrong one. */
const service = z.object({
  name,
  port: z.int(),
  weight: uint32.optional(),
  strategy: text,
  healthCheck: healthCheck.optional(),
  validation: z.object({ caSecret: text, subjectName: text }).optional(),
});

const path = z.string().regex(/^\/[^\s\p{Cc}?#]*$/u, { error: "must be a path that starts with /" });

const delegate = z.object({ name, namespace: text });

/** contour.heptio.com/v1beta1 IngressRoute, with every field that had an effect in any release of Contour. */
export const ingressRouteSpec = z.object({
  virtualhost: z
    .object({
      fqdn: z.string().refine((fqdn) => isSubdomain(fqdn.toLowerCase().replace(/^\*\./, "")), {
        error: "must be a DNS name",
      }),
      tls: z
        .object({
          secretName: text,
          minimumProtocolVersion: text,
          passthrough: flag,
        })
        .optional(),
    })
    .optional(),
  routes: z
    .array(
      z.object({
        match: path,
        services: z.array(service).optional(),
        delegate: delegate.optional(),
        enableWebsockets: flag,
        permitInsecure: flag,
        prefixRewrite: path.optional(),
        timeoutPolicy: z.object({ request: text }).optional(),
        retryPolicy: z.object({ count: uint32.optional(), perTryTimeout: text }).optional(),
      }),
    )
    .optional(),
  tcpproxy: z.object({ services: z.array(service).optional(), delegate: delegate.optional() }).optional(),
});
