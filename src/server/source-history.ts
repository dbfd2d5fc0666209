import type { Revision, RevisionContent, Store } from "../store/store.js";

/** Contents of a source that are kept, with the one that is served. */
const maxRevisions = 10;
/** UTF-16 units of the contents of a source that are kept beside the newest, which is always kept: as much as one push may be. */
const maxOlderSize = 32 * 1024 * 1024;

/**
 * Keeps a content as the newest of its source. The same text as that of the newest becomes that revision's: a history of pipelines
 * that changed nothing would leave no room for what did.
 */
export function keepRevision(store: Store, revision: Omit<Revision, "size">, content: RevisionContent): void {
  const [newest] = store.revisions(revision.source);
  const noneHeld = "[]".length;
  const isSame =
    newest?.digest === revision.digest &&
    content.held.length === 0 &&
    newest.size === content.text.length + noneHeld;
  if (newest && isSame) store.renumberRevision(newest, revision);
  else store.putRevision(revision, content);
  dropOld(store, revision.source);
}

export function dropOld(store: Store, source: string): void {
  let size = 0;
  for (const [place, one] of store.revisions(source).entries()) {
    if (place > 0) size += one.size;
    if (place >= maxRevisions || size > maxOlderSize) store.dropRevision(source, one.revision);
  }
}
