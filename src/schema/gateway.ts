import { z } from "zod";
import { name, port, text } from "./fields.js";

/** The group of all kinds of the Gateway API. */
export const gatewayGroup = "gateway.networking.k8s.io";

export const sectionName = z.string().min(1).max(253);

/** A Kubernetes label selector (apimachinery's LabelSelector). */
const labelSelector = z.object({
  matchLabels: z.record(z.string(), z.string()).default({}),
  matchExpressions: z
    .array(
      z.object({
        key: name,
        operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
        values: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});
export type LabelSelector = z.output<typeof labelSelector>;

export const gatewayClassSpec = z.object({ controllerName: name });

const certificateRef = z.object({
  group: z.string().default(""),
  kind: z.string().default("Secret"),
  name,
  namespace: text,
});

/** Fields for client certificates that are not supported; only their presence is checked. */
const unsupported = z.record(z.string(), z.unknown()).optional();

const listener = z.object({
  name: sectionName,
  /** Empty or absent: any host. The compiler checks the host name, so that an invalid one affects only this listener. */
  hostname: z.string().max(253).default(""),
  port,
  protocol: z.string().min(1).max(255),
  tls: z
    .object({
      mode: z.enum(["Terminate", "Passthrough"]).default("Terminate"),
      certificateRefs: z.array(certificateRef).max(64).default([]),
      frontendValidation: unsupported,
    })
    .optional(),
  allowedRoutes: z
    .object({
      namespaces: z
        .object({
          from: z.enum(["All", "Same", "Selector", "None"]).default("Same"),
          selector: labelSelector.optional(),
        })
        .prefault({}),
      kinds: z
        .array(z.object({ group: z.string().default(gatewayGroup), kind: name }))
        .max(8)
        .default([]),
    })
    .prefault({}),
});

/** gateway.networking.k8s.io Gateway with the defaults of its CRD. */
export const gatewaySpec = z.object({
  gatewayClassName: name,
  listeners: z
    .array(listener)
    .min(1)
    .max(64)
    .refine((all) => new Set(all.map((one) => one.name)).size === all.length, {
      error: "must not contain two listeners with the same name",
    }),
  tls: z.object({ frontend: unsupported, backend: unsupported }).optional(),
  addresses: z
    .array(z.object({ type: z.string().default("IPAddress"), value: z.string().default("") }))
    .max(16)
    .default([]),
});
export type Listener = z.output<typeof listener>;

/** gateway.networking.k8s.io ReferenceGrant. */
export const referenceGrantSpec = z.object({
  from: z
    .array(z.object({ group: z.string().max(253), kind: name, namespace: name }))
    .min(1)
    .max(16),
  to: z
    .array(z.object({ group: z.string().max(253), kind: name, name: text }))
    .min(1)
    .max(16),
});

/** gateway.networking.k8s.io BackendTLSPolicy. */
export const backendTlsPolicySpec = z.object({
  targetRefs: z
    .array(z.object({ group: z.string().default(""), kind: name, name, sectionName: sectionName.optional() }))
    .min(1)
    .max(16),
  validation: z.object({
    caCertificateRefs: z
      .array(z.object({ group: z.string().default(""), kind: name, name }))
      .max(16)
      .default([]),
    wellKnownCACertificates: text,
    hostname: z.string().min(1).max(253),
    subjectAltNames: z
      .array(z.object({ type: z.enum(["Hostname", "URI"]), hostname: text, uri: text }))
      .max(5)
      .default([]),
  }),
});
