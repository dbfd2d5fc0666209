/** What reading a text may cost, counted before it is built. */

/** Nodes (keys, values, lists and maps) of one document. */
export const maxNodes = 2_000_000;
/** The same of a YAML document that a server reads: one document is parsed without a pause, and JSON ten times as fast. */
export const maxServedNodes = 600_000;
/** Documents and members of lists in one text. */
export const maxObjects = 250_000;
/** Documents of one text that can't be read, after which the rest is not read. */
export const maxFaults = 1000;
/** Levels of maps and lists, what aliases bring in included. */
export const maxDepth = 100;
/** Nodes that aliases and merge keys of one text may add, beside as many as are written in it. */
export const freeCopies = 20_000;
/** Characters that are read at a time, between two pauses. */
export const sliceLength = 128 * 1024;

/** What is wrong with a text: where, and what to do. Its message never quotes a value, which may be a secret. */
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
    `the document has over ${most} nodes or lines; split it with lines of ---, or write it as JSON`,
    offset,
    "too-large",
  );

export const tooDeep = (offset: number, levels = maxDepth): DocumentError =>
  new DocumentError(`the document is nested over ${levels} levels deep`, offset, "too-deep");

/** What one text has cost so far. */
export interface Cost {
  /** Nodes that are written in it. */
  written: number;
  /** Nodes that aliases and merge keys have added. */
  copied: number;
  /** Characters that may still be read a second time. */
  again: number;
  /** Nodes that a YAML document may have. */
  readonly most: number;
}

/** So many characters may be read a second time, and twice the text. */
const freeAgain = 1024 * 1024;

export const costOf = (text: string, most = maxNodes): Cost => ({
  written: 0,
  copied: 0,
  again: freeAgain + 2 * text.length,
  most,
});

/** Characters of a text that count as one node more where an alias repeats it: each copy of a text is written out in what is compiled. */
const nodeLength = 16;

/** How many nodes a scalar counts as where an alias or a merge key repeats it. */
export const nodesOf = (scalar: unknown): number =>
  1 + (typeof scalar === "string" ? Math.floor(scalar.length / nodeLength) : 0);

export function countCopies(cost: Cost, nodes: number, offset: number): void {
  cost.copied += nodes;
  if (cost.copied > freeCopies + cost.written)
    throw new DocumentError(
      `aliases and merge keys add over ${freeCopies} nodes to the ${cost.written} that are written; write them out, or split the file`,
      offset,
      "too-large",
    );
}
