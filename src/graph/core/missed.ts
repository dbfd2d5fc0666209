import { isOfMember, kindOf, type Ref } from "../../schema/meta.js";
import type { Compiled, Store } from "../../store/store.js";
import { isObjectRead, neededList, type ReadKey } from "./keys.js";

/** Kinds that objects refer to by name; other reads are of objects that need not be there. */
const referredKinds: ReadonlySet<string> = new Set([
  "Service",
  "Secret",
  "ConfigMap",
  "HTTPProxy",
  "IngressRoute",
  "ExtensionService",
]);

/** A Service may be in some clusters of several that are followed. */
const isReference = (ref: Ref): boolean =>
  referredKinds.has(kindOf(ref)) && !(kindOf(ref) === "Service" && isOfMember(ref));

/** Whether the store has what was looked for. */
export function isFound(store: Pick<Store, "object" | "claimants">, read: ReadKey): boolean {
  if (isObjectRead(read)) return store.object(read) !== undefined;
  const list = neededList(read);
  return list === undefined || store.claimants(list).length > 0;
}

/**
 * What a unit refers to and does not find, that it did not refer to before, or that is in `gone`. Such a unit may serve less than
 * before only because objects that were changed together are read one after the other.
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
