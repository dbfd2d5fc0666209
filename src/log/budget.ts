import type { LogEvent } from "./events.js";
import type { Log } from "./log.js";

interface BudgetOptions {
  readonly log: Log;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly maxLines?: number;
}

const windowMs = 60_000;

/** Limits the lines of events whose number others control, so that no one fills a disk: some in a minute for each event. */
export class LogBudget {
  readonly #spent = new Map<LogEvent, { since: number; lines: number }>();

  constructor(private readonly options: BudgetOptions) {}

  /** Whether a line of the event may be written now; it then counts. The first refusal in a minute is logged. */
  admits(event: LogEvent): boolean {
    const { log, now, maxLines = 20 } = this.options;
    const time = now();
    const known = this.#spent.get(event);
    const current = known && time - known.since < windowMs ? known : { since: time, lines: 0 };
    this.#spent.set(event, current);
    current.lines++;
    if (current.lines === maxLines + 1)
      log(`further lines of the event ${event} are omitted for a minute`, "lines-omitted", { of: event });
    return current.lines <= maxLines;
  }

  /** Writes a line if the budget admits it. */
  readonly log: Log = (message, event, fields) => {
    if (this.admits(event)) this.options.log(message, event, fields);
  };
}
