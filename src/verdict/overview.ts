/** The number of Envoys by state. Except for `away`, only Envoys that polled within a minute are counted. */
export interface EnvoyCounts {
  readonly total: number;
  readonly current: number;
  /** Envoys that have not accepted the newest configuration yet. */
  readonly behind: number;
  /** Envoys that rejected the last version they got. */
  readonly refusing: number;
  /** Envoys that never accepted any version of a type. */
  readonly never: number;
  /** Known Envoys that have not polled for more than a minute. */
  readonly away: number;
  /** By type: how many Envoys reject it, and the earliest time since which one of them does (ms since the epoch). */
  readonly refusals: readonly { readonly type: string; readonly since: number; readonly count: number }[];
  /** The earliest time since which an Envoy is behind or has accepted nothing. */
  readonly waitingSince?: number;
}

/** A message to the operator about the server itself. */
export interface Notice {
  readonly level: "warning" | "bad";
  readonly text: string;
}

/** A Gateway of a class that is served, with the addresses and the listeners that Envoy has for it. */
export interface OverviewGateway {
  /** `namespace/name`. */
  readonly name: string;
  readonly addresses: readonly string[];
  /** Protocol and port of each of Envoy's listeners, such as `https 443`. */
  readonly listeners: readonly string[];
  /** The number of its hosts. */
  readonly hosts: number;
}

/** The response of `GET /overview`: the input of the verdict. Times are ms since the epoch, by the server's clock. */
export interface Overview {
  readonly now: number;
  /** The rights of the token: only an admin may roll back. */
  readonly role: "read" | "admin";
  /** Whether anything has been published. */
  readonly ready: boolean;
  /** The number of units and steps that remain before the next publication. */
  readonly pending: number;
  /** The number of served hosts. */
  readonly hosts: number;
  /** The first Gateways of classes that are served, in the order of their names. */
  readonly gateways: readonly OverviewGateway[];
  readonly gatewayCount: number;
  readonly findings: {
    readonly errors: number;
    readonly warnings: number;
    /** The number of objects with an error. */
    readonly objects: number;
  };
  readonly envoys: EnvoyCounts;
  readonly notices: readonly Notice[];
  /** The newest entry of the history. */
  readonly last?: {
    readonly number: number;
    readonly at: number;
    readonly source?: string;
    readonly revision?: number;
    readonly by?: string;
  };
}
