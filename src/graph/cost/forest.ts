import type { Ref } from "../../schema/meta.js";
import type { CostNode, Edge } from "./node.js";
import { nothing, plus, type Size, tooMuch } from "./size.js";

/** The compiler does not follow deeper includes either. */
const maxDepth = 64;
/**
 * The maximum number of visited objects for one tree with a circular include, whose paths have to be walked one by
 * one.
 */
const maxCircleVisits = 256;

/** A graph of objects and their includes. Circular includes are allowed. */
export class Forest {
  readonly #nodes = new Map<Ref, CostNode | undefined>();
  readonly #includers = new Map<Ref, Set<Ref>>();
  /** The size of an object with all its includes; `circle` if these lead to a circular include. */
  readonly #totals = new Map<Ref, Size | "circle" | "open">();
  /** The totals of the objects that lead to a circular include. */
  readonly #circles = new Map<Ref, Size>();
  /** The sum of the free sizes of all objects that an object leads to. */
  readonly #free = new Map<Ref, Size>();

  constructor(private readonly load: (ref: Ref) => CostNode | undefined) {}

  /** Reads a changed object again. Adds to `moved` the objects that it started or stopped including. */
  reload(ref: Ref, moved?: Set<Ref>): CostNode | undefined {
    const old = this.#nodes.get(ref)?.edges ?? [];
    const node = this.load(ref);
    if (node) this.#nodes.set(ref, node);
    else this.#nodes.delete(ref);
    if (old.length === 0 && !node?.edges.length) return node;
    const before = new Set(old.map(({ to }) => to));
    const after = new Set(node?.edges.map(({ to }) => to));
    for (const to of before) {
      if (after.has(to)) continue;
      this.#includers.get(to)?.delete(ref);
      moved?.add(to);
    }
    for (const to of after) {
      if (before.has(to)) continue;
      const includers = this.#includers.get(to);
      if (includers) includers.add(ref);
      else this.#includers.set(to, new Set([ref]));
      moved?.add(to);
    }
    return node;
  }

  /** Whether a change of an object may change a total. */
  has(ref: Ref): boolean {
    return this.#nodes.has(ref) || (this.#includers.get(ref)?.size ?? 0) > 0;
  }

  /** Returns these objects and all objects that lead to them, and drops their cached totals. */
  forgetAbove(refs: Iterable<Ref>): ReadonlySet<Ref> {
    const found = new Set(refs);
    for (const ref of found) {
      this.#totals.delete(ref);
      this.#circles.delete(ref);
      this.#free.delete(ref);
      for (const includer of this.#includers.get(ref) ?? []) found.add(includer);
    }
    return found;
  }

  node(ref: Ref): CostNode | undefined {
    const known = this.#nodes.get(ref);
    return known ?? (this.#nodes.has(ref) ? undefined : this.reload(ref));
  }

  /** The size of an object with all its includes. */
  total(ref: Ref): Size {
    const total = this.#totals.get(ref) ?? this.#count(ref);
    if (typeof total === "object") return total;
    const known = this.#circles.get(ref) ?? this.#aroundCircle(ref);
    this.#circles.set(ref, known);
    return known;
  }

  /**
   * An object with hosts is never part of a circle itself, so that each of its includes is counted with that include's
   * total.
   */
  #aroundCircle(ref: Ref): Size {
    const node = this.node(ref);
    if (!node?.isOwner) return this.#walk(ref);
    let sum = node.own;
    for (const edge of node.edges) if (this.#followed(edge)) sum = withEdge(sum, edge, this.total(edge.to));
    return sum;
  }

  /** An upper bound of the free sizes behind edges: an object behind several edges counts for each. */
  mostFree(edges: readonly Edge[]): Size {
    let sum = nothing;
    for (const edge of edges) {
      const known = this.#free.get(edge.to) ?? sumOf(this.reach([edge], new Set()));
      this.#free.set(edge.to, known);
      sum = plus(sum, known);
    }
    return sum;
  }

  /** The free sizes of the objects that are reachable through these edges only. */
  freeAlone(edges: readonly Edge[]): Size {
    let sum = nothing;
    const open = [...edges];
    const seen = new Set<Ref>();
    for (let edge = open.pop(); edge; edge = open.pop()) {
      const isAlone = this.#includers.get(edge.to)?.size === 1 && !seen.has(edge.to);
      const node = isAlone ? this.#followed(edge) : undefined;
      if (!node) continue;
      seen.add(edge.to);
      sum = plus(sum, node.free);
      for (const further of node.edges) open.push(further);
    }
    return sum;
  }

  /** Returns the objects behind edges that are not in `reached`, and adds them to it. */
  reach(edges: readonly Edge[], reached: Set<Ref>): CostNode[] {
    const found: CostNode[] = [];
    const open = [...edges];
    for (let edge = open.pop(); edge; edge = open.pop()) {
      const node = reached.has(edge.to) ? undefined : this.#followed(edge);
      if (!node) continue;
      reached.add(edge.to);
      found.push(node);
      for (const further of node.edges) open.push(further);
    }
    return found;
  }

  /** The target of an edge, unless it has hosts of its own: such an object is not included. */
  #followed({ to }: Edge): CostNode | undefined {
    const node = this.node(to);
    return node?.isOwner ? undefined : node;
  }

  /** Counts each object once, included ones first. Not recursive, because chains may be long. */
  #count(start: Ref): Size | "circle" {
    const stack = [this.#frame(start)];
    for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
      const edge = frame.edges[frame.next];
      const node = edge && this.#followed(edge);
      const total = node && this.#totals.get(node.ref);
      if (node && total === undefined) {
        stack.push(this.#frame(node.ref));
        continue;
      }
      frame.next++;
      if (edge && typeof total === "object") frame.sum = withEdge(frame.sum, edge, total);
      else if (total) frame.circle = true;
      if (edge) continue;
      this.#totals.set(frame.ref, frame.circle ? "circle" : frame.sum);
      stack.pop();
    }
    return this.#totals.get(start) as Size | "circle";
  }

  #frame(ref: Ref): { ref: Ref; edges: readonly Edge[]; next: number; sum: Size; circle: boolean } {
    this.#totals.set(ref, "open");
    const node = this.node(ref);
    return { ref, edges: node?.edges ?? [], next: 0, sum: node?.own ?? nothing, circle: false };
  }

  /** Walks all paths of a tree with a circular include. */
  #walk(start: Ref): Size {
    let left = maxCircleVisits;
    const walk = (ref: Ref, path: readonly Ref[]): Size => {
      const node = this.node(ref);
      let sum = node?.own ?? nothing;
      for (const edge of node?.edges ?? []) {
        const target = this.#followed(edge);
        if (!target || path.includes(target.ref) || path.length >= maxDepth) continue;
        const known = this.#totals.get(target.ref);
        if (typeof known !== "object" && left-- <= 0) return tooMuch;
        const total = typeof known === "object" ? known : walk(target.ref, [...path, target.ref]);
        sum = withEdge(sum, edge, total);
      }
      return sum;
    };
    return walk(start, [start]);
  }
}

const sumOf = (nodes: readonly CostNode[]): Size => nodes.reduce((sum, { free }) => plus(sum, free), nothing);

/** Each route of an included object gets the conditions of the include. */
const withEdge = (sum: Size, { times, perRoute }: Edge, total: Size): Size =>
  plus(plus(sum, total, times), perRoute, times * total.routes);
