import { pause } from "../../engine/slices.js";
import { namespaceOf, type Ref } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import type { Revision, Store } from "../../store/store.js";
import type { Namespaces } from "./visible.js";

/** Objects with one type of change: their number, and the first of them. */
interface Refs {
  readonly count: number;
  readonly refs: readonly Ref[];
}

/** The changes of a push in its source, by objects. */
interface SourceChanges {
  readonly added: Refs;
  readonly changed: Refs;
  readonly removed: Refs;
}

/** A kept revision, as the API returns it. */
export interface HistoryEntry {
  readonly revision: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The name of the token that pushed it. */
  readonly by: string;
  /** The first push of this content, if it was pushed again since. */
  readonly first?: Omit<Revision, "source" | "digest" | "size">;
  /**
   * Compared with the previous revision; absent where that is not known, such as for copies and for contents that an
   * earlier Isoline stored.
   */
  readonly changes?: SourceChanges;
}

/** The stored form: with the namespaces of all objects. */
type NotedRefs = Refs & { readonly namespaces: readonly string[] };

export type NotedChanges = Readonly<Record<keyof SourceChanges, NotedRefs>>;

interface Note {
  /** Digest of the text. */
  readonly digest: string;
  readonly first: NonNullable<HistoryEntry["first"]>;
  readonly changes: NotedChanges;
}

/** Maximum number of objects that are named for each type of change. */
const maxNamed = 100;

const refsOf = (refs: readonly Ref[]): NotedRefs => ({
  count: refs.length,
  refs: [...refs].sort().slice(0, maxNamed),
  namespaces: [...new Set(refs.map(namespaceOf))],
});

/** A statement about this many objects is within the limits of every SQLite. */
const chunkSize = 100;

/** The pushed objects that differ from the store or are absent there. */
export async function editsOf(
  store: Pick<Store, "compare">,
  objects: readonly KubeObject[],
): Promise<{ readonly added: readonly KubeObject[]; readonly changed: readonly KubeObject[] }> {
  const added: KubeObject[] = [];
  const changed: KubeObject[] = [];
  for (let start = 0; start < objects.length; start += chunkSize) {
    const some = objects.slice(start, start + chunkSize);
    for (const [i, likeness] of store.compare(some).entries()) {
      const object = some[i];
      if (object && likeness === "absent") added.push(object);
      if (object && likeness === "other") changed.push(object);
    }
    if (start % (10 * chunkSize) === 0) await pause();
  }
  return { added, changed };
}

export const changesOf = (
  { added, changed }: Awaited<ReturnType<typeof editsOf>>,
  removed: readonly Ref[],
): NotedChanges => ({
  added: refsOf(added.map(({ ref }) => ref)),
  changed: refsOf(changed.map(({ ref }) => ref)),
  removed: refsOf(removed),
});

const cursorOf = (source: string): string => `source:${source}/history`;

const notesOf = (store: Pick<Store, "cursor">, source: string): readonly Note[] =>
  JSON.parse(store.cursor(cursorOf(source)) || "[]") as readonly Note[];

/** The note of a kept revision. A text that is pushed again raises the number of its revision. */
const noteOf = (notes: readonly Note[], { digest, revision }: Revision): Note | undefined =>
  notes.find((note) => note.digest === digest && note.first.revision <= revision);

/** Stores the changes of a revision, and deletes the notes of revisions that are no longer kept. */
export function noteChanges(
  store: Store,
  { source, revision, at, by, digest }: Omit<Revision, "size">,
  changes: NotedChanges,
): void {
  const note: Note = { digest, first: { revision, at, by }, changes };
  const notes = [note, ...notesOf(store, source).filter(({ first }) => first.revision !== revision)];
  const left = new Set(store.revisions(source).map((kept) => noteOf(notes, kept)));
  store.setCursor(cursorOf(source), JSON.stringify(notes.filter((one) => left.has(one))));
}

/** The revisions of a source, newest first, limited to what a token with these namespaces may see. */
export function historyOf(
  store: Pick<Store, "cursor">,
  source: string,
  kept: readonly Revision[],
  namespaces: Namespaces,
): readonly HistoryEntry[] {
  const notes = notesOf(store, source);
  return kept.map((one) => {
    const { revision, at, by } = one;
    const { first, changes } = noteOf(notes, one) ?? {};
    return {
      revision,
      at,
      by,
      ...(first && first.revision !== revision ? { first } : {}),
      ...(changes ? { changes: visibleChanges(changes, namespaces) } : {}),
    };
  });
}

/** The kept revision with the content that was pushed under a number. */
export function revisionAt(
  store: Pick<Store, "cursor">,
  source: string,
  kept: readonly Revision[],
  number: number,
): number | undefined {
  const notes = notesOf(store, source);
  return kept.find(
    (one) => number <= one.revision && number >= (noteOf(notes, one)?.first.revision ?? one.revision),
  )?.revision;
}

function visibleChanges({ added, changed, removed }: NotedChanges, namespaces: Namespaces): SourceChanges {
  const visible = ({ count, refs, namespaces: all }: NotedRefs): Refs => {
    if (!namespaces || all.every((one) => namespaces.includes(one))) return { count, refs };
    const own = refs.filter((ref) => namespaces.includes(namespaceOf(ref)));
    return { count: own.length, refs: own };
  };
  return { added: visible(added), changed: visible(changed), removed: visible(removed) };
}
