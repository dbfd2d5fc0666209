import { isSame } from "../schema/same.js";
import { type Cells, textOf } from "./cells.js";
import type { NewUnits } from "./new-units.js";
import { ResourceLists } from "./resource-lists.js";
import type { SqlRow, SqlValue, statements } from "./sql.js";
import type { Resource, ResourceType } from "./store.js";

const keyOf = ({ type, group, name }: Resource): string => `${type}/${group}/${name}`;

/** The resources of units in SQL tables. Units share the row of a resource; the row counts them. */
export class SqlResources {
  readonly #lists = new ResourceLists();

  constructor(
    private readonly sql: Pick<
      ReturnType<typeof statements>,
      "getResource" | "getResources" | "putResources" | "leaveResource" | "dropResource"
    >,
    private readonly cells: Cells,
    private readonly newUnits: NewUnits,
  ) {}

  /** Adds the resources of a new unit, which are written together with it. */
  add(resources: readonly Resource[]): void {
    for (const [key, resource] of new Map(resources.map((each) => [keyOf(each), each]))) {
      this.newUnits.addResource(this.#rowOf(key, resource, 1));
      this.#lists.put(resource);
    }
  }

  /** Replaces the resources `old` of a unit. */
  replace(resources: readonly Resource[], old: readonly Resource[]): void {
    const before = new Map(old.map((resource) => [keyOf(resource), resource]));
    for (const [key, resource] of new Map(resources.map((each) => [keyOf(each), each]))) {
      const known = before.get(key);
      before.delete(key);
      if (isSame(known, resource)) continue;
      this.sql.putResources.run(this.#rowOf(key, resource, known ? 0 : 1));
      this.#lists.put(resource);
    }
    for (const resource of before.values()) this.#drop(resource);
  }

  #rowOf(key: string, { type, group, name, json, endpoints, mode }: Resource, users: number): SqlValue[] {
    const cell = this.cells.write(`resource/${key}`, json);
    return [type, group, name, cell, endpoints ?? null, mode ?? null, users];
  }

  #drop(resource: Resource): void {
    const { type, group, name } = resource;
    this.sql.leaveResource.run(type, group, name);
    this.sql.dropResource.run(type, group, name);
    if (this.sql.getResource.all(type, group, name)[0]) return;
    this.cells.forget(`resource/${keyOf(resource)}`);
    this.#lists.delete(resource);
  }

  list(type: ResourceType, group: string): Iterable<Resource> {
    return this.#lists.get(type, group, () => {
      this.newUnits.flush();
      const rows = this.sql.getResources.all(type, group);
      return rows.map((row) => this.#resource(type, group, textOf(row.name), row));
    });
  }

  get(type: ResourceType, group: string, name: string): Resource | undefined {
    const known = this.#lists.find(type, group, name);
    if (known) return known;
    this.newUnits.flush();
    const row = this.sql.getResource.all(type, group, name)[0];
    return row && this.#resource(type, group, name, row);
  }

  #resource(type: ResourceType, group: string, name: string, row: SqlRow): Resource {
    const { endpoints, mode } = row;
    return {
      type,
      group,
      name,
      json: this.cells.text(`resource/${type}/${group}/${name}`, row.json),
      ...(typeof endpoints === "string" ? { endpoints } : {}),
      ...(typeof mode === "string" ? { mode: mode as Resource["mode"] & string } : {}),
    };
  }

  /** Drops cached lists after the rollback of a transaction. */
  clear(): void {
    this.#lists.clear();
  }
}
