import type { Listener } from "../../../schema/gateway.js";
import type { GatewayRoute } from "../../../schema/object.js";
import type { ObjectByKind } from "../../core/reader.js";
import type { ClientValidation } from "../../policies/client-validation.js";
import type { ListenerProblem } from "./ports.js";

export type Gateway = ObjectByKind<"Gateway">;
export type ListenerSet = ObjectByKind<"ListenerSet">;

export type RouteObject = GatewayRoute;
export type RouteKind = RouteObject["kind"];

/** One listener of a Gateway as routes see it. */
export interface GatewayListener {
  readonly spec: Listener;
  /** The object that it is in. */
  readonly owner: Gateway | ListenerSet;
  /** In `spec.listeners` of that object. */
  readonly index: number;
  /** Lower case; empty is any. */
  readonly hostname: string;
  /** Name of the Envoy listener that serves its port; undefined where it can't be served. */
  readonly envoy?: string;
  /**
   * Where its hosts are: the name of the Envoy listener, or of the route table of this listener alone, where it ends TLS for HTTP and belongs to
   * a Gateway of a class.
   */
  readonly site?: string;
  readonly kinds: readonly RouteKind[];
  /** `<namespace>/<name>` of its certificate, where it ends TLS. */
  readonly secret?: string;
  /** Further certificates, of which Envoy chooses by what the client can verify. */
  readonly moreSecrets?: readonly string[];
  readonly clientValidation?: ClientValidation;
  readonly problems: readonly ListenerProblem[];
  /** Whether routes are served by it; kinds that it can't take keep none of the others away. */
  readonly ready: boolean;
}
