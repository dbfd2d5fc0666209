import type { Detail } from "./leaves.js";

export type ChangeKind =
  | "listener"
  /**
   * The handling of TLS connections for a server name; `*` is any other name. With the port for a further listener of
   * a Gateway.
   */
  | "server name"
  | "certificate"
  | "host"
  | "route"
  | "cluster"
  | "endpoints";

/** A domain (or wildcard) on a listener. */
export interface Place {
  readonly domain: string;
  /** The name of the Envoy listener; for TLS clients without a server name, the name of their route table. */
  readonly listener: string;
}

/** An item that exists on one side only, or differs. Hosts, routes and server names have a place. */
export interface ConfigChange extends Partial<Place> {
  readonly kind: ChangeKind;
  /** For a route: a description of its match. */
  readonly name: string;
  /** For a host or route: its place as text, such as `a.test (http)` or `a.test (http on port 8080)`. */
  readonly host?: string;
  readonly change: "added" | "removed" | "changed";
  readonly details: readonly Detail[];
}
