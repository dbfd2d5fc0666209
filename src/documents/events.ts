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
  /** The text to which the offsets of events refer: the original text, with some lines indented. */
  readonly source: string;
  /** Converts an offset in `source` to the offset in the original text. */
  origin(offset: number): number;
}

/** More indentation than any collection has in practice. */
const indent = " ".repeat(256);

/**
 * Parses YAML text. js-yaml follows YAML 1.2, which requires that every line of a flow collection or a quoted text is
 * indented more than its key. Kubernetes clients accept less, and such files are common (a `}` below its key). Spaces at
 * the start of these lines have no meaning, so they are added to each line for which js-yaml reports an error.
 *
 * @throws DocumentError when the text is not YAML or exceeds a limit.
 */
export function* readEvents(text: string, cost: Cost): Generator<undefined, Events> {
  checkNodes(text, cost.most);
  const moved: number[] = [];
  const origin = (offset: number): number => originOf(offset, moved);
  let source = text;
  for (;;) {
    const read = tryEvents(source, origin);
    if ("events" in read) return { events: read.events, source, origin };
    const start = lineStart(source, read.unindented);
    cost.rereadable -= source.length;
    // js-yaml reports the same error for a tab in the indentation.
    if (source.slice(start, read.unindented).trim() !== "")
      throw new DocumentError("not valid YAML: use spaces instead of tabs", origin(read.unindented));
    if (cost.rereadable < 0 || start <= (moved.at(-1) ?? -1))
      throw new DocumentError(
        "not valid YAML: indent the lines of flow collections and quoted texts",
        origin(read.unindented),
      );
    source = source.slice(0, start) + indent + source.slice(start);
    moved.push(start);
    yield;
  }
}

/** `moved` has the starts of the lines with added spaces, ascending. */
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

/** The events, or the offset of a line that is not indented enough (`unindented`). */
function tryEvents(
  source: string,
  origin: (offset: number) => number,
): { readonly events: readonly Event[] } | { readonly unindented: number } {
  try {
    return { events: parseEvents(source, { maxDepth }) };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const offset = error.mark?.position ?? 0;
    if (error.reason === "deficient indentation") return { unindented: offset };
    if (error.reason.startsWith("nesting exceeded")) throw tooDeep(origin(offset));
    throw new DocumentError(`not valid YAML: ${withoutQuotes(error.reason)}`, origin(offset));
  }
}

/** The reason from js-yaml, without quotations of the text. */
const withoutQuotes = (reason: string): string =>
  reason.replace(/ "[^"]*"/, "").replace(/(characters): .*$/s, "$1");

const structure = new Set([..."[{,:?-\n\r"].map((sign) => sign.charCodeAt(0)));

/** One of the characters in `structure` precedes every node except the first, so their count bounds the number of nodes. */
function checkNodes(text: string, most: number): void {
  if (text.length < most) return;
  let signs = 0;
  for (let i = 0; i < text.length; i++) if (structure.has(text.charCodeAt(i))) signs++;
  if (signs > most) throw tooManyNodes(0, most);
}

/** The offset of a node's text; -1 for an empty node. */
export function startOf(event: Event): number {
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
  if (event.type === EVENT_ID.SCALAR) return event.valueStart - (isQuoted(event) ? 1 : 0);
  return event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING ? event.start : -1;
}

const isQuoted = ({ style }: ScalarEvent): boolean =>
  style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;

/** The value of a scalar by its text, without its tag. */
export function scalarIn(source: string, event: ScalarEvent): Scalar {
  const text = getScalarValue(source, event);
  return event.style === SCALAR_STYLE.PLAIN ? readPlain(ownText(text, source)) : ownText(text, source);
}

/** Copies parts of longer texts: a slice in V8 refers to the whole text and would keep it in memory. */
const shortSource = 16 * 1024;
const ownText = (part: string, source: string): string =>
  source.length < shortSource ? part : ` ${part}`.slice(1);
