import type { Compiled, ResourceType, TableOrigins } from "./store.js";

/** What a unit's row keeps of its resources; their content is in `resource`, once for all units that share it. */
export type ResourceKey = readonly [
  type: ResourceType,
  group: string,
  name: string,
  origins?: TableOrigins["routes"] | undefined,
];

/** Of a unit as it is stored: `origins` are those of a virtual host. */
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
