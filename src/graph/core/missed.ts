import type { Ref } from "../../schema/meta.js";
import type { Compiled, ReadKey, Store } from "../../store/store.js";

/** What objects refer to by name; other reads are of objects that need not be there. */
const isReference = /^(?:Service\/[^@]*|(?:Secret|ConfigMap|HTTPProxy|IngressRoute|ExtensionService)\/.*)$/;
/** Lists that are empty only where something is missing: endpoints of a Service, and permissions. */
const isNeededList = /^claims:((?:slices|delegations|grants):.*)$/;

/** Whether the store has what was looked for. */
export function isFound(store: Pick<Store, "object" | "claimants">, read: ReadKey): boolean {
  const list = isNeededList.exec(read)?.[1];
  return list === undefined ? store.object(read as Ref) !== undefined : store.claimants(list).length > 0;
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
    if (known.has(read) && !gone.has(read as Ref)) continue;
    if ((isReference.test(read) || isNeededList.test(read)) && !isFound(store, read)) yield read;
  }
}
