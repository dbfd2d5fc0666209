import type { Conversion, MigrateOptions } from "./conversion.js";
import type { SourceObject } from "./source.js";

/** Another ingress controller, or another API of Contour. */
export interface Peer {
  readonly name: string;
  /** API groups, or suffixes of API groups. */
  readonly groups: readonly string[];
  /** Kinds that are converted only if a converted object refers to them, as `KIND.GROUP`. */
  readonly kinds: readonly string[];
  /** The kinds to list in a Kubernetes cluster, in addition to Ingresses and Services. */
  readonly collections: readonly PeerCollection[];
  /** Whether the conversion starts from this object. */
  takes(object: SourceObject, options: MigrateOptions): boolean;
  /** Converts the objects that `takes` accepts, in their order. */
  read(objects: readonly SourceObject[], conversion: Conversion): void;
  /**
   * The settings with which Isoline serves the objects unchanged, if it supports them. `--verify` compares the objects,
   * compiled with these settings, with the result.
   */
  served?(objects: readonly SourceObject[], options: MigrateOptions): Readonly<Record<string, unknown>>;
  /** Remarks about objects that may restrict access, for an input without them. */
  readonly beside?: readonly (BesideKinds | BesideObjects)[];
}

interface BesideRemark {
  readonly message: string;
  readonly todo: string;
}

interface BesideKinds extends BesideRemark {
  readonly kinds: readonly string[];
}

interface BesideObjects extends BesideRemark {
  /** Whether the input has the objects. */
  isThere(objects: readonly SourceObject[], options: MigrateOptions): boolean;
}

/** A kind of a peer. A Kubernetes cluster has one of the versions or none. */
export interface PeerCollection {
  readonly kind: string;
  readonly group: string;
  /** Newest first. */
  readonly versions: readonly string[];
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Kinds of one group whose plural is the name in lower case with the regular English ending: `s`, `es` or `ies`. */
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
