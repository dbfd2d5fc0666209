import { jsonOf, linked, ResourceSet } from "../../src/link/resource-set.js";

/** Resources as link returns them, from their JSON by name. */
export const setOf = (jsons: Readonly<Record<string, string>>): ResourceSet =>
  new ResourceSet(
    new Map(
      Object.entries(jsons)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, json]) => [name, linked(name, [json])]),
    ),
  );

/** The JSON of one resource of a set. */
export function textOf(set: ResourceSet | undefined, name: string): string | undefined {
  const resource = set?.get(name);
  return resource && jsonOf(resource);
}
