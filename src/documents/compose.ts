import {
  type AliasEvent,
  EVENT_ID,
  getScalarValue,
  type MappingEvent,
  SCALAR_STYLE,
  type ScalarEvent,
  type SequenceEvent,
} from "js-yaml";
import { pathText } from "../schema/field-path.js";
import { isRecord } from "../schema/issues.js";
import { type Events, scalarIn, startOf } from "./events.js";
import { type Cost, countCopies, DocumentError, maxDepth, nodesOf, tooDeep, tooManyNodes } from "./limits.js";
import { keyText, readPlain, type Scalar } from "./scalar.js";

/** The value of one YAML document. */
export interface Composed {
  readonly value: unknown;
  /** The offset of the document. */
  readonly offset: number;
  /** The offsets of the `items` of a Kubernetes list. */
  readonly items: readonly number[];
  readonly nodes: number;
  readonly ambiguities: readonly AmbiguityAt[];
}

/** Text that other YAML parsers read differently than Kubernetes clients. */
interface AmbiguityAt {
  readonly message: string;
  readonly offset: number;
}

/** The limit per document: further ones have the same cause. */
const maxAmbiguities = 20;

type CollectionEvent = SequenceEvent | MappingEvent;

/** A complete value, with the cost of an alias to it. */
interface Node {
  readonly value: unknown;
  readonly nodes: number;
  /** Levels of maps and lists. */
  readonly height: number;
  /** Whether it comes from an alias. */
  readonly copied: boolean;
}

/** The next node of a map: a key, a merged map, or the value `of` a key. */
interface Slot {
  readonly is: "key" | "merge" | "value";
  readonly of: string;
}

/** A list or map that is not complete yet. */
interface Frame {
  readonly into: unknown[] | Record<string, unknown>;
  readonly anchor: string | undefined;
  /** Its role in the outer collection. */
  readonly slot: Slot;
  nodes: number;
  height: number;
  /** For a map: the role of its next node. */
  next: Slot;
  /** The keys that the map itself contains, after a merge has added others. */
  own: Set<string> | undefined;
  /** For a list that is merged: its maps, which are applied from the last to the first. */
  merged: Node[] | undefined;
}

const empty: Node = { value: null, nodes: 0, height: 0, copied: false };
const keySlot: Slot = { is: "key", of: "" };
const mergeSlot: Slot = { is: "merge", of: "<<" };

/**
 * Builds the values of documents with the rules of sigs.k8s.io/yaml for plain text, merge keys, and keys that are not
 * text.
 */
class Composer {
  readonly #stack: Frame[] = [];
  /** An anchor is undefined while its value is not complete. */
  readonly #anchors = new Map<string, Node | undefined>();
  #root: Node = empty;
  #items: number[] = [];
  #ambiguities: AmbiguityAt[] = [];
  /** The offset of the last node that is not empty. */
  #at = 0;

  constructor(
    private readonly text: Events,
    private readonly cost: Cost,
  ) {}

  *documents(): Generator<Composed> {
    let offset = 0;
    let nodes = 0;
    for (const event of this.text.events) {
      if (event.type === EVENT_ID.DOCUMENT) {
        this.#root = empty;
        this.#items = [];
        this.#ambiguities = [];
        this.#anchors.clear();
        nodes = 0;
      } else if (event.type === EVENT_ID.POP) {
        if (this.#stack.length > 0) this.#leave();
        else yield { ...this.#result(), offset };
      } else {
        this.#at = Math.max(this.#at, startOf(event));
        this.cost.written++;
        if (++nodes > this.cost.most) throw tooManyNodes(this.#offset, this.cost.most);
        if (nodes === 1) offset = this.#offset;
        this.#enter(event);
      }
    }
  }

  #result(): Omit<Composed, "offset"> {
    const { value, nodes } = this.#root;
    return { value, nodes, items: this.#items, ambiguities: this.#ambiguities };
  }

  #enter(event: ScalarEvent | AliasEvent | CollectionEvent): void {
    const around = this.#stack.at(-1);
    if (around?.slot.of === "items" && this.#stack.length === 2 && Array.isArray(around.into))
      this.#items.push(this.#offset);
    if (event.type === EVENT_ID.ALIAS) this.#addValue(this.#aliased(event));
    else if (event.type !== EVENT_ID.SCALAR) this.#open(event, around);
    else if (around && !Array.isArray(around.into) && around.next.is === "key") this.#readKey(event, around);
    else this.#addValue(this.#scalarNode(event, this.#finite(event)));
  }

  #open(event: CollectionEvent, around: Frame | undefined): void {
    const isList = event.type === EVENT_ID.SEQUENCE;
    const inMap = around !== undefined && !Array.isArray(around.into);
    const slot = inMap ? around.next : keySlot;
    if (inMap && slot.is === "key") throw this.#fail("a key is a list or a map; keys are text");
    if (around?.merged && isList) throw this.#fail(wrongMerge);
    this.#checkTag(event, isList ? "!!seq" : "!!map");
    const anchor = this.#textOf(event.anchorStart, event.anchorEnd);
    if (anchor !== undefined) this.#anchors.set(anchor, undefined);
    this.#stack.push({
      into: isList ? [] : {},
      anchor,
      slot,
      nodes: 1,
      height: 1,
      next: keySlot,
      own: undefined,
      merged: isList && slot.is === "merge" ? [] : undefined,
    });
  }

  #leave(): void {
    const frame = this.#stack.pop();
    if (!frame) return;
    const { into: value, nodes, height, merged, anchor } = frame;
    const node: Node = { value, nodes, height, copied: false };
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    const around = this.#stack.at(-1);
    if (!merged || !around) this.#addValue(node);
    else {
      for (const one of merged.reverse()) this.#merge(one, around);
      around.next = keySlot;
    }
  }

  /** Adds a complete value to the outer collection. */
  #addValue(node: Node): void {
    const around = this.#stack.at(-1);
    if (!around) {
      this.#root = node;
      return;
    }
    const { into, next, merged } = around;
    if ((merged || (!Array.isArray(into) && next.is === "merge")) && !isRecord(node.value))
      throw this.#fail(wrongMerge);
    if (merged) merged.push(node);
    else if (Array.isArray(into)) into.push(node.value);
    else if (next.is === "key") {
      this.#setKey(node.value as Scalar, around);
      return;
    } else if (next.is === "merge") this.#merge(node, around);
    else setOwn(into, next.of, node.value);
    around.next = keySlot;
    around.nodes += node.nodes;
    around.height = Math.max(around.height, node.height + 1);
    if (this.#stack.length + node.height > maxDepth) throw tooDeep(this.#offset);
  }

  /** Copies all keys of a map to another one. As in go-yaml v2, they replace earlier keys, and later keys replace them. */
  #merge({ value, nodes, copied }: Node, around: Frame): void {
    const { into } = around;
    if (!isRecord(value) || Array.isArray(into)) return;
    if (!copied) countCopies(this.cost, nodes, this.#offset);
    around.own ??= new Set(Object.keys(into));
    for (const key of Object.keys(value)) {
      if (around.own.has(key)) this.#noteAmbiguity(key);
      setOwn(into, key, value[key]);
    }
  }

  #noteAmbiguity(key: string): void {
    if (this.#ambiguities.length === maxAmbiguities) return;
    const at = pathText([...this.#path().slice(0, -1), key]);
    const message = `${at}: is set before \`<<\` and by the merged map, whose value is used; move \`<<\` before it to use the other value`;
    this.#ambiguities.push({ message, offset: this.#offset });
  }

  #readKey(event: ScalarEvent, around: Frame): void {
    const tag = this.#textOf(event.tagStart, event.tagEnd);
    const mayMerge = tag === "!!merge" || (tag === undefined && event.style === SCALAR_STYLE.PLAIN);
    if (mayMerge && this.#textOf(event.valueStart, event.valueEnd) === "<<") {
      around.next = mergeSlot;
      return;
    }
    const key = this.#scalar(event);
    this.#scalarNode(event, key);
    this.#setKey(key, around);
  }

  #setKey(key: Scalar, around: Frame): void {
    const text = typeof key === "object" ? undefined : keyText(key);
    if (text === undefined) throw this.#fail("a key is empty, null or not text; put it in quotes");
    const { own, into } = around;
    around.next = { is: "value", of: text };
    if (own ? own.has(text) : Object.hasOwn(into, text))
      throw this.#fail("the key is set twice in one map; remove one of them");
    own?.add(text);
    around.nodes += nodesOf(text);
  }

  #aliased({ anchorStart, anchorEnd }: AliasEvent): Node {
    const name = this.#textOf(anchorStart, anchorEnd) ?? "";
    const node = this.#anchors.get(name);
    if (!node)
      throw this.#fail(
        this.#anchors.has(name)
          ? "an alias is inside of its own anchor"
          : "an alias refers to no earlier anchor of its document",
      );
    countCopies(this.cost, node.nodes, this.#offset);
    return { ...node, copied: true };
  }

  /** Makes the node of a scalar, and stores it for aliases if it has an anchor. */
  #scalarNode({ anchorStart, anchorEnd }: ScalarEvent, scalar: Scalar): Node {
    const value = typeof scalar === "bigint" ? Number(scalar) : scalar;
    const node: Node = { value, nodes: nodesOf(value), height: 0, copied: false };
    const anchor = this.#textOf(anchorStart, anchorEnd);
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    return node;
  }

  /** A scalar that is not a key. JSON has no infinite numbers. */
  #finite(event: ScalarEvent): Scalar {
    const value = this.#scalar(event);
    if (typeof value !== "number" || Number.isFinite(value)) return value;
    throw this.#fail("an infinite number and NaN are not valid; put text in quotes");
  }

  #scalar(event: ScalarEvent): Scalar {
    const tag = this.#textOf(event.tagStart, event.tagEnd);
    const value = scalarIn(this.text.source, event);
    if (tag === undefined) return value;
    const text = getScalarValue(this.text.source, event);
    return tag === "!" ? text : this.#tagged(shortTag(tag), text);
  }

  #tagged(tag: string, text: string): Scalar {
    if (tag === "!!str" || tag === "!!timestamp") return text;
    const value = readPlain(text);
    if (tag === "!!float" && typeof value === "bigint") return Number(value);
    const fits = scalarTags.get(tag);
    if (fits?.(value)) return value;
    throw this.#fail(fits ? `the value is not of the type ${tag.slice(2)}` : unknownTag);
  }

  #checkTag(event: CollectionEvent, known: string): void {
    const tag = this.#textOf(event.tagStart, event.tagEnd);
    if (tag !== undefined && tag !== "!" && shortTag(tag) !== known) throw this.#fail(unknownTag);
  }

  get #offset(): number {
    return this.text.origin(this.#at);
  }

  #textOf(start: number, end: number): string | undefined {
    return start < 0 ? undefined : this.text.source.slice(start, end);
  }

  /** The path of the next key or value. */
  #path(): (string | number)[] {
    return this.#stack.flatMap<string | number>(({ into, next }) => {
      if (Array.isArray(into)) return [into.length];
      return next.is === "key" ? [] : [next.of];
    });
  }

  /** An error whose message starts with the current path. */
  #fail(message: string): DocumentError {
    const at = pathText(this.#path());
    return new DocumentError(at ? `${at}: ${message}` : message, this.#offset);
  }
}

const unknownTag = "the tag is unknown; remove it";
const wrongMerge = "the value of `<<` must be a map or a list of maps";

const scalarTags = new Map<string, (value: Scalar) => boolean>([
  ["!!int", (value) => typeof value === "bigint"],
  ["!!float", (value) => typeof value === "number"],
  ["!!bool", (value) => typeof value === "boolean"],
  ["!!null", (value) => value === null],
]);

const shortTag = (tag: string): string => tag.replace(/^!<tag:yaml\.org,2002:(.*)>$/, "!!$1");

/** Sets a key, including `__proto__`, as an own property, like JSON.parse. */
function setOwn(into: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
  else into[key] = value;
}

/**
 * Builds the values of YAML documents in order.
 *
 * @throws DocumentError when a Kubernetes client can't read a document.
 */
export const compose = (text: Events, cost: Cost): Generator<Composed> =>
  new Composer(text, cost).documents();
