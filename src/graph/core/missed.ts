import { isOfMember, kindOf, type Ref } from "../../schema/meta.js";
import type { Compiled, Store } from "../../store/store.js";
import { isObjectRead, neededList, type ReadKey } from "./keys.js";

/** Kinds that objects refer to by name. Other reads are of optional objects. */
const referredKinds: ReadonlySet<string> = new Set([
  "Service",
  "Secret",
  "ConfigMap",
  "HTTPProxy",
  "IngressRoute",
  "ExtensionService",
]);

/**
 * A Service may exist in only some of several followed Kubernetes clusters, so that a missing one is not a broken
 * reference.
 */
const isReference = (ref: Ref): boolean =>
  referredKinds.has(kindOf(ref)) && !(kindOf(ref) === "Service" && isOfMember(ref));

/** Whether the store has the object or list of a read. */
export function isFound(store: Pick<Store, "object" | "claimants">, read: ReadKey): boolean {
  if (isObjectRead(read)) return store.object(read) !== undefined;
  const list = neededList(read);
  return list === undefined || store.claimants(list).length > 0;
}

/**
 * The missing references of a unit that it did not have before, or whose object is in `gone`. Such a unit may serve
 * less than before only because objects that were changed together are read one after the other.
 */
export function* newlyMissed(
  store: Pick<Store, "object" | "claimants">,
  before: Compiled | undefined,
  { reads }: Compiled,
  gone: ReadonlySet<Ref>,
): Iterable<ReadKey> {
  const known = new Set(before?.reads);
  for (const read of reads) {
    if (isObjectRead(read)) {
      if ((!known.has(read) || gone.has(read)) && isReference(read) && !isFound(store, read)) yield read;
    } else if (!known.has(read) && !isFound(store, read)) yield read;
  }
}
