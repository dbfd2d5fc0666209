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

/** The work that makes a content the whole of a source. */
export interface Job {
  readonly revision: Omit<Revision, "size">;
  /** The commit of the pushed files. */
  readonly commit?: string;
  /** The changes of a push; absent where a kept content is applied again. */
  readonly noted?: NotedChanges;
  /** Objects that the push changes and that may keep their text before it (`keep-last-good.ts`). */
  readonly edits?: readonly Edit[];
  /** The content to keep; absent where it is kept already. */
  readonly content?: RevisionContent;
  /** Objects that stay as they were before. */
  readonly held: readonly HeldObject[];
  readonly changes: readonly Change[];
  /** Number of objects in the text. */
  readonly objects: number;
  /** The objects of the source afterwards. */
  readonly refs: readonly Ref[];
  readonly findings: readonly Finding[];
}

/** The state of a source apart from its parsed text. */
interface ApplyContext {
  readonly before: SourceState;
  /** The objects that were kept with a content that is applied again. */
  readonly held?: readonly HeldObject[];
  /** The changes that delete objects. */
  without(refs: readonly Ref[]): readonly Change[];
}

/**
 * The work that makes a parsed text the whole of a source. An object that is not valid in it stays as it was.
 * `changed`: the objects of the text that differ from the store or are new, where that is known.
 */
export function jobOf(
  store: Pick<Store, "object">,
  revision: Omit<Revision, "size">,
  {
    text,
    source,
    changed = source.objects,
  }: { readonly text: string; readonly source: ParsedSource; readonly changed?: readonly KubeObject[] },
  { before, held = [], without }: ApplyContext,
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

/** An object without the notes of a kept content. */
function plainObject({ kept: _, ...object }: HeldObject): KubeObject {
  return object;
}

/**
 * The objects of the source after a push: an invalid one stays if it existed before; with an unnamed object, all stay.
 */
function refsAfter({ objects, invalid, hasUnnamed }: ParsedSource, held: ReadonlySet<Ref>): Set<Ref> {
  const now = objects.map(({ ref }) => ref);
  return new Set(hasUnnamed ? [...held, ...now] : [...now, ...invalid.filter((ref) => held.has(ref))]);
}

/** Writes the state of a source after a job, and keeps its content beside the earlier ones. */
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

/** Stores the edits of a job before its changes are made. */
export function beginValidation(store: Store, { revision, edits, held }: Job): void {
  if (!edits) return;
  noteEdits(store, revision.source, edits, held);
}

function applyAtOnce(engine: Engine, job: Job, applied: () => void): number {
  const { store } = engine;
  return store.transaction(() => {
    beginValidation(store, job);
    const { compiled } = engine.put(job.changes);
    settleJob(store, job);
    applied();
    return compiled;
  });
}

/** What the history says of a push. */
export const causeOf = ({ revision: { source, revision, by }, commit }: Job): Cause => ({
  source,
  revision,
  ...(by ? { by } : {}),
  ...(commit ? { commit } : {}),
});

/**
 * Applies a job: at once, or, where it is large for the platform, in slices with pauses between them. In slices, the
 * content is kept first: if the process ends meanwhile, the next process applies it, and nothing is published until
 * then. `applied` is called within the transaction of a job that is applied at once. Returns how many units were
 * compiled with it.
 */
export async function applyJob(engine: Engine, job: Job, applied: () => void): Promise<number> {
  const { store, platform } = engine;
  engine.because(causeOf(job));
  if (isOneSlice(job.changes, platform)) return applyAtOnce(engine, job, applied);
  store.transaction(() => {
    beginValidation(store, job);
    if (job.content) keepRevision(store, job.revision, job.content, job.noted);
    noteRefs(store, job.revision.source, job.refs);
    setApplying(store, job.revision.source, true);
  });
  await engine.putInSlices(job.changes);
  store.transaction(() => settleJob(store, job));
  return 0;
}
