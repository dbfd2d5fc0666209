import { EVENT_ID, type Event } from "js-yaml";
import { pathOf } from "../schema/field-path.js";
import { memoizedLast } from "../schema/memoized.js";
import { type Events, readEvents, scalarIn, startOf } from "./events.js";
import { costOf, DocumentError } from "./limits.js";
import { keyText } from "./scalar.js";
import type { Part } from "./split.js";

/** A position in a text; line and column start at 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * The start of a field such as `spec.routes[0].services[1].port` or `metadata.annotations["a/b"]` in the first document
 * of a part: its key, or the entry of a list. For a missing field, the start of its nearest existing parent.
 */
export function positionOf(part: Part, path: string): Position {
  const map = mapOf(part);
  if (!map) return { line: part.line, column: 1 };
  let at: Child = { key: 1, value: 1 };
  for (const key of pathOf(path)) {
    const next = map.child(at.value, key);
    if (next === undefined) break;
    at = next;
  }
  const { line, column } = map.at(at.key);
  return { line: part.line + line, column };
}

function makeMap(part: Part): DocumentMap | undefined {
  try {
    const reading = readEvents(part.text, costOf(part.text));
    let read = reading.next();
    while (!read.done) read = reading.next();
    return new DocumentMap(read.value);
  } catch (error) {
    if (error instanceof DocumentError) return undefined;
    throw error;
  }
}

/** The indexes of the first events of a key and its value. They are equal for an entry of a list. */
interface Child {
  readonly key: number;
  readonly value: number;
}

/** Finds the nodes of a document. The index of its first event identifies a node. */
class DocumentMap {
  /** For each event that begins a node: the index after the node's last event. */
  readonly #ends: Int32Array;
  readonly #lineStarts: readonly number[];
  readonly #children = new Map<number, ReadonlyMap<string | number, Child>>();

  constructor(private readonly text: Events) {
    this.#ends = endsOf(text.events);
    this.#lineStarts = lineStartsOf(text.source);
  }

  /** The child of a node under a key or an index. */
  child(node: number, key: string | number): Child | undefined {
    let children = this.#children.get(node);
    if (!children) {
      children = this.#read(node);
      this.#children.set(node, children);
    }
    return children.get(key);
  }

  #read(node: number): ReadonlyMap<string | number, Child> {
    const { events, source } = this.text;
    const isMap = events[node]?.type === EVENT_ID.MAPPING;
    const children = new Map<string | number, Child>();
    if (!isMap && events[node]?.type !== EVENT_ID.SEQUENCE) return children;
    const end = (this.#ends[node] ?? 0) - 1;
    for (let at = node + 1, index = 0; at < end; index++) {
      const first = at;
      const key = events[first];
      if (isMap) at = this.#ends[at] ?? end;
      const child = { key: first, value: at };
      if (!isMap) children.set(index, child);
      else if (key?.type === EVENT_ID.SCALAR) children.set(keyText(scalarIn(source, key)) ?? "", child);
      at = this.#ends[at] ?? end;
    }
    return children;
  }

  /** The start of a node: the number of lines before it, and its column from 1. */
  at(node: number): Position {
    const event = this.text.events[node];
    const offset = event ? Math.max(startOf(event), 0) : 0;
    let [low, high] = [0, this.#lineStarts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return { line: low, column: offset - (low > 0 ? (this.#lineStarts[low - 1] ?? 0) : 0) + 1 };
  }
}

function endsOf(events: readonly Event[]): Int32Array {
  const ends = new Int32Array(events.length);
  const open: number[] = [];
  for (const [i, { type }] of events.entries()) {
    if (type === EVENT_ID.POP) ends[open.pop() ?? 0] = i + 1;
    else if (type === EVENT_ID.SCALAR || type === EVENT_ID.ALIAS) ends[i] = i + 1;
    else open.push(i);
  }
  return ends;
}

/** The offsets of all lines except the first. */
function lineStartsOf(text: string): number[] {
  const starts: number[] = [];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Cached, because many findings are about the same long document. */
const mapOf = memoizedLast(makeMap, { maxSize: 16, sizeOf: () => 1 });
