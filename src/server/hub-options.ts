import type { Log } from "../log/log.js";
import type { ShortenedHold } from "./cut-polls.js";
import type { PublicationAcceptance } from "./envoy-reports.js";
import type { Timers } from "./timers.js";

export interface HubOptions {
  /** Milliseconds since the epoch. */
  now(): number;
  readonly log: Log;
  /** In [0, 1). */
  random?(): number;
  /** Whether the published state equals that of the source; absent: always. */
  synced?(): boolean;
  /** How long (ms) other replicas may serve the state before an edit; absent: there are no other replicas. */
  readonly replicaMs?: number;
  timers?: Timers;
  /** Called when an Envoy that had another version accepts one of a publication. */
  accepted?(acceptance: PublicationAcceptance): void;
  /** Called when nothing of the state before a publication is served any more. */
  settled?(sequence: number, at: number): void;
  /** Maximum number of held polls for one token. */
  maxHeld?: number;
  /** The same for all tokens: above `maxHeld`, so that a token can't use up the places of others. */
  maxWaiters?: number;
  /** The bytes of answers that are sent at a time; absent: there is no limit. */
  readonly outgoingBytes?: number;
}

/** How Envoys poll a server. */
export interface PollsView {
  readonly held: number;
  readonly perMinute: number;
  /** The setting `polls.hold`, in ms. */
  readonly holdMs: number;
  /** The number of answers that wait until others are sent. */
  readonly queued: number;
  readonly shortened: readonly ShortenedHold[];
}
