import type { Detail } from "./leaves.js";

export type ChangeKind =
  | "listener"
  /** What is done with TLS connections for a name; `*` is any other. On a further listener of a Gateway with its port. */
  | "server name"
  | "certificate"
  | "host"
  | "route"
  | "cluster"
  | "endpoints";

/** A thing that is there on one side alone, or differs. */
export interface ConfigChange {
  readonly kind: ChangeKind;
  /** Of a route: its match in words. */
  readonly name: string;
  /** Of a host or route: the host and how it is reached, such as `a.test (http)` or `a.test (http on port 8080)`. */
  readonly host?: string;
  readonly change: "added" | "removed" | "changed";
  readonly details: readonly Detail[];
}
