import { z } from "zod";
import { name } from "./fields.js";

/** TLSCertificateDelegation, the same in projectcontour.io/v1 and contour.heptio.com/v1beta1. */
export const delegationSpec = z.object({
  delegations: z.array(z.object({ secretName: name, targetNamespaces: z.array(z.string()) })),
});
