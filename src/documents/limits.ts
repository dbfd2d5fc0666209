/** Limits on the cost of reading a text. They are checked before values are built. */

/** The limit of nodes (keys, values, lists and maps) in one document. */
export const maxNodes = 2_000_000;
/**
 * The limit of nodes in a YAML document for a server. It is lower because a document is parsed without a pause; JSON
 * parses ten times as fast.
 */
export const maxServedNodes = 600_000;
/** The limit of documents and list items in one text. */
export const maxObjects = 250_000;
/** The limit of unreadable documents in one text. Reading stops after it. */
export const maxFaults = 1000;
/** The limit of nested maps and lists, including those from aliases. */
export const maxDepth = 100;
/** Aliases and merge keys may add this many nodes to a text, plus the number of nodes written in it. */
export const freeCopies = 20_000;
/** The number of characters that are read between two pauses. */
export const sliceLength = 128 * 1024;

/** The problem of a text, with its offset and correction. The message never quotes a value, because it may be a secret. */
export class DocumentError extends Error {
  constructor(
    message: string,
    /** Offset in the text of the document, in UTF-16 units. */
    readonly offset: number,
    readonly code: "not-valid" | "too-deep" | "too-large" | "repeated-key" = "not-valid",
  ) {
    super(message);
  }
}

export const tooManyNodes = (offset: number, most = maxNodes): DocumentError =>
  new DocumentError(
    `the document has more than ${most} nodes or lines; split it with lines of ---, or write it as JSON`,
    offset,
    "too-large",
  );

export const tooDeep = (offset: number, levels = maxDepth): DocumentError =>
  new DocumentError(`the document is nested deeper than ${levels} levels`, offset, "too-deep");

/** The cost of a text so far. */
export interface Cost {
  /** Nodes that the text contains. */
  written: number;
  /** Nodes that aliases and merge keys have added. */
  copied: number;
  /** The remaining number of characters that may be read a second time. */
  rereadable: number;
  /** The limit of nodes in a YAML document. */
  readonly most: number;
}

/** The number of characters that may be read a second time, in addition to twice the length of the text. */
const freeRereads = 1024 * 1024;

export const costOf = (text: string, most = maxNodes): Cost => ({
  written: 0,
  copied: 0,
  rereadable: freeRereads + 2 * text.length,
  most,
});

/**
 * Each 16 characters of an aliased scalar count as one node, because the compiled configuration contains every copy
 * of the text.
 */
const nodeLength = 16;

/** The number of nodes that an alias or merge key of a scalar counts as. */
export const nodesOf = (scalar: unknown): number =>
  1 + (typeof scalar === "string" ? Math.floor(scalar.length / nodeLength) : 0);

export function countCopies(cost: Cost, nodes: number, offset: number): void {
  cost.copied += nodes;
  if (cost.copied > freeCopies + cost.written)
    throw new DocumentError(
      `aliases and merge keys add more than ${freeCopies} nodes to the ${cost.written} nodes of the text; replace aliases by their values, or split the file`,
      offset,
      "too-large",
    );
}
