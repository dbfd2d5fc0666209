import type { Remark, RemarkSeverity, SourcePart, SourceRoute } from "../model.js";

/** A place as text, such as `Ingress/shop/web spec.rules[0]`. */
export const shownPart = ({ object, path }: SourcePart): string =>
  [object.ref, path, object.place === "" ? "" : `(${object.place})`].filter((word) => word !== "").join(" ");

export const firstPart = ({ parts: [part] }: SourceRoute): SourcePart => {
  if (!part) throw new Error("a route comes of an object");
  return part;
};

/** The remarks of a writer. */
export class WriterRemarks {
  readonly all: Remark[] = [];

  route(
    severity: RemarkSeverity,
    route: SourceRoute,
    message: string,
    { todo, closes = false }: { readonly todo?: string; readonly closes?: boolean } = {},
  ): void {
    const { object, path } = firstPart(route);
    this.all.push({
      severity,
      about: object.ref,
      path,
      message,
      hosts: route.hosts,
      closes,
      ...(todo ? { todo } : {}),
    });
  }

  part(
    severity: RemarkSeverity,
    { object, path }: SourcePart,
    hosts: readonly string[],
    message: string,
    todo?: string,
  ): void {
    this.all.push({
      severity,
      about: object.ref,
      path,
      message,
      hosts,
      closes: false,
      ...(todo ? { todo } : {}),
    });
  }
}

/** Names for the objects of one kind in the result. Each name is used once. */
export class Names {
  readonly #used: Set<string>;

  /** @param taken names that are not available, as `NAMESPACE/NAME`. */
  constructor(taken: readonly string[] = []) {
    this.#used = new Set(taken);
  }

  /** The first available name of `wishes`. If none is available, the last one with a number. */
  take(namespace: string, ...wishes: readonly string[]): string {
    const free = wishes.map(shortened).find((name) => !this.#used.has(`${namespace}/${name}`));
    let name = free ?? "";
    for (let i = 2; name === ""; i++) {
      const numbered = shortened(`${wishes.at(-1)}-${i}`);
      if (!this.#used.has(`${namespace}/${numbered}`)) name = numbered;
    }
    this.#used.add(`${namespace}/${name}`);
    return name;
  }
}

/**
 * A valid name of at most 200 characters: names of clusters and headers contain the name of an HTTPProxy, and are
 * longer. A label has at most 63 characters.
 */
const shortened = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/^[.-]+/, "")
    .slice(0, 200)
    .replace(/[.-]+$/, "") || "migrated";

/** A host in the form of a part of a name. */
export const slugOf = (host: string): string =>
  host === "*" ? "any" : host.replace(/^\*\./, "any-").replaceAll(".", "-");

/** Removes empty fields. */
export const compact = <T extends object>(fields: T): T =>
  Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
    ),
  ) as T;
