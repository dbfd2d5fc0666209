import { addDigests, type Digest, digest, formatDigest, noDigest } from "../schema/digest.js";

/** A resource as it is sent, but for its type. */
export interface Linked {
  /**
   * Its JSON after the opening brace, so that `@type` can be written before it, in pieces: most are fragments that are
   * kept anyway. None when there is nothing to send.
   */
  readonly pieces: readonly string[];
  readonly digest: Digest;
}

/** A resource of pieces of JSON, the first of which begins with a member; `content` is its digest where it is known. */
export function linked(name: string, pieces: readonly [string, ...string[]], content?: Digest): Linked {
  const [first] = pieces;
  return {
    pieces: first.startsWith('{"') ? pieces.with(0, first.slice(1)) : [],
    digest: content ?? digest(name, ...pieces),
  };
}

/** Resources of one type, by name and in the order of their names. */
export class ResourceSet {
  /** Of all the content; the same in every process. */
  readonly hash: string;
  readonly #byName: ReadonlyMap<string, Linked>;

  constructor(byName: ReadonlyMap<string, Linked>) {
    this.#byName = byName;
    let sum = noDigest;
    for (const resource of byName.values()) sum = addDigests(sum, resource.digest);
    this.hash = formatDigest(sum);
  }

  /** Whether the same bytes are served of both, by their hashes. */
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

  /** Everything of both; where a name is in both, that of `newer`. What is in this one alone is in it where `keeps` says so. */
  mergedWith(newer: ResourceSet, keeps: (name: string) => boolean = () => true): ResourceSet {
    const gone = this.namesNotIn(newer).filter(keeps);
    if (gone.length === 0) return newer;
    const merged = new Map<string, Linked>();
    let next = 0;
    const addGone = (until?: string): void => {
      for (; next < gone.length; next++) {
        const name = gone[next] as string;
        if (until !== undefined && name > until) return;
        merged.set(name, this.get(name) as Linked);
      }
    };
    for (const name of newer.names()) {
      addGone(name);
      merged.set(name, newer.get(name) as Linked);
    }
    addGone();
    return new ResourceSet(merged);
  }
}
