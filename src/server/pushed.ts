import { compilerVersion } from "../compile.js";
import { isSameServed } from "../link/snapshot.js";
import type { Finding, Ref } from "../schema/meta.js";
import { type Settings, settingsRef } from "../schema/settings.js";
import type { Store } from "../store/store.js";
import { tryChanges } from "../trial.js";
import { type Change, type Platform, resume, unitsLeft, update } from "../update.js";
import { contentHash } from "../xds/hash.js";
import type { Inspected } from "./inspect.js";
import type { Publisher } from "./publisher.js";
import {
  checkContent,
  checkCount,
  checkRevision,
  notContent,
  type Push,
  type RefusedPush,
  refsAfter,
  refusedPush,
} from "./push-checks.js";
import { type ParsedSource, parseSource } from "./source.js";
import { readSource, removeSource, type SourceState, sourceNames, writeSource } from "./source-state.js";
import { Traffic } from "./traffic.js";
import { type Namespaces, visibleFindings } from "./visible.js";

export interface Pushed {
  readonly source: string;
  readonly revision: number;
  readonly objects: number;
  /** Whether what is served differs from before; true as long as units are left, as that is not known yet. */
  readonly changed: boolean;
  /** The sequence of what is served after it. */
  readonly version: number;
  readonly findings: readonly Finding[];
  /** Units that are still to be compiled: until then nothing is published, and `findings` is not all. */
  readonly left?: number;
  /** Of a dry run: what would change for traffic, a line each. */
  readonly traffic?: readonly string[];
}

/** A source that was taken away. */
export interface RemovedSource {
  readonly source: string;
  /** How many went with it. */
  readonly objects: number;
  readonly changed: boolean;
  /** The sequence of what is served after it. */
  readonly version: number;
  /** Units that are still to be compiled: until then nothing is published. */
  readonly left?: number;
}

/** Sources that are pushed, each a part of what one store holds. */
export class PushedSources {
  constructor(
    private readonly store: Store,
    private readonly publisher: Publisher,
    private readonly platform: Platform,
    /** The settings that hold where no source has settings. */
    private readonly settings?: Settings,
  ) {}

  get inspected(): Inspected {
    const { store, publisher, platform } = this;
    return { store, publisher, platform };
  }

  /** Brings the settings in line with how the server was started now, and publishes what was pushed before a restart. */
  start(): void {
    const names = sourceNames(this.store);
    const arePushed = this.#refsOf(names).has(settingsRef);
    if (!arePushed && (this.settings || this.store.object(settingsRef)))
      update(this.store, this.#without([settingsRef]), this.platform);
    if (names.length > 0) this.publisher.publish();
  }

  /** What there is of a source, as far as one may see that is bound to namespaces; undefined when there is none. */
  describe(name: string, namespaces?: Namespaces): object | undefined {
    if (!sourceNames(this.store).includes(name)) return undefined;
    const { revision, refs, findings } = readSource(this.store, name);
    const left = unitsLeft(this.store);
    const found = { source: name, revision, objects: refs.length };
    // To gather them takes a while, and now they would not be all.
    if (left > 0) return { ...found, findings: visibleFindings(findings, namespaces), left };
    return { ...found, findings: visibleFindings([...findings, ...this.publisher.findings], namespaces) };
  }

  /** Takes a source away with all its objects, and publishes what is left; undefined when there is none of the name. */
  remove(name: string): Promise<RemovedSource | undefined> {
    return this.#inTurn(() => this.store.transaction(() => this.#remove(name)));
  }

  #remove(name: string): RemovedSource | undefined {
    if (!sourceNames(this.store).includes(name)) return undefined;
    const { refs } = readSource(this.store, name);
    const { left } = update(this.store, this.#without(refs), this.platform);
    removeSource(this.store, name);
    const changed = this.publisher.publish() || left > 0;
    const { sequence: version } = this.publisher;
    return { source: name, objects: refs.length, changed, version, ...leftOf(left) };
  }

  status() {
    const states = sourceNames(this.store).map((name) => ({ name, ...readSource(this.store, name) }));
    return {
      sources: states.map(({ name, revision, refs }) => ({ name, revision, objects: refs.length })),
      endpoints: this.publisher.snapshot?.mode,
      findings: [...states.flatMap(({ findings }) => findings), ...this.publisher.findings],
    };
  }

  /** What is tried and taken back must not be mixed with what is left of a push before. */
  #finish(): void {
    if (unitsLeft(this.store) === 0) return;
    resume(this.store, { checkKeyPair: this.platform.checkKeyPair });
    this.publisher.publish();
  }

  /** The write before, whose text may still be read. */
  #last: Promise<unknown> = Promise.resolve();

  /** Writes come one after the other: each sees what the one before has left, and their texts take the memory of one. */
  #inTurn<T>(write: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(write);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Applies one push whole, or refuses it whole. An object in it that is not valid stays as it was before. */
  put(push: Push): Promise<Pushed | RefusedPush> {
    return this.#inTurn(() => this.#put(push));
  }

  async #put(push: Push): Promise<Pushed | RefusedPush> {
    const state = readSource(this.store, push.name);
    const digest = contentHash(push.text);
    const stale = checkRevision(push, state, digest, this.publisher.now()) ?? checkCount(this.store, push);
    if (stale) return stale;
    const repeated = digest === state.digest && push.revision === state.revision;
    if (repeated && this.publisher.snapshot) return this.#unchanged(push, state);
    const source = await parseSource(push.text);
    if ("code" in source) return notContent(source);
    const refusal = checkContent(this.store, push, state, source);
    if (refusal) return refusal;
    if (push.strict || push.dryRun) this.#finish();
    const revision = push.revision ?? state.revision + 1;
    return this.store.transaction(() => this.#apply(push, source, state, { revision, digest }));
  }

  /** What a push is not to blame for: what other sources hold, and the server's own settings where it has none itself. */
  #refsOfOthers(name: string, kept: ReadonlySet<Ref>): ReadonlySet<Ref> {
    const others = this.#refsOf(sourceNames(this.store).filter((other) => other !== name));
    return this.settings && !kept.has(settingsRef) ? new Set([...others, settingsRef]) : others;
  }

  #refsOf(names: readonly string[]): ReadonlySet<Ref> {
    return new Set(names.flatMap((name) => readSource(this.store, name).refs));
  }

  /** The changes that take objects away: settings give way to the server's own. */
  #without(refs: readonly Ref[]): Change[] {
    return refs.map((gone) => (gone === settingsRef && this.settings) || { gone });
  }

  #unchanged({ name, namespaces }: Push, { revision, refs, findings }: SourceState): Pushed {
    return {
      source: name,
      revision,
      objects: refs.length,
      changed: false,
      version: this.publisher.sequence,
      findings: visibleFindings([...findings, ...this.publisher.findings], namespaces),
      ...leftOf(unitsLeft(this.store)),
    };
  }

  #apply(
    push: Push,
    source: ParsedSource,
    before: SourceState,
    now: Pick<SourceState, "revision" | "digest">,
  ): Pushed | RefusedPush {
    const refs = [...refsAfter(source, before)];
    const kept = new Set(refs);
    const gone = this.#without(before.refs.filter((ref) => !kept.has(ref)));
    const old = push.dryRun ? this.publisher.preview() : undefined;
    const changes = [...gone, ...source.objects];
    const { updated, undo } =
      push.strict || push.dryRun
        ? tryChanges(this.store, changes, this.platform)
        : { updated: update(this.store, changes, this.platform) };
    const all = [...source.findings, ...this.publisher.storeFindings];
    const findings = visibleFindings(all, push.namespaces);
    const others = this.#refsOfOthers(push.name, kept);
    const errors =
      push.strict && all.some(({ about, severity }) => severity === "error" && !others.has(about));
    const tried = old && this.publisher.preview();
    const traffic = old && tried && new Traffic(old, tried, push.namespaces);
    traffic?.judge(this.store);
    if (errors || push.dryRun) undo?.();
    traffic?.judge(this.store);
    if (errors)
      return refusedPush(422, "invalid-objects", "an object is not valid, and the push is strict", findings);
    if (!push.dryRun)
      writeSource(this.store, push.name, {
        ...now,
        compiler: compilerVersion,
        refs,
        findings: source.findings,
      });
    const changed = old && tried ? !isSameServed(old, tried) : this.publisher.publish();
    const linked = visibleFindings((tried ?? this.publisher.snapshot)?.findings ?? [], push.namespaces);
    return {
      source: push.name,
      revision: now.revision,
      objects: source.objects.length,
      changed: changed || updated.left > 0,
      version: this.publisher.sequence,
      findings: [...findings, ...linked],
      ...leftOf(updated.left),
      ...(traffic ? { traffic: traffic.lines } : {}),
    };
  }
}

const leftOf = (left: number): Pick<Pushed, "left"> => (left > 0 ? { left } : {});
