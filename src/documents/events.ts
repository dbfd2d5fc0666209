import {
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from "js-yaml";
import { type Cost, DocumentError, maxDepth, tooDeep, tooManyNodes } from "./limits.js";
import { readPlain, type Scalar } from "./scalar.js";

/** The events of YAML text. */
export interface Events {
  readonly events: readonly Event[];
  /** The text that the offsets of events are of: the text as it came, with some lines further to the right. */
  readonly source: string;
  /** The offset in the text as it came of one in `source`. */
  origin(offset: number): number;
}

/** Further right than a collection begins in any text that people write. */
const indent = " ".repeat(256);

/**
 * Parses YAML text. js-yaml follows YAML 1.2, which wants every line of a flow collection or of a quoted text to stand
 * right of the key that it belongs to. Kubernetes clients do not, and such files are common (a `}` under its key). Spaces
 * at the beginning of these lines say nothing, so they are added where js-yaml misses them, line by line.
 *
 * @throws DocumentError for what is not YAML or is over a limit.
 */
export function* readEvents(text: string, cost: Cost): Generator<undefined, Events> {
  checkNodes(text, cost.most);
  const moved: number[] = [];
  const origin = (offset: number): number => originOf(offset, moved);
  let source = text;
  for (;;) {
    const read = tryEvents(source, origin);
    if ("events" in read) return { events: read.events, source, origin };
    const start = lineStart(source, read.left);
    cost.again -= source.length;
    // Beside lines, js-yaml misses spaces where there is a tab.
    if (source.slice(start, read.left).trim() !== "")
      throw new DocumentError("not valid YAML: use spaces in place of tabs", origin(read.left));
    if (cost.again < 0 || start <= (moved.at(-1) ?? -1))
      throw new DocumentError(
        "not valid YAML: indent the lines of flow collections and quoted texts",
        origin(read.left),
      );
    source = source.slice(0, start) + indent + source.slice(start);
    moved.push(start);
    yield;
  }
}

/** `moved` are the beginnings of the lines that were moved, ascending. */
function originOf(offset: number, moved: readonly number[]): number {
  let added = 0;
  for (const start of moved) {
    if (start >= offset) break;
    added += Math.min(indent.length, offset - start);
  }
  return offset - added;
}

function lineStart(text: string, offset: number): number {
  let start = offset;
  while (start > 0 && text[start - 1] !== "\n" && text[start - 1] !== "\r") start--;
  return start;
}

/** The events, or the offset of text that stands too far to the `left`. */
function tryEvents(
  source: string,
  origin: (offset: number) => number,
): { readonly events: readonly Event[] } | { readonly left: number } {
  try {
    return { events: parseEvents(source, { maxDepth }) };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const offset = error.mark?.position ?? 0;
    if (error.reason === "deficient indentation") return { left: offset };
    if (error.reason.startsWith("nesting exceeded")) throw tooDeep(origin(offset));
    throw new DocumentError(`not valid YAML: ${withoutQuotes(error.reason)}`, origin(offset));
  }
}

/** js-yaml's reason, without the tags of the text that it may quote. */
const withoutQuotes = (reason: string): string =>
  reason.replace(/ "[^"]*"/, "").replace(/(characters): .*$/s, "$1");

const structure = new Set([..."[{,:?-\n\r"].map((sign) => sign.charCodeAt(0)));

/** No node but the first begins without one of these signs before it: there are at most as many nodes. */
function checkNodes(text: string, most: number): void {
  if (text.length < most) return;
  let signs = 0;
  for (let i = 0; i < text.length; i++) if (structure.has(text.charCodeAt(i))) signs++;
  if (signs > most) throw tooManyNodes(0, most);
}

/** Where the text of a node begins; -1 for an empty one. */
export function startOf(event: Event): number {
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
  if (event.type === EVENT_ID.SCALAR) return event.valueStart - (isQuoted(event) ? 1 : 0);
  return event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING ? event.start : -1;
}

const isQuoted = ({ style }: ScalarEvent): boolean =>
  style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;

/** What a scalar stands for by its text alone, without its tag. */
export function scalarIn(source: string, event: ScalarEvent): Scalar {
  const text = getScalarValue(source, event);
  return event.style === SCALAR_STYLE.PLAIN ? readPlain(ownText(text, source)) : ownText(text, source);
}

/** A part of a long text would keep all of it in memory: the engine cuts without copying. */
const shortSource = 16 * 1024;
const ownText = (part: string, source: string): string =>
  source.length < shortSource ? part : ` ${part}`.slice(1);
