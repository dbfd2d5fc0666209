import { z } from "zod";
import { name, port, text } from "./fields.js";

/** The group of all kinds of the Gateway API. */
export const gatewayGroup = "gateway.networking.k8s.io";

export const sectionName = z.string().min(1).max(253);

/** The scope of a default Gateway, and of the routes that use default Gateways. */
export const defaultScope = z.union([z.literal(""), z.enum(["All", "None"])]).optional();

/** A Kubernetes label selector (apimachinery's LabelSelector). */
export const labelSelector = z.object({
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

const parametersRef = z.object({ group: z.string(), kind: z.string(), name });

export const gatewayClassSpec = z.object({
  controllerName: name,
  parametersRef: parametersRef.extend({ namespace: text }).optional(),
});

const certificateRef = z.object({
  group: z.string().default(""),
  kind: z.string().default("Secret"),
  name,
  namespace: text,
});

/** Fields that are not supported; only their presence is checked. */
const unsupported = z.record(z.string(), z.unknown()).optional();

const namespacesOf = <From extends string>(usual: From) =>
  z
    .object({
      from: z.enum(["All", "Same", "Selector", "None"]).default(usual as "Same"),
      selector: labelSelector.optional(),
    })
    .prefault({});

const caRefs = z
  .array(z.object({ group: z.string().default(""), kind: name, name, namespace: text }))
  .max(16)
  .default([]);

const frontendTls = z.object({
  validation: z
    .object({
      caCertificateRefs: caRefs,
      mode: z.enum(["AllowValidOnly", "AllowInsecureFallback"]).default("AllowValidOnly"),
    })
    .optional(),
});

const listener = z.object({
  name: sectionName,
  /** Empty or absent: any host. The compiler validates it, so that an invalid one affects only this listener. */
  hostname: z.string().max(253).default(""),
  port,
  protocol: z.string().min(1).max(255),
  tls: z
    .object({
      mode: z.enum(["Terminate", "Passthrough"]).default("Terminate"),
      certificateRefs: z.array(certificateRef).max(64).default([]),
      frontendValidation: unsupported,
      options: z.record(z.string(), z.string()).default({}),
    })
    .optional(),
  allowedRoutes: z
    .object({
      namespaces: namespacesOf("Same"),
      kinds: z
        .array(z.object({ group: z.string().default(gatewayGroup), kind: name }))
        .max(8)
        .default([]),
    })
    .prefault({}),
});

const listeners = z
  .array(listener)
  .min(1)
  .max(64)
  .refine((all) => new Set(all.map((one) => one.name)).size === all.length, {
    error: "must not contain two listeners with the same name",
  });

/** gateway.networking.k8s.io Gateway with the defaults of its CRD. */
export const gatewaySpec = z.object({
  /** `metadata.labels`. */
  labels: z.record(z.string(), z.string()).optional(),
  gatewayClassName: name,
  listeners,
  defaultScope,
  tls: z
    .object({
      frontend: z
        .object({
          default: frontendTls.prefault({}),
          perPort: z
            .array(z.object({ port, tls: frontendTls }))
            .max(64)
            .default([]),
        })
        .optional(),
      backend: z.object({ clientCertificateRef: certificateRef.optional() }).optional(),
    })
    .optional(),
  infrastructure: z
    .object({
      labels: z.record(z.string(), z.string()).default({}),
      annotations: z.record(z.string(), z.string()).default({}),
      parametersRef: parametersRef.optional(),
    })
    .optional(),
  allowedListeners: z.object({ namespaces: namespacesOf("None") }).prefault({}),
  addresses: z
    .array(z.object({ type: z.string().default("IPAddress"), value: z.string().default("") }))
    .max(16)
    .default([]),
});
export type Listener = z.output<typeof listener>;
export type FrontendTls = z.output<typeof frontendTls>;
export type SecretObjectRef = z.output<typeof certificateRef>;
export type NamespaceRule = Listener["allowedRoutes"]["namespaces"];

/** gateway.networking.k8s.io ListenerSet with the defaults of its CRD. */
export const listenerSetSpec = z.object({
  parentRef: z.object({
    group: z.string().default(gatewayGroup),
    kind: z.string().default("Gateway"),
    name,
    namespace: text,
  }),
  listeners,
});

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
