import { addDigests, type Digest, digest, formatDigest, noDigest } from "../schema/digest.js";
import { type Piece, textOf } from "../xds/routes-hole.js";

/** A resource in the form in which it is sent, without its type. */
export interface Linked {
  /**
   * The pieces of its JSON after the opening brace, so that `@type` can precede them. Most pieces are fragments that are
   * in memory anyway. Empty when the resource has no members.
   */
  readonly pieces: readonly Piece[];
  readonly digest: Digest;
}

/** Pieces of JSON; the first is the beginning of an object. */
export type Pieces = readonly [string, ...Piece[]];

/** A resource from pieces of JSON; the first piece begins with a member. `content` is its digest, if known. */
export function linked(name: string, pieces: Pieces, content?: Digest): Linked {
  const [first, ...rest] = pieces;
  return {
    pieces: first.startsWith('{"') ? [first.slice(1), ...rest] : [],
    digest: content ?? digest(name, ...pieces.map(textOf)),
  };
}

/** The JSON of a resource, as the newest Envoys get it or, with another `text`, as others do; undefined where there is nothing to send. */
export const jsonOf = ({ pieces }: Linked, text = textOf): string | undefined =>
  pieces.length === 0 ? undefined : `{${pieces.map(text).join("")}`;

/** Resources of one type, by name and in the order of their names. */
export class ResourceSet {
  /** The hash of all content; equal in every process. */
  readonly hash: string;
  readonly #byName: ReadonlyMap<string, Linked>;

  constructor(byName: ReadonlyMap<string, Linked>) {
    this.#byName = byName;
    let sum = noDigest;
    for (const resource of byName.values()) sum = addDigests(sum, resource.digest);
    this.hash = formatDigest(sum);
  }

  /** Whether both sets have the same content, by their hashes. */
  isSame(other: ResourceSet): boolean {
    return this === other || (this.hash === other.hash && this.size === other.size);
  }

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): Linked | undefined {
    return this.#byName.get(name);
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Whether this set has all resources of another one, with the same content. */
  includes(other: ResourceSet): boolean {
    if (this === other) return true;
    for (const [name, resource] of other.#byName) {
      const own = this.#byName.get(name);
      if (own === resource) continue;
      if (own?.digest.high !== resource.digest.high || own.digest.low !== resource.digest.low) return false;
    }
    return true;
  }

  names(): Iterable<string> {
    return this.#byName.keys();
  }

  namesNotIn(other: ResourceSet): string[] {
    const names: string[] = [];
    if (this !== other) for (const name of this.names()) if (!other.has(name)) names.push(name);
    return names;
  }

  entries(): Iterator<readonly [string, Linked]> {
    return this.#byName.entries();
  }

  values(): Iterable<Linked> {
    return this.#byName.values();
  }

  /** The resources of `newer`, and those of this set with other names for which `keeps` returns true. */
  mergedWith(newer: ResourceSet, keeps: (name: string) => boolean = () => true): ResourceSet {
    const extra = this.namesNotIn(newer).filter(keeps);
    if (extra.length === 0) return newer;
    const merged = new Map<string, Linked>();
    let next = 0;
    const addExtra = (until?: string): void => {
      for (; next < extra.length; next++) {
        const name = extra[next] as string;
        if (until !== undefined && name > until) return;
        merged.set(name, this.get(name) as Linked);
      }
    };
    for (const name of newer.names()) {
      addExtra(name);
      merged.set(name, newer.get(name) as Linked);
    }
    addExtra();
    return new ResourceSet(merged);
  }
}
