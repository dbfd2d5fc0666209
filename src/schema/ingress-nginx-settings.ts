import { z } from "zod";
import { name } from "./fields.js";

const objectName = z
  .string()
  .regex(/^[a-z0-9][-a-z0-9]*\/[a-z0-9][-.a-z0-9]*$/, { error: "must be NAMESPACE/NAME" });

/** The setting `ingressNginx`. Absent: no Ingress is served as in ingress-nginx. */
export const ingressNginx = z
  .strictObject({
    /** Classes of Ingresses. */
    classes: z.array(name).min(1).default(["nginx"]),
    /** The controller's ConfigMap. */
    configMap: objectName.optional(),
    /** The ConfigMaps of the controller's flags `--tcp-services-configmap` and `--udp-services-configmap`. */
    tcpServicesConfigMap: objectName.optional(),
    udpServicesConfigMap: objectName.optional(),
    /** The certificate of hosts that have none of their own. */
    defaultCertificate: objectName.optional(),
  })
  .optional();
