import type { ObjectMeta } from "../../schema/meta.js";

interface Aged {
  readonly meta: Pick<ObjectMeta, "created" | "namespace" | "name">;
}

/** The oldest first, then by name: the order in which objects of one kind have a say. */
export function byAge(a: Aged, b: Aged): number {
  const age = ({ meta }: Aged): string => `${meta.created}\n${meta.namespace}/${meta.name}`;
  return age(a) < age(b) ? -1 : 1;
}
