import type { Conversion, MigrateOptions } from "./conversion.js";
import { emissary } from "./readers/emissary/emissary.js";
import { gloo } from "./readers/gloo/gloo.js";
import { ingressRoute } from "./readers/ingressroute.js";
import { istio } from "./readers/istio/istio.js";
import { kong } from "./readers/kong/kong.js";
import { nginx } from "./readers/nginx/nginx.js";
import { traefik } from "./readers/traefik/traefik.js";
import { voyager } from "./readers/voyager.js";
import type { SourceObject } from "./source.js";

/** Another ingress controller, or another API of Contour. */
export interface Peer {
  readonly name: string;
  /** API groups, or how they end. */
  readonly groups: readonly string[];
  /** Kinds that count where others refer to them, as `KIND.GROUP`. */
  readonly kinds: readonly string[];
  /** Whether routes begin with the object. */
  takes(object: SourceObject, options: MigrateOptions): boolean;
  /** Reads the objects that it takes, in their order. */
  read(objects: readonly SourceObject[], conversion: Conversion): void;
  /**
   * Where Isoline serves the objects as they are: the settings to do so with. `--verify` compares what comes of them with what comes of the result.
   */
  readonly served?: Readonly<Record<string, unknown>>;
  /** What may restrict access and is not among objects of the given kinds. */
  readonly beside?: readonly { readonly kinds: readonly string[]; readonly message: string; readonly todo: string }[];
}

/** In the order in which an object is offered to them. */
export const peers: readonly Peer[] = [ingressRoute, nginx, traefik, istio, emissary, kong, gloo, voyager];
