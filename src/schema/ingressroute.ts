import { z } from "zod";
import { flag, name, text, uint32 } from "./fields.js";

const healthCheck = z.object({
  path: name,
  host: text,
  intervalSeconds: z.int().optional(),
  timeoutSeconds: z.int().optional(),
  unhealthyThresholdCount: z.int().optional(),
  healthyThresholdCount: z.int().optional(),
});

const service = z.object({
  name: name,
  port: z.int(),
  weight: uint32.optional(),
  strategy: text,
  healthCheck: healthCheck.optional(),
  validation: z.object({ caSecret: text, subjectName: text }).optional(),
});

const delegate = z.object({ name: name, namespace: text });

/** contour.heptio.com/v1beta1, with every field that ever had an effect. */
export const ingressRouteSpec = z.object({
  virtualhost: z
    .object({
      fqdn: z.string().min(1, { error: "Spec.VirtualHost.Fqdn must be specified" }).regex(/^[*a-zA-Z0-9.-]{1,253}$/, { error: "an fqdn is a DNS name" }),
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
        match: z.string().regex(/^\/[^\s?#]*$/, { error: "a match is a path that starts with /" }),
        services: z.array(service).optional(),
        delegate: delegate.optional(),
        enableWebsockets: flag,
        permitInsecure: flag,
        prefixRewrite: z.string().regex(/^\/[^\s?#]*$/, { error: "a prefix rewrite is a path that starts with /" }).optional(),
        timeoutPolicy: z.object({ request: text }).optional(),
        retryPolicy: z.object({ count: z.int().min(0).optional(), perTryTimeout: text }).optional(),
      }),
    )
    .optional(),
  tcpproxy: z.object({ services: z.array(service).optional(), delegate: delegate.optional() }).optional(),
});
