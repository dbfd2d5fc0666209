import type { Finding, Ref } from "../schema/meta.js";
import type { Store } from "../store/store.js";

/** What a store keeps of a pushed source, beside its objects. */
export interface SourceState {
  /** 0 before the first push. */
  readonly revision: number;
  /** Hash of the text that was pushed last. */
  readonly digest: string;
  readonly refs: readonly Ref[];
  readonly findings: readonly Finding[];
}

const none: SourceState = { revision: 0, digest: "", refs: [], findings: [] };

/** A row may hold 2 MB, in characters of up to three bytes. */
const pieceLength = 500_000;

/** Names of the sources that a store holds. */
export const sourceNames = (store: Store): readonly string[] =>
  JSON.parse(store.cursor("sources") ?? "[]") as string[];

export function readSource(store: Store, name: string): SourceState {
  const count = Number(store.cursor(`source:${name}`) ?? 0);
  if (count === 0) return none;
  const pieces = Array.from({ length: count }, (_, i) => store.cursor(`source:${name}:${i}`) ?? "");
  return JSON.parse(pieces.join("")) as SourceState;
}

export function writeSource(store: Store, name: string, state: SourceState): void {
  const text = JSON.stringify(state);
  const count = Math.ceil(text.length / pieceLength);
  for (let i = 0; i < count; i++) {
    store.setCursor(`source:${name}:${i}`, text.slice(i * pieceLength, (i + 1) * pieceLength));
  }
  store.setCursor(`source:${name}`, String(count));
  const names = sourceNames(store);
  if (!names.includes(name)) store.setCursor("sources", JSON.stringify([...names, name]));
}

/** Forgets a source: its revisions begin anew. */
export function removeSource(store: Store, name: string): void {
  const count = Number(store.cursor(`source:${name}`) ?? 0);
  for (let i = 0; i < count; i++) store.setCursor(`source:${name}:${i}`, "");
  store.setCursor(`source:${name}`, "0");
  store.setCursor("sources", JSON.stringify(sourceNames(store).filter((other) => other !== name)));
}
