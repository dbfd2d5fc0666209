import { compilerVersion } from "../compile.js";
import type { Finding, Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { Revision, RevisionContent, Store } from "../store/store.js";
import { type Change, type Platform, update } from "../update.js";
import { inSlices, isOneSlice, updateInSlices } from "./slices.js";
import type { ParsedSource } from "./source.js";
import { keepRevision } from "./source-history.js";
import { noteRefs, type SourceState, setApplying, writeSource } from "./source-state.js";

/** A content of a source that is to be what the source holds. */
export interface Job {
  readonly revision: Omit<Revision, "size">;
  /** To be kept; absent where it is already. */
  readonly content?: RevisionContent;
  readonly changes: readonly Change[];
  /** The objects of the source after it. */
  readonly refs: readonly Ref[];
  readonly findings: readonly Finding[];
}

/** What there is of a source beside its parsed text. */
interface Beside {
  readonly before: SourceState;
  /** Objects that a content was kept with, where it is applied anew. */
  readonly held?: readonly KubeObject[];
  /** The change that takes an object away. */
  without(refs: readonly Ref[]): readonly Change[];
}

/** What is to be done to make a parsed text the whole of a source: an object that is not valid in it stays as it was. */
export function jobOf(
  store: Pick<Store, "object">,
  revision: Omit<Revision, "size">,
  { text, source }: { readonly text: string; readonly source: ParsedSource },
  { before, held = [], without }: Beside,
): Job & { readonly content: RevisionContent } {
  const pushed = new Set(source.objects.map(({ ref }) => ref));
  const restored = held.filter(({ ref }) => !pushed.has(ref));
  const refs = refsAfter(source, new Set(before.refs));
  const heldNow = new Map(restored.map((object) => [object.ref, object]));
  for (const ref of heldNow.keys()) refs.add(ref);
  for (const ref of refs) {
    const object = pushed.has(ref) || heldNow.has(ref) ? undefined : store.object(ref);
    if (object) heldNow.set(ref, object);
  }
  const gone = without(before.refs.filter((ref) => !refs.has(ref)));
  return {
    revision,
    content: { text, held: [...heldNow.values()] },
    changes: [...gone, ...restored, ...source.objects],
    refs: [...refs],
    findings: source.findings,
  };
}

/** Objects that are in the source after a push: an invalid one stays if it was there before, and all beside an unnamed one. */
function refsAfter({ objects, invalid, hasUnnamed }: ParsedSource, held: ReadonlySet<Ref>): Set<Ref> {
  const now = objects.map(({ ref }) => ref);
  return new Set(hasUnnamed ? [...held, ...now] : [...now, ...invalid.filter((ref) => held.has(ref))]);
}

/** Writes what a source is after a job, and its content beside the earlier ones. */
export function settleJob(store: Store, { revision, content, refs, findings }: Job): void {
  if (content) keepRevision(store, revision, content);
  writeSource(store, revision.source, {
    revision: revision.revision,
    digest: revision.digest,
    compiler: compilerVersion,
    refs,
    findings,
  });
  setApplying(store, revision.source, false);
}

function applyAtOnce(store: Store, job: Job, platform: Platform, publish: () => void): number {
  return store.transaction(() => {
    const { units } = update(store, job.changes, platform);
    settleJob(store, job);
    publish();
    return units;
  });
}

/**
 * Applies a job: at once, or where it is large for the platform in slices, between which others may work. Then the content is kept
 * first: a store whose process ends meanwhile has it applied by the next one, and until then it is not published. `publish` is called within the transaction of a job that is applied at once.
 * Returns how many units were compiled with it.
 */
export async function applyJob(
  store: Store,
  job: Job,
  platform: Platform,
  publish: () => void,
): Promise<number> {
  if (isOneSlice(job.changes, platform)) return applyAtOnce(store, job, inSlices(platform), publish);
  store.transaction(() => {
    if (job.content) keepRevision(store, job.revision, job.content);
    noteRefs(store, job.revision.source, job.refs);
    setApplying(store, job.revision.source, true);
  });
  await updateInSlices(store, job.changes, platform);
  store.transaction(() => settleJob(store, job));
  return 0;
}
