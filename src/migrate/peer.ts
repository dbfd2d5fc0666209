import type { Conversion, MigrateOptions } from "./conversion.js";
import type { SourceObject } from "./source.js";

/** Another ingress controller, or another API of Contour. */
export interface Peer {
  readonly name: string;
  /** API groups, or how they end. */
  readonly groups: readonly string[];
  /** Kinds that count where others refer to them, as `KIND.GROUP`. */
  readonly kinds: readonly string[];
  /** What is read of a cluster beside Ingresses and Services. */
  readonly collections: readonly PeerCollection[];
  /** Whether routes begin with the object. */
  takes(object: SourceObject, options: MigrateOptions): boolean;
  /** Reads the objects that it takes, in their order. */
  read(objects: readonly SourceObject[], conversion: Conversion): void;
  /**
   * Where Isoline serves the objects as they are: the settings to do so with. `--verify` compares what comes of them with what comes of the result.
   */
  readonly served?: Readonly<Record<string, unknown>>;
  /** What may restrict access and is not among objects of the given kinds. */
  readonly beside?: readonly {
    readonly kinds: readonly string[];
    readonly message: string;
    readonly todo: string;
  }[];
}

/** A kind of a peer, of which a cluster has one of the versions or none. */
export interface PeerCollection {
  readonly kind: string;
  readonly group: string;
  /** The newest first. */
  readonly versions: readonly string[];
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Kinds of one group whose plural is the name in lower case with an `s`, or `es` or `ies` by the rules of English. */
export const collectionsOf = (
  group: string,
  versions: readonly string[],
  kinds: readonly string[],
  namespaced = true,
): PeerCollection[] =>
  kinds.map((kind) => {
    const lower = kind.toLowerCase();
    const plural = lower.endsWith("s")
      ? `${lower}es`
      : /[^aeiou]y$/.test(lower)
        ? `${lower.slice(0, -1)}ies`
        : `${lower}s`;
    return { kind, group, versions, plural, namespaced };
  });
