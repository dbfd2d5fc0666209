import { gatewayGroup } from "../../schema/gateway.js";
import { objectsOf, type Reader } from "../reader.js";

/** Who refers to what in another namespace. */
export interface Reference {
  readonly from: { readonly kind: string; readonly namespace: string };
  readonly to: { readonly kind: "Service" | "Secret"; readonly namespace: string; readonly name: string };
}

/** Whether an object may refer to another: in its own namespace, or by a ReferenceGrant in that of the other. */
export function isGranted({ from, to }: Reference, reader: Reader): boolean {
  if (from.namespace === to.namespace) return true;
  const grants = objectsOf("ReferenceGrant", reader.claimants(`grants:${to.namespace}`), reader);
  return grants.some(
    ({ spec }) =>
      spec.from.some(
        (one) => one.group === gatewayGroup && one.kind === from.kind && one.namespace === from.namespace,
      ) &&
      spec.to.some((one) => one.group === "" && one.kind === to.kind && (!one.name || one.name === to.name)),
  );
}
