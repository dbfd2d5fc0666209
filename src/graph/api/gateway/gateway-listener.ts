import type { Listener } from "../../../schema/gateway.js";
import type { GatewayRoute } from "../../../schema/object.js";
import type { ObjectByKind } from "../../core/reader.js";
import type { ClientValidation } from "../../policies/client-validation.js";
import type { ListenerProblem } from "./ports.js";
import type { TlsRange } from "./tls-options.js";

export type Gateway = ObjectByKind<"Gateway">;
export type ListenerSet = ObjectByKind<"ListenerSet">;

export type RouteObject = GatewayRoute;
export type RouteKind = RouteObject["kind"];

/** A listener of a Gateway as routes use it. */
export interface GatewayListener {
  readonly spec: Listener;
  /** The object that contains it. */
  readonly owner: Gateway | ListenerSet;
  /** Index in `spec.listeners` of that object. */
  readonly index: number;
  /** In lower case; empty matches any host. */
  readonly hostname: string;
  /** The name of the Envoy listener for its port; undefined if the listener can't be served. */
  readonly envoy?: string;
  /**
   * The place of its hosts: the name of the Envoy listener. For HTTPS on a Gateway of a class: the name of the route
   * table of this listener alone.
   */
  readonly site?: string;
  readonly kinds: readonly RouteKind[];
  /** `<namespace>/<name>` of its certificate, if it terminates TLS. */
  readonly secret?: string;
  /** Further certificates. Envoy selects one that the client can verify. */
  readonly moreSecrets?: readonly string[];
  /** The protocol versions, if it terminates TLS. */
  readonly range?: TlsRange;
  readonly clientValidation?: ClientValidation;
  readonly problems: readonly ListenerProblem[];
  /** Whether it serves routes. A kind of route that it does not support does not affect the other kinds. */
  readonly ready: boolean;
}
