import { z } from "zod";
import { name } from "./fields.js";

const objectName = z
  .string()
  .regex(/^[a-z0-9][-a-z0-9]*\/[a-z0-9][-.a-z0-9]*$/, { error: "must be NAMESPACE/NAME" });

/** The setting `ingressNginx`; absent: no Ingress is served as ingress-nginx serves it. */
export const ingressNginx = z
  .strictObject({
    /** Classes of Ingresses. */
    classes: z.array(name).min(1).default(["nginx"]),
    /** The controller's ConfigMap. */
    configMap: objectName.optional(),
    /** The certificate of hosts without one of their own. */
    defaultCertificate: objectName.optional(),
  })
  .optional();
