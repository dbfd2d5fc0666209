import type { Compiled, ResourceType, TableOrigins } from "./store.js";

/** A resource in the row of a unit. Its content is in the table `resource`, shared by units. */
export type ResourceKey = readonly [
  type: ResourceType,
  group: string,
  name: string,
  origins?: TableOrigins["routes"] | undefined,
];

/** The resources of a unit for its row; virtual hosts include their origins. */
export function keysOf({ resources, origins = [] }: Compiled): ResourceKey[] {
  const byTable = new Map(origins.map(({ table, routes }) => [table, routes]));
  return resources.map(({ type, group, name }): ResourceKey => {
    const routes = type === "virtual-host" ? byTable.get(group) : undefined;
    return routes !== undefined ? [type, group, name, routes] : [type, group, name];
  });
}

export function originsIn(keys: readonly ResourceKey[]): Pick<Compiled, "origins"> {
  const origins = keys.flatMap(([, table, , routes]) => (routes !== undefined ? { table, routes } : []));
  return origins.length > 0 ? { origins } : {};
}
