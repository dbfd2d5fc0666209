import { Fleet } from "../link/fleet.js";
import { Publication } from "../link/publish.js";
import { type Answer, encodeResponse, type Request, respond } from "../link/respond.js";
import { type Snapshot, type XdsType, xdsTypes } from "../link/snapshot.js";

export interface HubOptions {
  /** Milliseconds since the epoch. */
  now(): number;
  log(line: string): void;
  phaseMs?: number;
}

export type Reply =
  | { readonly status: 200; readonly body: Uint8Array<ArrayBuffer> }
  | { readonly status: 304 }
  | { readonly status: 503; readonly reason: string };

const maxWaiters = 20_000;

/** Serves what was published last to Envoys that poll, and holds polls until there is something new. */
export class Hub {
  readonly fleet = new Fleet();
  readonly #publication: Publication;
  readonly #waiters = new Map<string, { type: XdsType; wake: () => void }>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(private readonly options: HubOptions) {
    const { phaseMs } = options;
    this.#publication = new Publication(this.fleet, phaseMs === undefined ? undefined : { phaseMs });
  }

  get ready(): boolean {
    return this.#publication.served("clusters") !== undefined;
  }

  publish(snapshot: Snapshot, sequence: number): void {
    this.#wake(this.#publication.publish(snapshot, sequence, this.options.now()));
    this.#schedule();
  }

  /** Versions by type, the phase of the publication and the Envoys. */
  status(): object {
    const versions = xdsTypes.map((type) => {
      const served = this.#publication.served(type);
      return [type, { version: served?.version ?? "", resources: served?.set.size ?? 0 }] as const;
    });
    const { phase } = this.#publication;
    return {
      phase,
      types: Object.fromEntries(versions),
      waiting: this.#waiters.size,
      fleet: this.fleet.views(),
    };
  }

  /** Answers a poll, after up to `holdMs` when there is nothing new. */
  async poll(request: Request, holdMs: number): Promise<Reply> {
    const { now } = this.options;
    const { type, node, names, version } = request;
    this.fleet.observe(node, type, names, version, now());
    this.#advance();
    const end = now() + holdMs;
    for (;;) {
      const answer = this.#answer(request);
      const left = end - now();
      const full = this.#closed || this.#waiters.size >= maxWaiters;
      if (answer.kind === "content" || left <= 0 || full) return this.#reply(request, answer);
      const replaced = await this.#wait(request, left);
      if (replaced) return this.#reply(request, answer);
    }
  }

  #answer(request: Request): Answer {
    return respond(request, this.#publication.served(request.type), this.fleet, this.options.now());
  }

  #reply({ type, node, names }: Request, answer: Answer): Reply {
    if (answer.kind === "unchanged") return { status: 304 };
    if (answer.kind === "unavailable") return { status: 503, reason: answer.reason };
    try {
      const body = encodeResponse(type, answer.selection);
      this.fleet.delivered(node, type, names, answer.selection.version, this.options.now());
      return { status: 200, body };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.options.log(reason);
      return { status: 503, reason };
    }
  }

  /** Waits for a change of the type; true when a newer poll of the same subscription took its place. */
  #wait({ type, node, names }: Request, ms: number): Promise<boolean> {
    const key = JSON.stringify([node, type, names]);
    return new Promise((resolve) => {
      const finish = (replaced: boolean): void => {
        clearTimeout(timer);
        if (this.#waiters.get(key) === waiter) this.#waiters.delete(key);
        resolve(replaced);
      };
      const timer = setTimeout(() => finish(false), ms);
      const waiter = { type, wake: () => finish(false), replace: () => finish(true) };
      const older = this.#waiters.get(key) as typeof waiter | undefined;
      this.#waiters.set(key, waiter);
      older?.replace();
    });
  }

  #wake(types: readonly XdsType[]): void {
    for (const { type, wake } of [...this.#waiters.values()]) if (types.includes(type)) wake();
  }

  #advance(): void {
    if (this.#publication.phase === "settled") return;
    this.#wake(this.#publication.advance(this.options.now()));
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const { deadline } = this.#publication;
    if (deadline === undefined) return;
    this.#timer = setTimeout(() => this.#advance(), Math.max(1, deadline - this.options.now()));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#wake(xdsTypes);
  }
}
