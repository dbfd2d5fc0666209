import type { ObjectMeta } from "../../schema/meta.js";

interface Aged {
  readonly meta: Pick<ObjectMeta, "created" | "namespace" | "name">;
}

/** The oldest first, then by name: the precedence of objects of one kind. */
export function byAge(a: Aged, b: Aged): number {
  const age = ({ meta }: Aged): string => `${meta.created}\n${meta.namespace}/${meta.name}`;
  return age(a) < age(b) ? -1 : 1;
}
