import type { KubeObject } from "../../schema/object.js";
import type { Revision, RevisionContent, Store } from "../../store/store.js";
import { contentHash } from "../../xds/hash.js";
import { type NotedChanges, noteChanges } from "./changes.js";
import { readHead, sourceRefs } from "./state.js";

/** Contents of a source that are kept, with the one that is served. */
export const maxRevisions = 10;
/** UTF-16 units of the contents of a source that are kept beside the newest, which is always kept: as much as one push may be. */
const maxOlderSize = 32 * 1024 * 1024;

/**
 * Keeps a content as the newest of its source. The same text as that of the newest becomes that revision's: a history of pipelines
 * that changed nothing would leave no room for what did.
 */
export function keepRevision(
  store: Store,
  revision: Omit<Revision, "size">,
  content: RevisionContent,
  changes?: NotedChanges,
): void {
  const [newest] = store.revisions(revision.source);
  const isSame = content.held.length === 0 && isHeldAlone(newest, revision.digest, content.text);
  if (newest && isSame) store.renumberRevision(newest, revision);
  else store.putRevision(revision, content);
  dropOld(store, revision.source);
  if (changes && !isSame) noteChanges(store, revision, changes);
}

/** Whether a revision is of a text, and nothing is held beside it. */
export function isHeldAlone(revision: Revision | undefined, digest: string, text: string): boolean {
  const noneHeld = "[]".length;
  return revision?.digest === digest && revision.size === text.length + noneHeld;
}

export function dropOld(store: Store, source: string): void {
  let size = 0;
  for (const [place, one] of store.revisions(source).entries()) {
    if (place > 0) size += one.size;
    if (place >= maxRevisions || size > maxOlderSize) store.dropRevision(source, one.revision);
  }
}

/** A content with all that is kept of it, as it goes from one server to another. */
export interface SourceCopy extends Omit<Revision, "size">, RevisionContent {}

const noObjects = '{"apiVersion":"v1","kind":"List","items":[]}';

/**
 * The kept contents of a source, the newest first. A source of a store that an earlier Isoline wrote has none until its next push:
 * its objects are then the content.
 */
export function listRevisions(store: Store, source: string): readonly Revision[] {
  const kept = store.revisions(source);
  const { revision } = readHead(store, source);
  if (kept.length > 0 || revision === 0) return kept;
  return [{ source, revision, at: 0, digest: contentHash(noObjects), size: 0, by: "" }];
}

export function copyOf(store: Store, source: string, number: number): SourceCopy | undefined {
  const found = listRevisions(store, source).find(({ revision }) => revision === number);
  if (!found) return undefined;
  const { size, ...revision } = found;
  const content = store.revisionContent(source, number) ?? {
    text: noObjects,
    held: sourceRefs(store, source).flatMap((ref): KubeObject[] => {
      const object = store.object(ref);
      return object ? [object] : [];
    }),
  };
  return { ...revision, ...content };
}
