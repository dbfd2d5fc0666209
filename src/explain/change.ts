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

/** An item that exists on one side only, or differs. */
export interface ConfigChange {
  readonly kind: ChangeKind;
  /** For a route: a description of its match. */
  readonly name: string;
  /** For a host or route: the host with scheme and port, such as `a.test (http)` or `a.test (http on port 8080)`. */
  readonly host?: string;
  readonly change: "added" | "removed" | "changed";
  readonly details: readonly Detail[];
}
