import { z } from "zod";
import { name, port, text, wildcardHostname } from "./fields.js";

/** The v1 form. `serviceName` and `servicePort` of the beta versions are converted to it. */
const backend = z
  .object({
    service: z
      .object({ name, port: z.object({ number: port.optional(), name: text }).optional() })
      .optional(),
    resource: z.object({ kind: z.string(), name: z.string() }).optional(),
    serviceName: text,
    servicePort: z.union([port, z.string()], { error: "must be a port number or name" }).optional(),
  })
  .transform(({ service, resource, serviceName, servicePort }) => {
    const old = typeof servicePort === "number" ? { number: servicePort } : { name: servicePort ?? "" };
    const found = service ?? (serviceName ? { name: serviceName, port: old } : undefined);
    return { ...(found ? { service: found } : {}), ...(resource ? { resource } : {}) };
  });

const host = z.union([z.literal(""), wildcardHostname], {
  error: "must be a lower-case DNS name, optionally with a leading *.",
});

/** networking.k8s.io/v1 Ingress; the beta versions are converted to it. */
export const ingressSpec = z
  .object({
    ingressClassName: text,
    defaultBackend: backend.optional(),
    /** The name of `defaultBackend` in the beta versions. */
    backend: backend.optional(),
    tls: z.array(z.object({ hosts: z.array(z.string()).optional(), secretName: text })).optional(),
    rules: z
      .array(
        z.object({
          host: host.optional(),
          http: z
            .object({
              paths: z.array(
                z.object({
                  path: z.string().max(4096).optional(),
                  pathType: z.enum(["Exact", "Prefix", "ImplementationSpecific"]).optional(),
                  backend,
                }),
              ),
            })
            .optional(),
        }),
      )
      .optional(),
  })
  .transform(({ backend: old, ...spec }) =>
    old && !spec.defaultBackend ? { ...spec, defaultBackend: old } : spec,
  );

/** networking.k8s.io IngressClass. The annotation `ingressclass.kubernetes.io/is-default-class` marks the default class. */
export const ingressClassSpec = z.object({ controller: text });
