import { z } from "zod";
import { name, network } from "./fields.js";

/** The settings of Gateways of GatewayClasses. */
export const gatewaySettings = z
  .object({
    /** The GatewayClasses whose Gateways are served; without it those of none. */
    controllerName: z
      .string()
      .regex(/^[a-z0-9.-]+\/\S+$/, {
        error: 'must be a domain and a path, such as "isoline.dev/gateway-controller"',
      })
      .optional(),
    /** Where Gateways get an address that do not ask for one. */
    addressPool: network.optional(),
    /** The addresses that Gateways may ask for. */
    staticAddresses: z.array(network).default([]),
    /** A file on Envoy's machine with the CAs that BackendTLSPolicies call System; without it these are not followed. */
    systemCertificates: name.optional(),
    /** What is made in the cluster for each Gateway, with its infrastructure labels and annotations. */
    infrastructure: z.enum(["none", "serviceAccount"]).default("none"),
  })
  .prefault({});

interface GatewayChoice {
  readonly gatewayRef?: object | undefined;
  readonly gateway: { readonly controllerName?: string | undefined };
}

/** Whether Gateways are served at all. */
export const servesGateways = ({ gatewayRef, gateway }: GatewayChoice): boolean =>
  gatewayRef !== undefined || gateway.controllerName !== undefined;
