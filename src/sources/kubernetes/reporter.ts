import { type FailureCode, isCommon } from "../../kubernetes/failures.js";
import type { ApiResource } from "../../kubernetes/resources.js";

interface ReporterOptions {
  readonly server: string;
  log(line: string): void;
  now(): number;
}

/** What is looked at of the followers of all kinds. */
interface Followed {
  readonly state: { readonly state: string; readonly code?: FailureCode };
}

type Named = Pick<ApiResource, "plural">;

/** Watches that go silent within this time are told of once. */
const quietMs = 60_000;

/** Log lines about a cluster: each thing once, what all kinds have in common once for all, and when it is over. */
export class Reporter {
  readonly #said = new Map<string, string>();
  /** Kinds that fail, by plural, and since when. */
  readonly #failing = new Map<string, number>();
  #stalledAt = Number.NEGATIVE_INFINITY;
  #common: { readonly code: FailureCode; readonly since: number } | undefined;

  constructor(private readonly options: ReporterOptions) {}

  failed({ plural }: Named, code: FailureCode, message: string): void {
    const { log, now } = this.options;
    // A watch that is opened anew, and a list that is asked for again, are no state that lasts.
    if (code === "kube-expired") return;
    if (code === "kube-stalled") {
      // A connection that dies takes the watches of all kinds with it.
      if (now() - this.#stalledAt >= quietMs) log(`${code}: ${message}; other kinds are counted only`);
      this.#stalledAt = now();
      return;
    }
    const line = `${code}: ${message}; the last good state is served`;
    if (!isCommon(code)) {
      if (!this.#failing.has(plural)) this.#failing.set(plural, now());
      this.say({ plural }, line);
      return;
    }
    if (this.#common?.code === code) return;
    this.#common = { code, since: this.#common?.since ?? now() };
    log(line);
  }

  /** Says each thing once, until something else is to be said of the kind. */
  say({ plural }: Named, line: string): void {
    if (this.#said.get(plural) === line) return;
    this.#said.set(plural, line);
    this.options.log(line);
  }

  /** What was said of a kind does not hold any more. */
  unsay({ plural }: Named): void {
    this.#said.delete(plural);
  }

  /** A kind is followed; what is wrong with all is over when no kind has it any more. */
  recovered({ plural }: Named, all: readonly Followed[]): void {
    const { log, now, server } = this.options;
    const since = this.#failing.get(plural);
    if (since !== undefined) {
      this.#failing.delete(plural);
      this.#said.delete(plural);
      log(`${plural} are followed again, after ${seconds(now() - since)}`);
    }
    const common = this.#common;
    if (!common || all.some(({ state }) => state.code === common.code)) return;
    this.#common = undefined;
    log(`all of ${server} is followed again, after ${seconds(now() - common.since)}`);
  }
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
