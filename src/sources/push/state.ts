import type { Finding, Ref } from "../../schema/meta.js";
import type { HeldObject, Store } from "../../store/store.js";

/** The stored state of a pushed source, apart from its objects and contents. */
export interface SourceState extends SourceHead {
  readonly refs: readonly Ref[];
  readonly findings: readonly Finding[];
}

/** The short part of the state. */
interface SourceHead {
  /** 0 before the first push. */
  readonly revision: number;
  /** Hash of the text that was pushed last. */
  readonly digest: string;
  /** The version of the compiler that read the text; 0 where it is not known. */
  readonly compiler: number;
  /** Number of objects in the source. */
  readonly objects: number;
}

const none: SourceHead = { revision: 0, digest: "", compiler: 0, objects: 0 };

/** Names of the sources that a store holds. */
export const sourceNames = (store: Pick<Store, "cursor">): readonly string[] => listOf(store, "sources");

const listOf = <T>(store: Pick<Store, "cursor">, cursor: string): readonly T[] =>
  JSON.parse(store.cursor(cursor) || "[]") as T[];

export const readHead = (store: Pick<Store, "cursor">, name: string): SourceHead => ({
  ...none,
  ...(JSON.parse(store.cursor(`source:${name}`) || "{}") as Partial<SourceHead>),
});

/** The objects of a source. */
export const sourceRefs = (store: Pick<Store, "cursor">, name: string): readonly Ref[] =>
  listOf(store, `source:${name}/refs`);

/** Findings about its text. */
export const sourceFindings = (store: Pick<Store, "cursor">, name: string): readonly Finding[] =>
  listOf(store, `source:${name}/findings`);

export const readSource = (store: Pick<Store, "cursor">, name: string): SourceState => ({
  ...readHead(store, name),
  refs: sourceRefs(store, name),
  findings: sourceFindings(store, name),
});

export function writeSource(store: Store, name: string, state: Omit<SourceState, "objects">): void {
  const { refs, findings, ...head } = state;
  writeHead(store, name, { ...head, objects: refs.length });
  put(store, `source:${name}/refs`, JSON.stringify(refs));
  writeFindings(store, name, findings);
}

export const writeFindings = (store: Store, name: string, findings: readonly Finding[]): void =>
  put(store, `source:${name}/findings`, JSON.stringify(findings));

export function writeHead(store: Store, name: string, head: SourceHead): void {
  put(store, `source:${name}`, JSON.stringify(head));
  const names = sourceNames(store);
  if (!names.includes(name)) store.setCursor("sources", JSON.stringify([...names, name]));
}

/** Writes only a value that differs. */
function put(store: Store, cursor: string, value: string): void {
  if ((store.cursor(cursor) ?? "") !== value) store.setCursor(cursor, value);
}

/** Objects that keep the text of an earlier revision, with that revision. */
export const keptRevisions = (
  store: Pick<Store, "cursor">,
  name: string,
): readonly (readonly [Ref, number])[] => listOf(store, `source:${name}/kept`);

/** Number of objects of all sources that keep the text of an earlier revision. */
export const keptCount = (store: Pick<Store, "cursor">): number =>
  sourceNames(store).reduce((count, name) => count + keptRevisions(store, name).length, 0);

export function writeKept(store: Store, name: string, held: readonly HeldObject[]): void {
  const kept = held.flatMap(({ ref, kept: good }) => (good ? [[ref, good.revision]] : []));
  put(store, `source:${name}/kept`, kept.length > 0 ? JSON.stringify(kept) : "");
}

const applyingCursor = "applying";

/**
 * Sources whose content is being applied in slices, or must be applied again. Until that is done the store is between
 * two states.
 */
export const applyingNames = (store: Pick<Store, "cursor">): readonly string[] =>
  listOf(store, applyingCursor);

export function setApplying(store: Store, name: string, is: boolean): void {
  const others = applyingNames(store).filter((other) => other !== name);
  const names = is ? [...others, name] : others;
  put(store, applyingCursor, names.length > 0 ? JSON.stringify(names) : "");
}

/** Sources whose edits wait for validation. */
export const validatingNames = (store: Pick<Store, "cursor">): readonly string[] => listOf(store, "judging");

export function setValidating(store: Store, name: string, is: boolean): void {
  const others = validatingNames(store).filter((other) => other !== name);
  const names = is ? [...others, name] : others;
  put(store, "judging", names.length > 0 ? JSON.stringify(names) : "");
}

/**
 * Records objects that a source may have from now on, before they are put. If that is interrupted, a later push finds
 * them.
 */
export const noteRefs = (store: Store, name: string, refs: readonly Ref[]): void =>
  put(store, `source:${name}/refs`, JSON.stringify([...new Set([...sourceRefs(store, name), ...refs])]));

/** Deletes the state and contents of a source; its revisions begin again at 1. */
export function removeSource(store: Store, name: string): void {
  setApplying(store, name, false);
  for (const end of ["", "/refs", "/findings", "/history", "/kept"])
    store.setCursor(`source:${name}${end}`, "");
  for (const { revision } of store.revisions(name)) store.dropRevision(name, revision);
  store.setCursor("sources", JSON.stringify(sourceNames(store).filter((other) => other !== name)));
}
