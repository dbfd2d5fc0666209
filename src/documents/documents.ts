import { compose } from "./compose.js";
import { readEvents } from "./events.js";
import { JsonSyntaxError, RepeatedKeyError, readJson } from "./json.js";
import { type Cost, costOf, DocumentError, maxFaults, maxObjects, sliceLength } from "./limits.js";
import { contentStart, documentTexts, lineTexts, newlines, type Part, placeOf } from "./split.js";

/** One document, as a Kubernetes client reads it. */
export interface TextDocument {
  /** A JSON value; parts of it that come from aliases are shared. */
  readonly value: unknown;
  /** Line on which its content begins, from 1. */
  readonly line: number;
  /** Of a list of Kubernetes in YAML: the lines on which its members begin. */
  readonly itemLines: readonly number[];
  /** How many nodes it has at most, as a measure of what it costs. */
  readonly nodes: number;
  /** What others read in another way, and what Kubernetes clients make of it. */
  readonly doubts: readonly Doubt[];
  /** Where the lines of its fields are found. */
  readonly part: Part;
}

export interface Doubt {
  readonly message: string;
  readonly line: number;
}

/** A document that can't be read, and is left out. */
export interface Fault {
  /** What is wrong, without any value of the text. */
  readonly fault: string;
  /** From 1, as the column is. */
  readonly line: number;
  readonly column: number;
}

/** What comes next of a text; undefined: nothing yet, and a good place to let others work. */
export type Step = TextDocument | Fault | undefined;

/** `yaml`: also JSON values one after the other; `json`: such values alone; `lines`: one on each line. */
export type Format = "yaml" | "json" | "lines";

const parts: Readonly<Record<Format, (text: string) => Iterable<string>>> = {
  yaml: documentTexts,
  json: (text) => [text],
  lines: lineTexts,
};

/**
 * Reads the documents of a text one by one, in slices: YAML as sigs.k8s.io/yaml reads it, with JSON values in the place
 * of documents. A document that can't be read costs only itself, as does one of YAML with more than `most` nodes.
 */
export function* readDocuments(text: string, format: Format = "yaml", most?: number): Generator<Step> {
  const cost = costOf(text, most);
  let objects = 0;
  let faults = 0;
  let unpaused = 0;
  let line = 1;
  for (const part of parts[format](text.replace(/^\ufeff/, ""))) {
    for (const step of readPart({ text: part, line }, format, cost)) {
      objects += step && "value" in step ? sizeOf(step.value) : 0;
      faults += step && "fault" in step ? 1 : 0;
      const limit = overLimit(objects, faults);
      yield limit ? { fault: limit, line, column: 1 } : step;
      if (limit) return;
    }
    line += newlines(part);
    unpaused += part.length;
    if (unpaused < sliceLength) continue;
    unpaused = 0;
    yield undefined;
  }
}

function overLimit(objects: number, faults: number): string | undefined {
  if (objects > maxObjects) return `the text has over ${maxObjects} objects; split it`;
  return faults > maxFaults ? `over ${maxFaults} documents can't be read; the rest is left out` : undefined;
}

/** All documents of a text, without pauses. */
export function* readNow(text: string, format?: Format): Generator<TextDocument | Fault> {
  for (const step of readDocuments(text, format)) if (step) yield step;
}

/** The value of the only document of a text; undefined when there is none. @throws Error that tells line and fault. */
export function readOne(text: string): TextDocument | undefined {
  const [first, second] = readNow(text);
  const fault = [first, second].find((one) => one && "fault" in one);
  if (fault && "fault" in fault) throw new Error(`line ${fault.line}: ${fault.fault}`);
  if (second) throw new Error(`line ${second.line}: one document is expected, and here begins a second one`);
  return first && "value" in first ? first : undefined;
}

function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  const items = typeof value === "object" && value !== null && "items" in value ? value.items : undefined;
  return Array.isArray(items) ? 1 + items.length : 1;
}

function* readPart(part: Part, format: Format, cost: Cost): Generator<Step> {
  const start = contentStart(part.text, 0);
  if (start < 0) return;
  try {
    if (format !== "yaml") yield* readJsonValues(part, start, cost);
    else if (/[[{]/.test(part.text.charAt(start))) yield* readEither(part, start, cost);
    else yield* readYaml(part, cost);
  } catch (error) {
    const found = error instanceof JsonSyntaxError ? error.locate() : error;
    if (!(found instanceof DocumentError)) throw found;
    yield { fault: found.message, ...placeOf(part, found.offset) };
  }
}

/** Flow style YAML begins with the same bracket as JSON. */
function* readEither(part: Part, start: number, cost: Cost): Generator<Step> {
  let isJson = false;
  try {
    for (const step of readJsonValues(part, start, cost)) {
      isJson = true;
      yield step;
    }
    return;
  } catch (error) {
    if (isJson || !(error instanceof JsonSyntaxError)) throw error;
  }
  yield* readYaml(part, cost);
}

function* readJsonValues(part: Part, start: number, cost: Cost): Generator<Step> {
  const { text } = part;
  let unpaused = 0;
  let line = part.line;
  for (let at = start, from = 0; at >= 0; ) {
    line += newlines(text, from, at);
    const before = cost.written;
    const { value, end } = readValue(text, at, cost);
    const nodes = cost.written - before;
    yield { value, line, itemLines: [], nodes, doubts: [], part: { text: text.slice(at, end), line } };
    unpaused += end - at;
    if (unpaused > sliceLength) {
      unpaused = 0;
      yield undefined;
    }
    from = at;
    at = contentStart(text, end);
  }
}

/** @throws DocumentError that names the key, where one is set twice. */
function readValue(text: string, start: number, cost: Cost): { value: unknown; end: number } {
  try {
    return readJson(text, start, cost);
  } catch (error) {
    if (!(error instanceof RepeatedKeyError)) throw error;
    // The value is YAML, too, and the reader of YAML knows which key it is.
    throw repeatedKeyIn(text.slice(start, error.end), start) ?? error;
  }
}

function repeatedKeyIn(text: string, start: number): DocumentError | undefined {
  try {
    for (const step of readYaml({ text, line: 1 }, costOf(text))) void step;
    return undefined;
  } catch (error) {
    return error instanceof DocumentError
      ? new DocumentError(error.message, start + error.offset)
      : undefined;
  }
}

function* readYaml(part: Part, cost: Cost): Generator<Step> {
  const events = yield* readEvents(part.text, cost);
  let from = 0;
  let line = part.line;
  for (const { value, offset, items, nodes, doubts: found } of compose(events, cost)) {
    if (value === null) continue;
    line += newlines(part.text, from, offset);
    from = offset;
    const doubts = found.map(({ message, offset: at }) => ({ message, line: placeOf(part, at).line }));
    yield { value, line, itemLines: linesOf(part, items), nodes, doubts, part };
  }
}

/** The lines of ascending offsets. */
function linesOf({ text, line }: Part, offsets: readonly number[]): readonly number[] {
  let from = 0;
  let at = line;
  return offsets.map((offset) => {
    at += newlines(text, from, offset);
    from = offset;
    return at;
  });
}
