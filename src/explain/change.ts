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

/** A host as clients reach it: of a domain (or wildcard) on a listener. */
export interface Place {
  readonly domain: string;
  /** The name of the Envoy listener; of what is for TLS clients without a server name, that of their route table. */
  readonly listener: string;
}

/** A thing that is there on one side alone, or differs. The place is that of a host, a route or a server name. */
export interface ConfigChange extends Partial<Place> {
  readonly kind: ChangeKind;
  /** Of a route: its match in words. */
  readonly name: string;
  /** Of a host or route: its place in words, such as `a.test (http)` or `a.test (http on port 8080)`. */
  readonly host?: string;
  readonly change: "added" | "removed" | "changed";
  readonly details: readonly Detail[];
}
