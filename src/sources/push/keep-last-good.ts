import { findingsAbout } from "../../engine/review.js";
import { compileLeft, inSlices, pause } from "../../engine/slices.js";
import { unitsAbout } from "../../graph/core/affected.js";
import { isServingUnit, type UnitKey } from "../../graph/core/keys.js";
import { type Finding, kindOf, type Ref } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import { routingKinds } from "../../schema/routing-kinds.js";
import { settingsOf } from "../../schema/stored-settings.js";
import { plural } from "../../schema/words.js";
import type { HeldObject, Store } from "../../store/store.js";
import { type Platform, unitsLeft, update } from "../../update.js";
import { dropOld } from "./history.js";
import { answersOf } from "./host-answers.js";
import {
  applyingNames,
  keptRevisions,
  setValidating,
  sourceFindings,
  validatingNames,
  writeFindings,
  writeKept,
} from "./state.js";

/** The state of an object before a push changes it: valid, and with routes that answer. */
export interface Edit {
  readonly object: KubeObject;
  /** The revision of the source that has the text. */
  readonly revision: number;
  /** The hosts and listeners that the object contributed to. */
  readonly units: readonly UnitKey[];
}

/** An edit that made its object invalid. The text before is in the store for evaluation. */
interface RestoredEdit extends Edit {
  readonly now: KubeObject;
  /** The answers with the new text. */
  readonly answered: readonly string[];
  readonly findings: readonly Finding[];
}

/** The edits of one push, from its first change until each of them is validated. */
interface EditsInValidation {
  /** UTF-16 units of the objects that stay from before. */
  readonly heldSize: number;
  /** Number of stored lists of edits, and the first of them that is not validated yet. */
  readonly parts: number;
  readonly next: number;
  /** Number of stored lists of outcomes. */
  readonly outcomes: number;
  /** The edits under evaluation, and how often some of them were reverted. */
  readonly tried?: readonly RestoredEdit[];
  readonly rounds: number;
}

/** The outcome for a source's edits: the objects that keep their text, and findings about those that could not. */
export interface ValidatedEdits {
  readonly source: string;
  readonly kept: readonly HeldObject[];
  readonly findings: readonly Finding[];
}

const routing: ReadonlySet<string> = new Set(["Gateway", ...routingKinds]);
/** Edits that are checked without a pause, and stored together. */
const partSize = 200;
/** Lists of edits that are validated together. */
const partsAtOnce = 5;
/** Number of rounds that revert only the texts which do not help; after these, all remaining ones are reverted. */
const maxRounds = 5;
/** Maximum size of a source's objects that stay from before, in UTF-16 units: as much as one push may have. */
export const maxHeldSize = 32 * 1024 * 1024;
/** Maximum number of kept findings for one text. */
const maxFindings = 3;

const sizeOf = (objects: readonly KubeObject[]): number =>
  objects.length === 0 ? 0 : JSON.stringify(objects).length;

/** Whether the objects that stay from before exceed the limit of a source. */
export const isTooMuch = (held: readonly HeldObject[]): boolean => sizeOf(held) > maxHeldSize;

/** The changed objects of a push that are valid and answer now, in their current state. */
export async function goodEdits(
  store: Store,
  changed: readonly KubeObject[],
  { at, source, revision }: { readonly at: number; readonly source: string; readonly revision: number },
): Promise<readonly Edit[]> {
  const edits: Edit[] = [];
  const kept = new Map(keptRevisions(store, source));
  for (const [i, { kind, ref }] of changed.entries()) {
    if (i % partSize === partSize - 1) await pause();
    const object = routing.has(kind) ? store.object(ref) : undefined;
    if (!object || errorsAbout(store, ref, at).length > 0) continue;
    const units = unitsOf(store, ref);
    if (answersOf(store, units).size > 0) edits.push({ object, revision: kept.get(ref) ?? revision, units });
  }
  return edits;
}

const errorsAbout = (store: Store, ref: Ref, now: number): readonly Finding[] =>
  findingsAbout(store, ref, now).filter(({ severity }) => severity === "error");

/** The hosts, and the listeners for plain TCP, that an object contributes to or is read for. */
const unitsOf = (store: Store, ref: Ref): readonly UnitKey[] => unitsAbout(store, ref).filter(isServingUnit);

const validationCursor = (name: string): string => `judging:${name}`;

function readValidation(store: Pick<Store, "cursor">, name: string): EditsInValidation | undefined {
  const text = store.cursor(validationCursor(name));
  return text ? (JSON.parse(text) as EditsInValidation) : undefined;
}

function writeValidation(store: Store, name: string, validation: EditsInValidation | undefined): void {
  if (validation || store.cursor(validationCursor(name)))
    store.setCursor(validationCursor(name), validation ? JSON.stringify(validation) : "");
  setValidating(store, name, validation !== undefined);
}

const partCursor = (name: string, part: number): string => `judging:${name}/${part}`;
const outcomeCursor = (name: string, part: number): string => `judging:${name}/outcome/${part}`;

/**
 * Stores the edits of a push before the first of its changes is made. The store is not published until they are
 * validated.
 */
export function noteEdits(
  store: Store,
  name: string,
  edits: readonly Edit[],
  held: readonly HeldObject[],
): void {
  forgetEdits(store, name);
  if (edits.length === 0) return;
  let parts = 0;
  for (let start = 0; start < edits.length; start += partSize)
    store.setCursor(partCursor(name, parts++), JSON.stringify(edits.slice(start, start + partSize)));
  writeValidation(store, name, { heldSize: sizeOf(held), parts, next: 0, outcomes: 0, rounds: 0 });
}

export function forgetEdits(store: Store, name: string): void {
  const { parts = 0, outcomes = 0 } = readValidation(store, name) ?? {};
  for (let part = 0; part < parts; part++) store.setCursor(partCursor(name, part), "");
  for (let part = 0; part < outcomes; part++) store.setCursor(outcomeCursor(name, part), "");
  writeValidation(store, name, undefined);
}

function listOf<T>(store: Store, cursors: readonly string[]): readonly T[] {
  return cursors.flatMap((cursor) => JSON.parse(store.cursor(cursor) || "[]") as readonly T[]);
}

const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

interface Options {
  readonly store: Store;
  readonly platform: Platform;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Called with the outcome of a source's edits, in the transaction that settles them. */
  settled(validated: ValidatedEdits): void;
}

/** A source whose content is applied completely, and whose edits can be validated once no unit waits. */
function nextName(store: Store): string | undefined {
  const applying = new Set(applyingNames(store));
  return validatingNames(store).find((name) => !applying.has(name));
}

/** Validates as much as possible without a pause: everything, unless the platform leaves units. */
export function validateAtOnce(options: Options): void {
  const { store } = options;
  for (let name = nextName(store); name !== undefined && unitsLeft(store) === 0; name = nextName(store))
    validateNext(name, options);
}

/**
 * Compiles the remaining units and validates edits, as much as the platform allows within one request. Returns how
 * many units are compiled so far.
 */
export async function compileAndValidate(options: Options, done = 0): Promise<number> {
  const { store, platform } = options;
  let units = done;
  for (;;) {
    units = await compileLeft(store, platform, units);
    const name = nextName(store);
    if (unitsLeft(store) > 0 || name === undefined) return units;
    validateNext(name, { ...options, platform: inSlices(platform) });
    await pause();
  }
}

/**
 * One step for some edits: restores the text before of objects that the push made invalid, or reverts that. An object
 * keeps its text before if it is valid with it, given the current state of all other objects, and answers something
 * that it does not answer with the new text.
 */
function validateNext(name: string, options: Options): void {
  const { store, platform } = options;
  store.transaction(() => {
    const validation = readValidation(store, name);
    const isOn = settingsOf(store).keepLastGood;
    if (validation?.tried) update(store, revert(name, validation, validation.tried, options), platform);
    else if (validation && isOn && validation.next < validation.parts)
      update(store, restoreTexts(name, validation, options), platform);
    else settle(name, validation?.outcomes ?? 0, options);
  });
}

/** Everything is validated: reports the outcome. */
function settle(name: string, outcomes: number, { store, settled }: Options): void {
  const cursors = numbers(0, outcomes).map((part) => outcomeCursor(name, part));
  const found = listOf<HeldObject | Finding>(store, cursors);
  forgetEdits(store, name);
  const kept = found.filter((one) => "spec" in one);
  const findings = found.filter((one) => "about" in one);
  if (found.length > 0) settled({ source: name, kept, findings });
}

function restoreTexts(
  name: string,
  validation: EditsInValidation,
  { store, now }: Options,
): readonly KubeObject[] {
  const next = Math.min(validation.parts, validation.next + partsAtOnce);
  const cursors = numbers(validation.next, next).map((part) => partCursor(name, part));
  const fitting: RestoredEdit[] = [];
  const findings: Finding[] = [];
  let { heldSize } = validation;
  for (const one of brokenEdits(store, listOf<Edit>(store, cursors), now())) {
    const size = sizeOf([one.object]);
    if (heldSize + size > maxHeldSize) findings.push(tooLarge(one.object.ref));
    else {
      fitting.push(one);
      heldSize += size;
    }
  }
  const noted = noteOutcome(store, name, validation, findings);
  writeValidation(store, name, {
    ...noted,
    next,
    heldSize,
    rounds: 0,
    ...(fitting.length > 0 ? { tried: fitting } : {}),
  });
  return fitting.map(({ object }) => object);
}

function noteOutcome(
  store: Store,
  name: string,
  validation: EditsInValidation,
  found: readonly (HeldObject | Finding)[],
): EditsInValidation {
  if (found.length === 0) return validation;
  store.setCursor(outcomeCursor(name, validation.outcomes), JSON.stringify(found));
  return { ...validation, outcomes: validation.outcomes + 1 };
}

/** The edits after which an object has an error. */
function* brokenEdits(store: Store, edits: Iterable<Edit>, at: number): Iterable<RestoredEdit> {
  for (const edit of edits) {
    const { ref } = edit.object;
    const now = store.object(ref);
    const findings = now ? errorsAbout(store, ref, at).slice(0, maxFindings) : [];
    if (now && findings.length > 0)
      yield { ...edit, now, answered: [...answersOf(store, edit.units)], findings };
  }
}

function revert(
  name: string,
  validation: EditsInValidation,
  tried: readonly RestoredEdit[],
  { store, now }: Options,
): readonly KubeObject[] {
  const isBetter = ({ object, units, answered }: RestoredEdit): boolean => {
    if (errorsAbout(store, object.ref, now()).length > 0) return false;
    const before = new Set(answered);
    return [...answersOf(store, units)].some((answer) => !before.has(answer));
  };
  const better = tried.filter(isBetter);
  if (better.length === tried.length) {
    const { tried: _, ...rest } = noteOutcome(store, name, validation, better.map(keptOf));
    writeValidation(store, name, rest);
    return [];
  }
  const kept = validation.rounds < maxRounds ? better : [];
  writeValidation(store, name, { ...validation, tried: kept, rounds: validation.rounds + 1 });
  const refs = new Set(kept.map(({ object }) => object.ref));
  return tried.filter(({ object }) => !refs.has(object.ref)).map((one) => one.now);
}

/** The object before, as it is stored with the content. */
const keptOf = ({ object, revision, now, findings }: RestoredEdit): HeldObject => ({
  ...object,
  kept: { revision, findings: [...findings, notice(now, revision)] },
});

/** The reason of findings about objects that keep their text. */
const keptReason = "LastGoodKept";

function notice({ ref, meta }: KubeObject, revision: number): Finding {
  const generation = meta.generation > 0 ? ` (generation ${meta.generation})` : "";
  const message = `the pushed text${generation} is not valid and would take down routes of this ${kindOf(ref)}: its text of revision ${revision} of the source is served until it is fixed or removed`;
  return { about: ref, severity: "error", type: "SourceError", reason: keptReason, message };
}

const tooLarge = (about: Ref): Finding => ({
  about,
  severity: "warning",
  type: "SourceError",
  reason: "TooMuchHeld",
  message:
    "the text before is not kept: the source already holds the maximum of 32 MB of objects that stay as they were before",
});

/** Stores, with a source's newest content, which objects keep their text and why. */
export function storeKept(store: Store, validated: ValidatedEdits): void {
  const { source, kept } = validated;
  const [newest] = store.revisions(source);
  const content = newest && store.revisionContent(source, newest.revision);
  if (newest && content && kept.length > 0) {
    const refs = new Set(kept.map(({ ref }) => ref));
    const held = [...content.held.filter(({ ref }) => !refs.has(ref)), ...kept];
    store.putRevision(newest, { text: content.text, held });
    dropOld(store, source);
    writeKept(store, source, held);
  }
  writeFindings(store, source, [...sourceFindings(store, source), ...findingsOf(validated)]);
}

/** The findings about the outcome of edits. */
export const findingsOf = ({ kept, findings }: ValidatedEdits): readonly Finding[] => [
  ...findingsOfKept(kept),
  ...findings,
];

/** The findings about objects that keep their text. */
export const findingsOfKept = (held: readonly HeldObject[]): readonly Finding[] =>
  held.flatMap(({ kept }) => kept?.findings ?? []);

export const describeKept = ({ source, kept }: ValidatedEdits): string =>
  `the source ${source}: ${plural(kept.length, "object")} not valid as pushed, such as ${kept[0]?.ref ?? ""}; the text before is served`;
