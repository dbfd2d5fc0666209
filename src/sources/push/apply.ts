import { compilerVersion } from "../../compile.js";
import type { Engine } from "../../engine/engine.js";
import type { Cause } from "../../engine/published-changes.js";
import { isOneSlice } from "../../engine/slices.js";
import type { Finding, Ref } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import type { HeldObject, Revision, RevisionContent, Store } from "../../store/store.js";
import type { Change } from "../../update.js";
import type { NotedChanges } from "./changes.js";
import { keepRevision } from "./history.js";
import { type Edit, findingsOfKept, noteEdits } from "./keep-last-good.js";
import { noteRefs, type SourceState, setApplying, writeKept, writeSource } from "./state.js";
import type { ParsedSource } from "./text.js";

/** A content of a source that is to be what the source holds. */
export interface Job {
  readonly revision: Omit<Revision, "size">;
  /** What a push changes; absent where a content is applied anew. */
  readonly noted?: NotedChanges;
  /** Objects that the push changes and that may keep their text (`keep-last-good.ts`). */
  readonly edits?: readonly Edit[];
  /** To be kept; absent where it is already. */
  readonly content?: RevisionContent;
  /** Objects that stay from before. */
  readonly held: readonly HeldObject[];
  readonly changes: readonly Change[];
  /** How many objects the text has. */
  readonly objects: number;
  /** The objects of the source after it. */
  readonly refs: readonly Ref[];
  readonly findings: readonly Finding[];
}

/** What there is of a source beside its parsed text. */
interface Beside {
  readonly before: SourceState;
  /** Objects that a content was kept with, where it is applied anew. */
  readonly held?: readonly HeldObject[];
  /** The change that takes an object away. */
  without(refs: readonly Ref[]): readonly Change[];
}

/**
 * What is to be done to make a parsed text the whole of a source: an object that is not valid in it stays as it was. `changed` are the
 * objects of the text that the store has otherwise or not at all, where that is known.
 */
export function jobOf(
  store: Pick<Store, "object">,
  revision: Omit<Revision, "size">,
  {
    text,
    source,
    changed = source.objects,
  }: { readonly text: string; readonly source: ParsedSource; readonly changed?: readonly KubeObject[] },
  { before, held = [], without }: Beside,
): Job & { readonly content: RevisionContent } {
  const pushed = new Set(source.objects.map(({ ref }) => ref));
  const restored = held.filter(({ ref, kept }) => kept || !pushed.has(ref));
  const refs = refsAfter(source, new Set(before.refs));
  const heldNow = new Map<Ref, HeldObject>(restored.map((object) => [object.ref, object]));
  for (const ref of heldNow.keys()) refs.add(ref);
  for (const ref of refs) {
    const object = pushed.has(ref) || heldNow.has(ref) ? undefined : store.object(ref);
    if (object) heldNow.set(ref, object);
  }
  const gone = without(before.refs.filter((ref) => !refs.has(ref)));
  const all = [...heldNow.values()];
  return {
    revision,
    content: { text, held: all },
    held: all,
    objects: source.objects.length,
    changes: [...gone, ...restored.map(plainObject), ...changed.filter(({ ref }) => !heldNow.has(ref))],
    refs: [...refs],
    findings: [...source.findings, ...findingsOfKept(restored)],
  };
}

/** An object without what is noted of it in a content. */
function plainObject({ kept: _, ...object }: HeldObject): KubeObject {
  return object;
}

/** Objects that are in the source after a push: an invalid one stays if it was there before, and all beside an unnamed one. */
function refsAfter({ objects, invalid, hasUnnamed }: ParsedSource, held: ReadonlySet<Ref>): Set<Ref> {
  const now = objects.map(({ ref }) => ref);
  return new Set(hasUnnamed ? [...held, ...now] : [...now, ...invalid.filter((ref) => held.has(ref))]);
}

/** Writes what a source is after a job, and its content beside the earlier ones. */
export function settleJob(store: Store, { revision, content, noted, held, refs, findings }: Job): void {
  if (content) keepRevision(store, revision, content, noted);
  writeSource(store, revision.source, {
    revision: revision.revision,
    digest: revision.digest,
    compiler: compilerVersion,
    refs,
    findings,
  });
  writeKept(store, revision.source, held);
  setApplying(store, revision.source, false);
}

/** Notes the edits of a job, before its changes are made. */
export function beginJudging(store: Store, { revision, edits, held }: Job): void {
  if (!edits) return;
  noteEdits(store, revision.source, edits, held);
}

function applyAtOnce(engine: Engine, job: Job, applied: () => void): number {
  const { store } = engine;
  return store.transaction(() => {
    beginJudging(store, job);
    const { compiled } = engine.put(job.changes);
    settleJob(store, job);
    applied();
    return compiled;
  });
}

/** What the history says of a push. */
export const causeOf = ({ source, revision, by }: Job["revision"]): Cause => ({
  source,
  revision,
  ...(by ? { by } : {}),
});

/**
 * Applies a job: at once, or where it is large for the platform in slices, between which others may work. Then the content is kept
 * first: a store whose process ends meanwhile has it applied by the next one, and until then it is not published. `applied` is called within the transaction of a job that is applied at once.
 * Returns how many units were compiled with it.
 */
export async function applyJob(engine: Engine, job: Job, applied: () => void): Promise<number> {
  const { store, platform } = engine;
  engine.because(causeOf(job.revision));
  if (isOneSlice(job.changes, platform)) return applyAtOnce(engine, job, applied);
  store.transaction(() => {
    beginJudging(store, job);
    if (job.content) keepRevision(store, job.revision, job.content, job.noted);
    noteRefs(store, job.revision.source, job.refs);
    setApplying(store, job.revision.source, true);
  });
  await engine.putInSlices(job.changes);
  store.transaction(() => settleJob(store, job));
  return 0;
}
