import type { Finding, Ref } from "../schema/meta.js";
import { settingsOf } from "../server/publisher.js";
import type { Store } from "../store/store.js";
import { type Change, type Platform, update } from "../update.js";
import { ApiError, currentVersion, type Raw, type Transport } from "./api.js";
import { Clusters, type Member } from "./clusters.js";
import { explainFailure, Follower, type KindState, type Sink } from "./follow.js";
import { isOlderVersion } from "./guard.js";
import { type Resource, resourcesOf } from "./resources.js";

export interface KubeSourceOptions {
  readonly transport: Transport;
  /** Its settings, which have to be there by then, say which kinds are followed. */
  readonly store: Store;
  /** Which of several clusters this is; the only one when it is left out. */
  readonly member?: Member;
  readonly platform: Platform;
  readonly acceptShrink: boolean;
  /** Read these alone; empty: all. */
  readonly namespaces: readonly string[];
  /** Called when objects or what was found wrong with them have changed; never before every kind is known. */
  changed(): void;
  /** An object as it came; undefined when it is gone. */
  observe?(ref: Ref, raw: Raw | undefined): void;
  log(line: string): void;
  now(): number;
  /** Resolves after so many ms, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
}

const firstBackoffMs = 500;
const maxBackoffMs = 30_000;
/** How often a kind whose CRD is not there, or whose list is held, is asked for again. */
const askAgainMs = 10_000;
/** Kinds that begin a watch within this time ask the server only once where it is. */
const compareMs = 1000;

/** A cluster as the source of a store: every kind followed, failures apart from each other. */
export class KubeSource {
  readonly #followers: readonly Follower[];
  readonly #member: Member;
  readonly #findings = new Map<Ref, readonly Finding[]>();
  readonly #known = new Map<Resource["kind"], Set<Ref>>();
  #wasReady = false;
  #dirty = false;

  constructor(private readonly options: KubeSourceOptions) {
    const { transport, acceptShrink, namespaces, now, store } = options;
    this.#member = options.member ?? new Clusters(store, [""]).of("");
    for (const ref of this.#member.known())
      this.#knownOf(ref.slice(0, ref.indexOf("/")) as Resource["kind"]).add(ref);
    this.#followers = resourcesOf(settingsOf(store)).map(
      (resource) => new Follower(resource, transport, this.#sink, { acceptShrink, namespaces, now }),
    );
  }

  /** Whether every kind has been read once: before that nothing may be published. */
  get ready(): boolean {
    return this.#followers.every((follower) => follower.ready);
  }

  /** Whether all that is known now is what the server has, as far as its watches tell. */
  get synced(): boolean {
    return this.#followers.every(({ state: { state } }) => state === "synced" || state === "absent");
  }

  get findings(): Finding[] {
    return [...this.#findings.values()].flat();
  }

  status(): Readonly<Record<string, KindState>> {
    return Object.fromEntries(this.#followers.map(({ resource, state }) => [resource.kind, state]));
  }

  /** Lists everything again at the next look, while what is known is served. */
  listAnew(): void {
    for (const follower of this.#followers) follower.listAnew();
  }

  /** Follows all kinds until the signal is aborted, each watch open for so many seconds. */
  async run(seconds: number, signal: AbortSignal): Promise<void> {
    await Promise.all(this.#followers.map((follower) => this.#follow(follower, seconds, signal)));
  }

  /** Catches up once with all kinds: for a doorbell or a timer. Failures are logged and change nothing. */
  async refresh(seconds: number, signal: AbortSignal): Promise<void> {
    await this.#compare(signal);
    await Promise.all(
      this.#followers.map((follower) =>
        follower.poll(seconds, signal).catch((error) => this.#tell(follower, error)),
      ),
    );
    this.#notify();
  }

  async #follow(follower: Follower, seconds: number, signal: AbortSignal): Promise<void> {
    const { sleep, random } = this.options;
    let backoff = firstBackoffMs;
    while (!signal.aborted) {
      try {
        await this.#compare(signal);
        await follower.poll(seconds, signal);
        backoff = firstBackoffMs;
        this.#notify();
        if (follower.state.state === "absent" || follower.state.state === "held")
          await this.#waitFor(follower, signal);
      } catch (error) {
        if (error instanceof ApiError && error.status === 410) continue;
        this.#tell(follower, error);
        await sleep(backoff * (0.5 + random()), signal);
        backoff = Math.min(backoff * 2, maxBackoffMs);
      }
    }
  }

  #compared: { readonly at: number; readonly done: Promise<void> } | undefined;

  /**
   * Asks where the server is now. One that was restored from a backup may be before what is known, and would keep a
   * watch from there silent until its numbers have passed it: then everything is listed again. Versions are of all
   * kinds, so that one question is enough.
   */
  async #compare(signal: AbortSignal): Promise<void> {
    const now = this.options.now();
    if (!this.#compared || now - this.#compared.at >= compareMs)
      this.#compared = { at: now, done: this.#ask(signal) };
    await this.#compared.done;
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const [first] = this.#followers;
    if (!first?.ready) return;
    // Watches of other kinds may go on meanwhile.
    const known = this.#followers.map(({ version }) => version);
    try {
      const now = await currentVersion(this.options.transport, first.resource, signal);
      for (const [i, follower] of this.#followers.entries())
        if (isOlderVersion(now, known[i] ?? "")) follower.listAnew();
    } catch {
      // Who can't be asked this fails at what is asked next, too, and that is told by kind.
    }
  }

  async #waitFor({ resource, state }: Follower, signal: AbortSignal): Promise<void> {
    if (state.state === "held") this.#say(resource, `${resource.plural}: ${state.held.message}`);
    if (state.state === "absent")
      this.#say(
        resource,
        `${resource.plural} are not known to this cluster; they are read once their CRD is there`,
      );
    await this.options.sleep(askAgainMs, signal);
  }

  readonly #said = new Map<string, string>();

  /** Says each thing once, until something else is to be said of the kind. */
  #say({ plural }: Resource, line: string): void {
    if (this.#said.get(plural) === line) return;
    this.#said.set(plural, line);
    this.options.log(line);
  }

  #tell({ resource }: Follower, error: unknown): void {
    this.#say(resource, explainFailure(resource, error));
  }

  #knownOf(kind: Resource["kind"]): Set<Ref> {
    const found = this.#known.get(kind) ?? new Set<Ref>();
    this.#known.set(kind, found);
    return found;
  }

  #cursorName(kind: string): string {
    const { name } = this.#member;
    return name ? `kubernetes:${name}:${kind}` : `kubernetes:${kind}`;
  }

  readonly #sink: Sink = {
    known: (kind) => this.#knownOf(kind),
    cursor: (kind) => this.options.store.cursor(this.#cursorName(kind)) ?? "",
    setCursor: (kind, version) => {
      this.options.store.setCursor(this.#cursorName(kind), version);
      const follower = this.#followers.find(({ resource }) => resource.kind === kind);
      if (follower && version) this.#said.delete(follower.resource.plural);
      this.#notify();
    },
    observe: (ref, raw) => this.options.observe?.(ref, raw),
    apply: (kind, changes, findings, whole) => this.#apply(kind, changes, findings, whole),
  };

  #apply(
    kind: Resource["kind"],
    changes: readonly Change[],
    findings: readonly Finding[],
    whole: boolean,
  ): void {
    const known = this.#knownOf(kind);
    if (whole) for (const ref of known) this.#dropFindings(ref);
    for (const change of changes) {
      const ref = "gone" in change ? change.gone : change.ref;
      this.#dropFindings(ref);
      if ("gone" in change) known.delete(ref);
      else known.add(ref);
    }
    for (const finding of findings) {
      known.add(finding.about);
      this.#findings.set(finding.about, [...(this.#findings.get(finding.about) ?? []), finding]);
    }
    const { store, platform } = this.options;
    if (changes.length > 0 && update(store, this.#member.place(changes), platform).edited) this.#dirty = true;
    if (findings.length > 0) this.#dirty = true;
  }

  #dropFindings(ref: Ref): void {
    if (this.#findings.delete(ref)) this.#dirty = true;
  }

  /** Tells of changes; first when all kinds are known, then of each. */
  #notify(): void {
    if (!this.ready) return;
    if (this.#wasReady && !this.#dirty) return;
    this.#wasReady = true;
    this.#dirty = false;
    this.options.changed();
  }
}
