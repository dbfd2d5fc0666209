import type { KubeObject } from "../../schema/object.js";
import type { Revision, RevisionContent, Store } from "../../store/store.js";
import { contentHash } from "../../xds/hash.js";
import type { SourceHealth } from "../source.js";
import { type NotedChanges, noteChanges } from "./changes.js";
import { readHead, sourceNames, sourceRefs } from "./state.js";

/** Maximum number of kept contents of a source, including the served one. */
export const maxRevisions = 10;
/** UTF-16 units of a source's kept contents beside the newest, which is always kept: as much as one push may have. */
const maxOlderSize = 32 * 1024 * 1024;

/** The sources with the times of their newest revisions. A push succeeds or changes nothing. */
export const healthOf = (store: Store): readonly SourceHealth[] =>
  sourceNames(store).map((source) => ({
    source,
    lastSuccess: store.revisions(source)[0]?.at,
    failing: false,
  }));

/**
 * Keeps a content as the newest of its source. If the newest revision has the same text, it only gets the new number:
 * pipelines that change nothing would otherwise push the useful revisions out of the history.
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

/** Whether a revision has this text, and no object is held beside it. */
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

/** A kept content, as it is copied from one server to another. */
export interface SourceCopy extends Omit<Revision, "size">, RevisionContent {}

const noObjects = '{"apiVersion":"v1","kind":"List","items":[]}';

/**
 * The kept contents of a source, newest first. A source that an earlier Isoline stored has none until its next push:
 * its objects then serve as the content.
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
