import type { Transport } from "../../kubernetes/api.js";
import type { Log } from "../../log/log.js";
import type { Ref } from "../../schema/meta.js";
import type { StatusKind, StatusVerdict } from "../status.js";
import type { Owner } from "./owned.js";

export interface StatusWriterOptions {
  readonly transport: Transport;
  /** The current verdict of an object. */
  verdict(ref: Ref): StatusVerdict;
  owner(): Owner;
  /** Whether this replica writes. */
  leads(): boolean;
  /** A status was written or removed. */
  wrote(kind: StatusKind): void;
  /** A write failed with this status code; 0 without a valid response. */
  failed(kind: StatusKind, code: number): void;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after this many ms, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** An object is due again after a pause: a runtime that works in turns starts one. */
  due?(): void;
}
