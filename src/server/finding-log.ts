import type { Engine } from "../engine/engine.js";
import { LogBudget } from "../log/budget.js";
import type { Log } from "../log/log.js";
import { findingFields, shownFinding } from "../schema/finding-subject.js";
import type { Finding } from "../schema/meta.js";
import type { Source } from "../sources/source.js";
import { platformTimers, type Timers } from "./timers.js";

interface FindingLogOptions {
  readonly engine: Engine;
  readonly source: Pick<Source, "findings" | "locate">;
  readonly log: Log;
  readonly timers?: Timers;
}

/** The findings are compared at most this often, because all of them are read. */
const lookMs = 1000;
/** Lines of an event in a minute: tenants control the number of findings. */
const maxLines = 50;

const keyOf = ({ about, severity, type, reason, path = "", message }: Finding): string =>
  [about, severity, type, reason, path, message].join("\n");

/** Logs findings that appear and findings that go, after publications. */
export class FindingLog {
  readonly #budget: LogBudget;
  readonly #timers: Timers;
  #known = new Map<string, Finding>();
  #timer: unknown;
  #closed = false;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: FindingLogOptions) {
    const { engine, log, timers = platformTimers } = options;
    this.#budget = new LogBudget({ log, now: engine.now, maxLines });
    this.#timers = timers;
    engine.listen({ published: () => this.poke() });
  }

  /** Compares the findings now, or within a second if they were compared just before. */
  poke(): void {
    if (this.#closed || this.#timer !== undefined) return;
    const wait = this.#lookedAt + lookMs - this.options.engine.now();
    if (wait <= 0) this.#look();
    else
      this.#timer = this.#timers.set(
        () => {
          this.#timer = undefined;
          this.#look();
        },
        Math.min(wait, lookMs),
      );
  }

  #look(): void {
    const { engine, source } = this.options;
    this.#lookedAt = engine.now();
    const found = new Map<string, Finding>();
    for (const finding of [...source.findings, ...engine.findings]) found.set(keyOf(finding), finding);
    const before = this.#known;
    this.#known = found;
    for (const [key, finding] of found) if (!before.has(key)) this.#write("finding-appeared", finding);
    for (const [key, finding] of before) if (!found.has(key)) this.#write("finding-gone", finding);
  }

  #write(event: "finding-appeared" | "finding-gone", finding: Finding): void {
    if (!this.#budget.admits(event)) return;
    const place = event === "finding-appeared" ? this.options.source.locate?.(finding) : undefined;
    const shown = shownFinding({ ...finding, ...place });
    this.options.log(event === "finding-gone" ? `no longer: ${shown}` : shown, event, findingFields(finding));
  }

  close(): void {
    this.#closed = true;
    this.#timers.clear(this.#timer);
  }
}
