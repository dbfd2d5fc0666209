import { type FailureCode, isCommon } from "../../kubernetes/failures.js";
import type { ApiResource } from "../../kubernetes/resources.js";
import type { LogEvent } from "../../log/events.js";
import type { Log, LogFields } from "../../log/log.js";

interface ReporterOptions {
  readonly server: string;
  readonly log: Log;
  now(): number;
}

/** The part of a follower's state that the reporter reads. */
interface Followed {
  readonly state: { readonly state: string; readonly code?: FailureCode };
}

type Named = Pick<ApiResource, "plural">;

/** Watches that stall within this time are logged once. */
const quietMs = 60_000;

/** Log lines about a Kubernetes cluster: each state once, a failure that all kinds share once, and the end of each. */
export class Reporter {
  readonly #logged = new Map<string, string>();
  /** Failing kinds, by plural, with the time since when they fail. */
  readonly #failing = new Map<string, number>();
  #stalledAt = Number.NEGATIVE_INFINITY;
  #common: { readonly code: FailureCode; readonly since: number } | undefined;

  constructor(private readonly options: ReporterOptions) {}

  failed({ plural }: Named, code: FailureCode, message: string): void {
    const { log, now } = this.options;
    // An expired version leads to a new list at once; it is not a lasting state.
    if (code === "kube-expired") return;
    if (code === "kube-stalled") {
      // A dead connection stalls the watches of all kinds.
      if (now() - this.#stalledAt >= quietMs)
        log(`${code}: ${message}; stalled watches of other kinds are only counted`, "watch-stalled", {
          kind: plural,
          code,
        });
      this.#stalledAt = now();
      return;
    }
    const line = `${code}: ${message}; the last good state is served`;
    if (!isCommon(code)) {
      if (!this.#failing.has(plural)) this.#failing.set(plural, now());
      this.logOnce({ plural }, line, "source-lost", { code });
      return;
    }
    if (this.#common?.code === code) return;
    this.#common = { code, since: this.#common?.since ?? now() };
    log(line, "source-lost", { code });
  }

  /** Logs a line once, until another line is logged for the kind. */
  logOnce({ plural }: Named, line: string, event: LogEvent, fields: LogFields = {}): void {
    if (this.#logged.get(plural) === line) return;
    this.#logged.set(plural, line);
    this.options.log(line, event, { kind: plural, ...fields });
  }

  /** Forgets the last line of a kind. */
  forget({ plural }: Named): void {
    this.#logged.delete(plural);
  }

  /** A kind is followed again. A shared failure ends when no kind has it any more. */
  recovered({ plural }: Named, all: readonly Followed[]): void {
    const { log, now, server } = this.options;
    const since = this.#failing.get(plural);
    if (since !== undefined) {
      this.#failing.delete(plural);
      this.#logged.delete(plural);
      const ms = now() - since;
      log(`${plural} are followed again, after ${shown(ms)}`, "source-back", {
        kind: plural,
        seconds: ms / 1000,
      });
    }
    const common = this.#common;
    if (!common || all.some(({ state }) => state.code === common.code)) return;
    this.#common = undefined;
    const ms = now() - common.since;
    log(`all of ${server} is followed again, after ${shown(ms)}`, "source-back", {
      code: common.code,
      seconds: ms / 1000,
    });
  }
}

const shown = (ms: number): string => `${Math.round(ms / 1000)} s`;
