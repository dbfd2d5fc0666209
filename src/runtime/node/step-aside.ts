import type { Log } from "../../log/log.js";
import type { Standing } from "../../server/standing.js";

export interface StepAsideOptions {
  /** Without an answer of the API server for this time, the served state may be old. */
  readonly staleMs: number;
  /** When the API server last answered, in ms since the epoch; with several clusters, the oldest time. */
  lastAnswerAt(): number;
  now(): number;
  /** The address of another replica that is up to date; undefined where there is none. */
  freshPeer(): Promise<string | undefined>;
  /** Starts or ends sending Envoys to other replicas. */
  stepAside(aside: boolean): void;
  readonly log: Log;
}

const lookMs = 5000;

/**
 * Takes a replica that is cut off from its API server out of service while another one is known to be up to date: the
 * replica is then not ready, and sends its Envoys away. If no other replica reports that it is up to date, this one
 * continues to serve, since it may be the last: an old state is better than none.
 */
export class StepAside {
  #isAside = false;
  #wasStale = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(private readonly options: StepAsideOptions) {}

  start(): void {
    const next = (): void => {
      if (this.#closed) return;
      this.#timer = setTimeout(
        () => void this.check().finally(next),
        Math.min(lookMs, this.options.staleMs / 4),
      );
      this.#timer.unref();
    };
    next();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  get standing(): Standing {
    const { now, lastAnswerAt: lookedAt, staleMs } = this.options;
    const silentMs = now() - lookedAt();
    return { silentMs, fresh: silentMs <= staleMs, aside: this.#isAside && silentMs > staleMs };
  }

  /** Checks the state once. */
  async check(): Promise<void> {
    const { fresh } = this.standing;
    const peer = fresh ? undefined : await this.options.freshPeer();
    const aside = !this.standing.fresh && peer !== undefined;
    const changed = aside !== this.#isAside || fresh === this.#wasStale;
    this.#isAside = aside;
    this.#wasStale = !fresh;
    if (!changed) return;
    this.options.stepAside(aside);
    this.#report(fresh, peer);
  }

  #report(fresh: boolean, peer: string | undefined): void {
    const { log, staleMs } = this.options;
    const silent = `no answer from the API server for ${Math.round(staleMs / 1000)} s`;
    if (fresh) log("the API server answers again; this server is up to date", "api-server-answers");
    else if (peer)
      log(
        `${silent}; ${peer} is up to date, so this server is not ready and sends its Envoys away`,
        "stepping-aside",
        { peer },
      );
    else
      log(
        `${silent}; no other replica is known to be up to date, so this server continues to serve its last state`,
        "api-server-silent",
      );
  }
}
