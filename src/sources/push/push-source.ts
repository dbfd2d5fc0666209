import { compilerVersion } from "../../compile.js";
import { tryChanges } from "../../engine/dry-run.js";
import type { Engine } from "../../engine/engine.js";
import { isSameServed } from "../../link/snapshot.js";
import type { Finding, Ref } from "../../schema/meta.js";
import { type Settings, settingsRef } from "../../schema/settings.js";
import type { HeldObject } from "../../store/store.js";
import type { Change } from "../../update.js";
import { contentHash } from "../../xds/hash.js";
import type { Source } from "../source.js";
import { leftOf, type Pushed, type RemovedSource } from "./answer.js";
import { Applier } from "./applier.js";
import { beginValidation, causeOf, type Job, jobOf, settleJob } from "./apply.js";
import { type HistoryEntry, historyOf, revisionAt } from "./changes.js";
import {
  checkContent,
  checkCount,
  checkRevision,
  notContent,
  type Push,
  type RefusedPush,
  refusedPush,
  tooMuchHeld,
} from "./checks.js";
import { copyOf, dropOld, healthOf, isHeldAlone, listRevisions, type SourceCopy } from "./history.js";
import { jobOfPush } from "./job.js";
import { compileAndValidate, findingsOf, forgetEdits, isTooMuch, validateAtOnce } from "./keep-last-good.js";
import { completeSources, lostStore, missingIn, reportPushed } from "./lost-store.js";
import { findLost, isOutdated, reapply } from "./reapply.js";
import {
  applyingNames,
  keptCount,
  readHead,
  readSource,
  removeSource,
  type SourceState,
  sourceFindings,
  sourceNames,
  sourceRefs,
  validatingNames,
  writeHead,
} from "./state.js";
import { parseSource } from "./text.js";
import { Traffic } from "./traffic.js";
import { type Namespaces, visibleFindings, visibleOutcome } from "./visible.js";

/** Pushed sources, which together fill one store. */
export class PushedSources implements Source {
  readonly #applier: Applier;
  /** The pushed contents are the complete input. */
  readonly ready = true;
  readonly synced = true;

  constructor(
    private readonly engine: Engine,
    /** The settings that apply where no source has settings, and findings about them. */
    private readonly own: { readonly settings?: Settings; readonly findings?: readonly Finding[] } = {},
  ) {
    this.#applier = new Applier(engine);
    engine.attach(this);
  }

  get steps(): number {
    const { store } = this.engine;
    return applyingNames(store).length + validatingNames(store).length;
  }

  get kept(): number {
    return keptCount(this.engine.store);
  }

  /** Applies the settings of this start of the server, and publishes the contents that were pushed before a restart. */
  start(): void {
    const { store } = this.engine;
    findLost(store);
    const names = sourceNames(store);
    const arePushed = this.#refsOf(names).has(settingsRef);
    reportPushed(this.engine);
    if (!arePushed && (this.own.settings || store.object(settingsRef)))
      this.engine.put(this.#without([settingsRef]));
    if (names.length > 0) this.#applier.publish();
    if (this.engine.pending > 0 || this.#toApply().length > 0)
      this.resume().catch((error: unknown) =>
        this.engine.log(`can't apply the pushed sources: ${String(error)}`, "apply-failed"),
      );
  }

  /** Sources whose content must be applied: those that were interrupted, and those that another version of the compiler read. */
  #toApply(): readonly string[] {
    const { store } = this.engine;
    const others = sourceNames(store).filter((name) => isOutdated(store, name));
    return [...new Set([...applyingNames(store), ...others])];
  }

  /** Continues interrupted or deferred work, as much as the platform allows within one request. Returns whether anything could be done. */
  resume(): Promise<boolean> {
    return this.#inTurn(async () => {
      let applied = false;
      for (const name of this.#toApply()) {
        const done = await reapply(name, {
          engine: this.engine,
          without: (refs) => this.#without(refs),
        });
        applied ||= done;
      }
      const left = this.engine.pending;
      const units = await compileAndValidate(this.#applier.validation);
      this.#applier.publish();
      return applied || units > 0 || this.engine.pending < left;
    });
  }

  /** Records an administrator's statement that all sources are pushed: Envoys that have more sources of a lost store then lose these. */
  complete(): { readonly sources: readonly string[]; readonly missing: number } {
    return completeSources(this.engine);
  }

  /** The state of a source, limited to what a token with these namespaces may see; undefined when it does not exist. */
  describe(name: string, namespaces?: Namespaces): object | undefined {
    const { store, pending: left } = this.engine;
    if (!sourceNames(store).includes(name)) return undefined;
    const { revision, objects } = readHead(store, name);
    const findings = sourceFindings(store, name);
    const found = { source: name, revision, objects };
    // Collecting the engine's findings takes a while, and the result would be incomplete now.
    if (left > 0) return { ...found, findings: visibleFindings(findings, namespaces), left };
    return { ...found, findings: visibleFindings([...findings, ...this.engine.findings], namespaces) };
  }

  /** Removes a source with all its objects, and publishes the remaining state; undefined when it does not exist. */
  remove(name: string): Promise<RemovedSource | undefined> {
    return this.#inTurn(() => this.engine.store.transaction(() => this.#remove(name)));
  }

  #remove(name: string): RemovedSource | undefined {
    const { store } = this.engine;
    if (!sourceNames(store).includes(name)) return undefined;
    const refs = sourceRefs(store, name);
    this.engine.put(this.#without(refs));
    forgetEdits(store, name);
    removeSource(store, name);
    const changed = this.#applier.publish({ source: name });
    const { pending: left, sequence: version } = this.engine;
    return { source: name, objects: refs.length, changed: changed || left > 0, version, ...leftOf(left) };
  }

  status() {
    const { store } = this.engine;
    return sourceNames(store).map((name) => {
      const { revision, objects } = readHead(store, name);
      return { name, revision, objects };
    });
  }

  get findings(): readonly Finding[] {
    const { store } = this.engine;
    return [
      ...(this.own.findings ?? []),
      ...sourceNames(store).flatMap((name) => sourceFindings(store, name)),
      ...lostStore(this.engine),
    ];
  }

  health() {
    return healthOf(this.engine.store);
  }

  /** A write in progress ends by itself. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The previous write, whose text may still be read. */
  #last: Promise<unknown> = Promise.resolve();

  /** Runs writes one after another: each sees the result of the one before, and only one text is in memory. */
  #inTurn<T>(write: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(write);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Applies a push completely, or refuses it completely. An object in it that is not valid stays as it was before. */
  put(push: Push): Promise<Pushed | RefusedPush> {
    return this.#inTurn(() => this.#put(push));
  }

  /** Pushes the content of an earlier revision again, with the objects that had stayed as they were before it. */
  rollBack(push: Push, to: number): Promise<Pushed | RefusedPush> {
    return this.#inTurn(async () => {
      const { store } = this.engine;
      const kept = listRevisions(store, push.name);
      const content = copyOf(store, push.name, revisionAt(store, push.name, kept, to) ?? to);
      if (content)
        return visibleOutcome(
          await this.#put({ ...push, text: content.text }, content.held),
          push.namespaces,
        );
      const numbers = kept.map(({ revision }) => revision).join(", ") || "none";
      return refusedPush(404, "revision-not-kept", `revision ${to} is not kept; kept revisions: ${numbers}`);
    });
  }

  async #put(push: Push, held: readonly HeldObject[] = []): Promise<Pushed | RefusedPush> {
    const { store } = this.engine;
    const state = readSource(store, push.name);
    const digest = contentHash(push.text);
    const stale = checkRevision(push, state, digest, this.engine.now()) ?? checkCount(store, push);
    if (stale) return stale;
    const revision = push.revision ?? state.revision + 1;
    if (held.length === 0 && this.#isHeld(push, state, digest))
      return store.transaction(() => this.#renumber(push, state, revision));
    const source = await parseSource(push.text);
    if ("code" in source) return notContent(source);
    const refusal = checkContent(store, push, state, source, held);
    if (refusal) return refusal;
    if (push.strict || push.dryRun) this.#applier.finish();
    else await this.#applier.finishValidation(push.name);
    const at = this.engine.now();
    const known = {
      before: state,
      source,
      held,
      revision: { source: push.name, revision, at, digest, by: push.by ?? "" },
    };
    const job = await jobOfPush(store, push, known, (refs) => this.#without(refs));
    if (isTooMuch(job.content.held)) return tooMuchHeld();
    if (push.strict || push.dryRun) return store.transaction(() => this.#try(push, state, job));
    return this.#answer(push, state, job, await this.#applier.applyAndPublish(job));
  }

  /** The kept revisions of a source, newest first, limited to what a token with these namespaces may see. */
  history(name: string, namespaces?: Namespaces): readonly HistoryEntry[] {
    return historyOf(this.engine.store, name, listRevisions(this.engine.store, name), namespaces);
  }

  /** All sources with their revisions and kept contents. */
  list() {
    return sourceNames(this.engine.store).map((name) => {
      const { revision, objects } = readHead(this.engine.store, name);
      const revisions = listRevisions(this.engine.store, name).map(({ source, ...one }) => one);
      return { name, revision, objects, revisions };
    });
  }

  copy(name: string, revision: number): SourceCopy | undefined {
    return copyOf(this.engine.store, name, revision);
  }

  /** Takes a content that another server has kept: the newest of its source is applied, an older one is kept beside it. */
  putCopy(copy: SourceCopy): Promise<Pushed | RefusedPush> {
    return this.#inTurn(() => this.#putCopy(copy));
  }

  async #putCopy(copy: SourceCopy): Promise<Pushed | RefusedPush> {
    const { store } = this.engine;
    const { source: name, revision, at, by, text, held } = copy;
    const push: Push = {
      name,
      text,
      strict: false,
      dryRun: false,
      acceptShrink: true,
      defaultSettings: true,
    };
    const state = readSource(store, name);
    const digest = contentHash(text);
    const kept = store.revisions(name).find((one) => one.revision === revision);
    if (kept ? kept.digest !== digest : revision === state.revision && digest !== state.digest)
      return refusedPush(409, "stale-revision", `revision ${revision} exists with other content`);
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
    const foreign = checkContent(store, push, state, source, held);
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
    return this.#answer(push, state, job, await this.#applier.applyAndPublish(job));
  }

  /** Whether a source already has this text, read by this compiler and applied completely: the text is then not read again. */
  #isHeld(push: Push, { revision, digest, compiler }: SourceState, pushed: string): boolean {
    if (digest !== pushed || !this.engine.snapshot) return false;
    if (push.revision === revision) return true;
    // Objects outside the namespaces of a token are found only by reading the text.
    if (push.strict || push.dryRun || push.namespaces) return false;
    return (
      compiler === compilerVersion &&
      applyingNames(this.engine.store).length === 0 &&
      isHeldAlone(this.engine.store.revisions(push.name)[0], pushed, push.text)
    );
  }

  /** Gives the content of a source a higher revision. */
  #renumber(push: Push, state: SourceState, revision: number): Pushed {
    const { name, namespaces, by = "" } = push;
    const [newest] = this.engine.store.revisions(name);
    if (revision !== state.revision && newest) {
      this.engine.store.renumberRevision(newest, { source: name, revision, at: this.engine.now(), by });
      const { digest, compiler, objects } = state;
      writeHead(this.engine.store, name, { revision, digest, compiler, objects });
    }
    return {
      source: name,
      revision,
      before: state.revision,
      objects: state.refs.length,
      changed: false,
      version: this.engine.sequence,
      findings: visibleFindings([...state.findings, ...this.engine.findings], namespaces),
      ...leftOf(this.engine.pending),
      ...missingIn(this.engine),
    };
  }

  /** Objects that do not count against a push: those of other sources, and the server's own settings where the push has none. */
  #refsOfOthers(name: string, kept: ReadonlySet<Ref>): ReadonlySet<Ref> {
    const others = this.#refsOf(sourceNames(this.engine.store).filter((other) => other !== name));
    return this.own.settings && !kept.has(settingsRef) ? new Set([...others, settingsRef]) : others;
  }

  #refsOf(names: readonly string[]): ReadonlySet<Ref> {
    return new Set(names.flatMap((name) => sourceRefs(this.engine.store, name)));
  }

  /** The changes that delete objects; settings are replaced by the server's own. */
  #without(refs: readonly Ref[]): Change[] {
    return refs.map((gone) => (gone === settingsRef && this.own.settings) || { gone });
  }

  /** Applies a push to see its effect, and undoes it if it is a dry run, or strict and not valid. */
  #try(push: Push, state: SourceState, job: Job): Pushed | RefusedPush {
    const { engine } = this;
    const { store } = engine;
    const old = push.dryRun ? engine.preview() : undefined;
    const validated: Finding[] = [];
    if (!push.strict) beginValidation(store, job);
    const { undo } = tryChanges(store, job.changes, engine.platform);
    validateAtOnce({
      ...this.#applier.validationAtOnce,
      settled: (outcome) => validated.push(...findingsOf(outcome)),
    });
    const others = this.#refsOfOthers(push.name, new Set(job.refs));
    const all = [...job.findings, ...validated, ...engine.storeFindings];
    const errors =
      push.strict && all.some(({ about, severity }) => severity === "error" && !others.has(about));
    const tried = old && engine.preview();
    const traffic = old && tried && new Traffic(old, tried, push);
    traffic?.compare(store);
    if (errors || push.dryRun) undo();
    traffic?.compare(store);
    if (errors)
      return refusedPush(
        422,
        "invalid-objects",
        "an object is not valid, and the push is strict",
        visibleFindings(all, push.namespaces),
      );
    if (old && tried && traffic) {
      const findings = visibleFindings([...all, ...tried.findings], push.namespaces);
      const answer = this.#answer(push, state, job, !isSameServed(old, tried));
      return { ...answer, findings, traffic: traffic.lines };
    }
    settleJob(store, job);
    return this.#answer(push, state, job, this.#applier.publish(causeOf(job)));
  }

  #answer(push: Push, before: SourceState, { revision, objects }: Job, changed: boolean): Pushed {
    const left = this.engine.pending;
    const findings = [...sourceFindings(this.engine.store, push.name), ...this.engine.findings];
    return {
      source: push.name,
      revision: revision.revision,
      before: before.revision,
      objects,
      changed: changed || left > 0,
      version: this.engine.sequence,
      findings: visibleFindings(findings, push.namespaces),
      ...leftOf(left),
      ...missingIn(this.engine),
    };
  }
}
