import { z } from "zod";
import { name, network } from "./fields.js";
import { labelSelector } from "./gateway.js";

/** The settings of Gateways of GatewayClasses. */
export const gatewaySettings = z
  .object({
    /** The controller name of the GatewayClasses whose Gateways are served; without it no class is served. */
    controllerName: z
      .string()
      .regex(/^[a-z0-9.-]+\/\S+$/, {
        error: 'must be a domain and a path, such as "isoline.dev/gateway-controller"',
      })
      .optional(),
    /**
     * Selects the Gateways that are served by their labels. Deployments with different selectors and the same
     * controller name are fleets of their own.
     */
    selector: labelSelector
      .refine(
        ({ matchLabels, matchExpressions }) => Object.keys(matchLabels).length + matchExpressions.length > 0,
        {
          error: "must have a label or an expression",
        },
      )
      .optional(),
    /** The block for the addresses of Gateways without `spec.addresses`. */
    addressPool: network.optional(),
    /** The blocks for `spec.addresses` of Gateways. */
    staticAddresses: z.array(network).default([]),
    /**
     * A file on Envoy's machine with the CAs for BackendTLSPolicies with `System`; without it these policies are
     * invalid.
     */
    systemCertificates: name.optional(),
    /**
     * The objects that are created in the Kubernetes cluster for each Gateway, with its infrastructure labels and
     * annotations.
     */
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
