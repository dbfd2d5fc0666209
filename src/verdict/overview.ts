/** How the Envoys that poll of late are with what is served. */
export interface EnvoyCounts {
  readonly total: number;
  readonly current: number;
  /** Newer content is on its way to them. */
  readonly behind: number;
  /** They refused what they were given last. */
  readonly refusing: number;
  /** They have accepted nothing of a type. */
  readonly never: number;
  /** Remembered, and silent for more than a minute. */
  readonly away: number;
  /** By type, since when (ms since the epoch) the first of them refuses. */
  readonly refusals: readonly { readonly type: string; readonly since: number; readonly count: number }[];
  /** Since when the first of them is behind, or has accepted nothing. */
  readonly waitingSince?: number;
}

/** Something about the server itself that an operator has to know. */
export interface Notice {
  readonly level: "warning" | "bad";
  readonly text: string;
}

/** What `GET /overview` answers: what the verdict is made of. Times are ms since the epoch, by the server's clock. */
export interface Overview {
  readonly now: number;
  /** What the token may do: an admin may roll back. */
  readonly role: "read" | "admin";
  /** Whether anything has been published. */
  readonly ready: boolean;
  /** Units and steps that are left until the next publication. */
  readonly pending: number;
  /** Hosts that are served. */
  readonly hosts: number;
  readonly findings: {
    readonly errors: number;
    readonly warnings: number;
    /** Objects with an error. */
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
