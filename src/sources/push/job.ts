import type { Ref } from "../../schema/meta.js";
import type { HeldObject, Revision, RevisionContent, Store } from "../../store/store.js";
import type { Change } from "../../update.js";
import { type Job, jobOf } from "./apply.js";
import { changesOf, editsOf } from "./changes.js";
import type { Push } from "./checks.js";
import { goodEdits } from "./keep-last-good.js";
import type { SourceState } from "./state.js";
import type { ParsedSource } from "./text.js";

/** The state before a push is applied. */
interface Known {
  readonly before: SourceState;
  readonly source: ParsedSource;
  /** Objects that the text was kept with, if it is pushed again. */
  readonly held: readonly HeldObject[];
  readonly revision: Omit<Revision, "size">;
}

/** The work of a push, including what must be read from the store before it changes. */
export async function jobOfPush(
  store: Store,
  { text, commit }: Pick<Push, "text" | "commit">,
  { before, source, held, revision }: Known,
  without: (refs: readonly Ref[]) => readonly Change[],
): Promise<Job & { readonly content: RevisionContent }> {
  const edits = await editsOf(store, source.objects);
  const changed = [...edits.added, ...edits.changed];
  const job = jobOf(store, revision, { text, source, changed }, { before, held, without });
  const refs = new Set(job.refs);
  const good = { at: revision.at, source: revision.source, revision: before.revision };
  return {
    ...job,
    ...(commit ? { commit } : {}),
    noted: changesOf(
      edits,
      before.refs.filter((ref) => !refs.has(ref)),
    ),
    edits: await goodEdits(store, edits.changed, good),
  };
}
