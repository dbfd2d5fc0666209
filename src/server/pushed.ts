import { compilerVersion } from "../compile.js";
import { isSameServed } from "../link/snapshot.js";
import type { Finding, Ref } from "../schema/meta.js";
import { type Settings, settingsRef } from "../schema/settings.js";
import type { Store } from "../store/store.js";
import { tryChanges } from "../trial.js";
import { type Change, type Platform, resume, unitsLeft, update } from "../update.js";
import { contentHash } from "../xds/hash.js";
import type { Inspected } from "./inspect.js";
import { completeSources, lostStore, missingIn, tellPushed } from "./lost-store.js";
import type { Publisher } from "./publisher.js";
import {
  checkContent,
  checkCount,
  checkRevision,
  notContent,
  type Push,
  type RefusedPush,
  refusedPush,
} from "./push-checks.js";
import { findLost, isOutdated, reapply } from "./reapply.js";
import { compileLeft, inSlices } from "./slices.js";
import { type ParsedSource, parseSource } from "./source.js";
import { applyJob, type Job, jobOf, settleJob } from "./source-apply.js";
import { copyOf, dropOld, listRevisions, type SourceCopy } from "./source-history.js";
import {
  applyingNames,
  readHead,
  readSource,
  removeSource,
  type SourceState,
  sourceFindings,
  sourceNames,
  sourceRefs,
  workLeft,
  writeHead,
} from "./source-state.js";
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
  /** Sources that Envoys have and that were not pushed again since the store was lost: until they are, these Envoys keep what they have. */
  readonly missing?: number;
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
    findLost(this.store);
    const names = sourceNames(this.store);
    const arePushed = this.#refsOf(names).has(settingsRef);
    tellPushed(this.store, this.publisher);
    if (!arePushed && (this.settings || this.store.object(settingsRef)))
      update(this.store, this.#without([settingsRef]), this.platform);
    if (names.length > 0) this.#publish();
    if (this.#toApply().length > 0)
      this.continue().catch((error: unknown) =>
        this.publisher.log(`can't apply what was pushed: ${String(error)}`),
      );
  }

  /** Publishes what there is, under versions that say which sources it is of. Returns whether that is something else. */
  #publish(): boolean {
    tellPushed(this.store, this.publisher);
    return this.publisher.publish();
  }

  /** Sources whose content has to be applied: one that was not to its end, and those that another compiler has read. */
  #toApply(): readonly string[] {
    const others = sourceNames(this.store).filter((name) => isOutdated(this.store, name));
    return [...new Set([...applyingNames(this.store), ...others])];
  }

  /**
   * Goes on with what was interrupted, or left for later: as much as the platform takes for one request. Returns whether anything
   * could be done.
   */
  continue(): Promise<boolean> {
    return this.#inTurn(async () => {
      let applied = false;
      for (const name of this.#toApply()) {
        const done = await reapply(name, {
          store: this.store,
          platform: this.platform,
          without: (refs) => this.#without(refs),
          log: (line) => this.publisher.log(line),
        });
        applied ||= done;
      }
      const units = await compileLeft(this.store, this.platform);
      this.#publish();
      return applied || units > 0;
    });
  }

  /** An admin says that all sources are pushed: Envoys that have more of a store that was lost are given less. */
  complete(): { readonly sources: readonly string[]; readonly missing: number } {
    return completeSources(this.store, this.publisher);
  }

  /** What there is of a source, as far as one may see that is bound to namespaces; undefined when there is none. */
  describe(name: string, namespaces?: Namespaces): object | undefined {
    if (!sourceNames(this.store).includes(name)) return undefined;
    const { revision, objects } = readHead(this.store, name);
    const findings = sourceFindings(this.store, name);
    const left = workLeft(this.store);
    const found = { source: name, revision, objects };
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
    const refs = sourceRefs(this.store, name);
    update(this.store, this.#without(refs), inSlices(this.platform));
    removeSource(this.store, name);
    const changed = this.#publish();
    const left = workLeft(this.store);
    const { sequence: version } = this.publisher;
    return { source: name, objects: refs.length, changed: changed || left > 0, version, ...leftOf(left) };
  }

  status() {
    const names = sourceNames(this.store);
    return {
      sources: names.map((name) => {
        const { revision, objects } = readHead(this.store, name);
        return { name, revision, objects };
      }),
      endpoints: this.publisher.snapshot?.mode,
      findings: [
        ...names.flatMap((name) => sourceFindings(this.store, name)),
        ...lostStore(this.publisher),
        ...this.publisher.findings,
      ],
    };
  }

  /** What is tried and taken back must not be mixed with what is left of a push before. */
  #finish(): void {
    if (unitsLeft(this.store) === 0) return;
    resume(this.store, { checkKeyPair: this.platform.checkKeyPair });
    this.#publish();
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
    const { store } = this;
    const state = readSource(store, push.name);
    const digest = contentHash(push.text);
    const stale = checkRevision(push, state, digest, this.publisher.now()) ?? checkCount(store, push);
    if (stale) return stale;
    const revision = push.revision ?? state.revision + 1;
    if (this.#isHeld(push, state, digest))
      return store.transaction(() => this.#renumber(push, state, revision));
    const source = await parseSource(push.text);
    if ("code" in source) return notContent(source);
    const refusal = checkContent(store, push, state, source);
    if (refusal) return refusal;
    if (push.strict || push.dryRun) this.#finish();
    const { name, text, by = "" } = push;
    const job = jobOf(
      store,
      { source: name, revision, at: this.publisher.now(), digest, by },
      { text, source },
      { before: state, without: (refs) => this.#without(refs) },
    );
    if (push.strict || push.dryRun) return store.transaction(() => this.#try(push, source, job));
    return this.#answer(push, source, job, await this.#carryOut(job));
  }

  /** Applies a job and publishes what comes of it, as far as the platform takes it for one request. Returns whether that differs. */
  async #carryOut(job: Job): Promise<boolean> {
    let published = false;
    let changed = false;
    const units = await applyJob(this.store, job, this.platform, () => {
      changed = this.#publish();
      published = workLeft(this.store) === 0;
    });
    if (published) return changed;
    await compileLeft(this.store, this.platform, units);
    return this.#publish();
  }

  /** All sources with their revisions and what is kept of their contents. */
  list() {
    return sourceNames(this.store).map((name) => {
      const { revision, objects } = readHead(this.store, name);
      const revisions = listRevisions(this.store, name).map(({ source, ...one }) => one);
      return { name, revision, objects, revisions };
    });
  }

  copy(name: string, revision: number): SourceCopy | undefined {
    return copyOf(this.store, name, revision);
  }

  /** Takes a content that another server has kept: the newest of its source is applied, an older one is kept beside it. */
  putCopy(copy: SourceCopy): Promise<Pushed | RefusedPush> {
    return this.#inTurn(() => this.#putCopy(copy));
  }

  async #putCopy(copy: SourceCopy): Promise<Pushed | RefusedPush> {
    const { store } = this;
    const { source: name, revision, at, by, text, held } = copy;
    const push: Push = { name, text, strict: false, dryRun: false, acceptShrink: true };
    const state = readSource(store, name);
    const digest = contentHash(text);
    const kept = store.revisions(name).find((one) => one.revision === revision);
    if (kept ? kept.digest !== digest : revision === state.revision && digest !== state.digest)
      return refusedPush(409, "stale-revision", `revision ${revision} is there with other content`);
    const content = { text, held };
    if (revision <= state.revision) {
      store.transaction(() => {
        store.putRevision({ source: name, revision, at, digest, by }, content);
        dropOld(store, name);
      });
      return this.#renumber(push, state, state.revision);
    }
    const refusal = checkCount(store, push);
    if (refusal) return refusal;
    const source = await parseSource(text);
    if ("code" in source) return notContent(source);
    const foreign = checkContent(store, push, state, source);
    if (foreign) return foreign;
    const job = jobOf(
      store,
      { source: name, revision, at, digest, by },
      { text, source },
      {
        before: state,
        held,
        without: (refs) => this.#without(refs),
      },
    );
    return this.#answer(push, source, job, await this.#carryOut(job));
  }

  /** Whether a text is that of a source, read by this compiler, and all of it applied: then nothing of it has to be read. */
  #isHeld(push: Push, { revision, digest, compiler }: SourceState, pushed: string): boolean {
    if (digest !== pushed || !this.publisher.snapshot) return false;
    if (push.revision === revision) return true;
    // What the text has outside the namespaces of a token is seen only where it is read.
    if (push.strict || push.dryRun || push.namespaces) return false;
    return (
      compiler === compilerVersion &&
      applyingNames(this.store).length === 0 &&
      this.store.revisions(push.name)[0]?.digest === pushed
    );
  }

  /** Gives what a source holds a higher revision. */
  #renumber(push: Push, state: SourceState, revision: number): Pushed {
    const { name, namespaces, by = "" } = push;
    const [newest] = this.store.revisions(name);
    if (revision !== state.revision && newest) {
      this.store.renumberRevision(newest, { source: name, revision, at: this.publisher.now(), by });
      const { digest, compiler, objects } = state;
      writeHead(this.store, name, { revision, digest, compiler, objects });
    }
    return {
      source: name,
      revision,
      objects: state.refs.length,
      changed: false,
      version: this.publisher.sequence,
      findings: visibleFindings([...state.findings, ...this.publisher.findings], namespaces),
      ...leftOf(workLeft(this.store)),
      ...missingIn(this.publisher),
    };
  }

  /** What a push is not to blame for: what other sources hold, and the server's own settings where it has none itself. */
  #refsOfOthers(name: string, kept: ReadonlySet<Ref>): ReadonlySet<Ref> {
    const others = this.#refsOf(sourceNames(this.store).filter((other) => other !== name));
    return this.settings && !kept.has(settingsRef) ? new Set([...others, settingsRef]) : others;
  }

  #refsOf(names: readonly string[]): ReadonlySet<Ref> {
    return new Set(names.flatMap((name) => sourceRefs(this.store, name)));
  }

  /** The changes that take objects away: settings give way to the server's own. */
  #without(refs: readonly Ref[]): Change[] {
    return refs.map((gone) => (gone === settingsRef && this.settings) || { gone });
  }

  /** Applies a push to see what comes of it, and takes it back where it is a dry run, or strict and not valid. */
  #try(push: Push, source: ParsedSource, job: Job): Pushed | RefusedPush {
    const old = push.dryRun ? this.publisher.preview() : undefined;
    const { undo } = tryChanges(this.store, job.changes, this.platform);
    const others = this.#refsOfOthers(push.name, new Set(job.refs));
    const all = [...source.findings, ...this.publisher.storeFindings];
    const errors =
      push.strict && all.some(({ about, severity }) => severity === "error" && !others.has(about));
    const tried = old && this.publisher.preview();
    const traffic = old && tried && new Traffic(old, tried, push.namespaces);
    traffic?.judge(this.store);
    if (errors || push.dryRun) undo();
    traffic?.judge(this.store);
    if (errors)
      return refusedPush(
        422,
        "invalid-objects",
        "an object is not valid, and the push is strict",
        visibleFindings(all, push.namespaces),
      );
    if (old && tried && traffic) {
      const findings = visibleFindings([...all, ...tried.findings], push.namespaces);
      const answer = this.#answer(push, source, job, !isSameServed(old, tried));
      return { ...answer, findings, traffic: traffic.lines };
    }
    settleJob(this.store, job);
    return this.#answer(push, source, job, this.#publish());
  }

  #answer(push: Push, source: ParsedSource, { revision }: Job, changed: boolean): Pushed {
    const left = workLeft(this.store);
    return {
      source: push.name,
      revision: revision.revision,
      objects: source.objects.length,
      changed: changed || left > 0,
      version: this.publisher.sequence,
      findings: visibleFindings([...source.findings, ...this.publisher.findings], push.namespaces),
      ...leftOf(left),
      ...missingIn(this.publisher),
    };
  }
}

const leftOf = (left: number): Pick<Pushed, "left"> => (left > 0 ? { left } : {});
