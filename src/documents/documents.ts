import { compose } from "./compose.js";
import { readEvents } from "./events.js";
import { JsonSyntaxError, RepeatedKeyError, readJson } from "./json.js";
import { type Cost, costOf, DocumentError, maxFaults, maxObjects, sliceLength } from "./limits.js";
import { contentStart, documentTexts, lineTexts, newlines, type Part, placeOf } from "./split.js";

/** One document, as a Kubernetes client reads it. */
export interface TextDocument {
  /** A JSON value. Aliases of an anchor share its value. */
  readonly value: unknown;
  /** The first line of its content, from 1. */
  readonly line: number;
  /** The first line of each item, for a Kubernetes list in YAML. */
  readonly itemLines: readonly number[];
  /** An upper bound of its nodes, as a measure of its cost. */
  readonly nodes: number;
  /** Texts that YAML parsers read in different ways, with the value that Kubernetes clients read. */
  readonly ambiguities: readonly Ambiguity[];
  /** The text of the document, to find the lines of fields. */
  readonly part: Part;
}

export interface Ambiguity {
  readonly message: string;
  readonly line: number;
}

/** A document that can't be read. It is left out. */
export interface Fault {
  /** The problem, without values of the text. */
  readonly fault: string;
  /** Line and column start at 1. */
  readonly line: number;
  readonly column: number;
}

/** The next result of reading a text; undefined is a pause, in which the caller may yield to other work. */
export type Step = TextDocument | Fault | undefined;

/**
 * `yaml`: YAML documents or a sequence of JSON values; `json`: a sequence of JSON values; `lines`: one JSON value per
 * line.
 */
export type Format = "yaml" | "json" | "lines";

const parts: Readonly<Record<Format, (text: string) => Iterable<string>>> = {
  yaml: documentTexts,
  json: (text) => [text],
  lines: lineTexts,
};

/**
 * Reads the documents of a text in slices: YAML with the rules of sigs.k8s.io/yaml, or JSON values. A document that can't
 * be read, or a YAML document with more than `most` nodes, becomes a fault; the other documents are read.
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
  if (objects > maxObjects) return `the text has more than ${maxObjects} objects; split it`;
  return faults > maxFaults
    ? `more than ${maxFaults} documents can't be read; the rest is left out`
    : undefined;
}

/** All documents of a text, without pauses. */
export function* readNow(text: string, format?: Format): Generator<TextDocument | Fault> {
  for (const step of readDocuments(text, format)) if (step) yield step;
}

/** The value of the only document of a text; undefined for an empty text. @throws Error with the line and the fault. */
export function readOne(text: string): TextDocument | undefined {
  const [first, second] = readNow(text);
  const fault = [first, second].find((one) => one && "fault" in one);
  if (fault && "fault" in fault) throw new Error(`line ${fault.line}: ${fault.fault}`);
  if (second) throw new Error(`line ${second.line}: a second document begins here, but only one is expected`);
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

/** Reads JSON values or YAML: a YAML document in flow style begins with the same bracket as JSON. */
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
    yield { value, line, itemLines: [], nodes, ambiguities: [], part: { text: text.slice(at, end), line } };
    unpaused += end - at;
    if (unpaused > sliceLength) {
      unpaused = 0;
      yield undefined;
    }
    from = at;
    at = contentStart(text, end);
  }
}

/** @throws DocumentError with the path of a key that is set twice. */
function readValue(text: string, start: number, cost: Cost): { value: unknown; end: number } {
  try {
    return readJson(text, start, cost);
  } catch (error) {
    if (!(error instanceof RepeatedKeyError)) throw error;
    // The value is also YAML, and the error of the YAML reader contains the key.
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
  for (const { value, offset, items, nodes, ambiguities: found } of compose(events, cost)) {
    if (value === null) continue;
    line += newlines(part.text, from, offset);
    from = offset;
    const ambiguities = found.map(({ message, offset: at }) => ({ message, line: placeOf(part, at).line }));
    yield { value, line, itemLines: linesOf(part, items), nodes, ambiguities, part };
  }
}

/** The line of each offset; offsets are ascending. */
function linesOf({ text, line }: Part, offsets: readonly number[]): readonly number[] {
  let from = 0;
  let at = line;
  return offsets.map((offset) => {
    at += newlines(text, from, offset);
    from = offset;
    return at;
  });
}
