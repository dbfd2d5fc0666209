import { Graph, layout } from "@dagrejs/dagre";
import type { Link, Part, Picture } from "./model.js";

/** A part with its place, in units of one pixel. */
export interface Box extends Part {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** As they fit into the width. */
  readonly shownTitle: string;
  readonly shownLines: readonly string[];
}

export interface Scene {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly arrows: readonly (Link & { readonly start: Point; readonly end: Point })[];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Of the fonts that a picture is drawn with: no text is measured, as pictures are also made where there is no screen. */
const titleWidth = 7.3;
const lineWidth = 6.2;
export const lineHeight = 15;
export const padding = 10;
const titleHeight = 18;
const maxChars: Readonly<Record<Part["kind"], number>> = {
  listener: 26,
  host: 34,
  route: 44,
  cluster: 30,
  endpoints: 26,
};
const margin = 12;

const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

function sized(part: Part): Omit<Box, "x" | "y"> {
  const most = maxChars[part.kind];
  const shownTitle = cut(part.title, most);
  const shownLines = part.lines.map((line) => cut(line, Math.floor((most * titleWidth) / lineWidth)));
  const longest = Math.max(
    shownTitle.length * titleWidth,
    ...shownLines.map(({ length }) => length * lineWidth),
  );
  return {
    ...part,
    shownTitle,
    shownLines,
    width: Math.ceil(Math.max(90, longest + 2 * padding)),
    height: titleHeight + shownLines.length * lineHeight + padding,
  };
}

/** Gives the parts of a picture their places: from left to right, routes from top to bottom in the order in which they are tried. */
export function laidOut(picture: Picture): Scene {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 12, ranksep: 64, marginx: margin, marginy: margin });
  graph.setDefaultEdgeLabel(() => ({}));
  const boxes = picture.parts.map(sized);
  for (const { id, width, height } of boxes) graph.setNode(id, { width, height });
  for (const { from, to } of picture.links) graph.setEdge(from, to, {});
  layout(graph);
  const placed = inOrder(
    boxes.map((box): Box => {
      const { x = 0, y = 0 } = graph.node(box.id) as { x?: number; y?: number };
      return { ...box, x: x - box.width / 2, y: y - box.height / 2 };
    }),
  );
  const byId = new Map(placed.map((box) => [box.id, box]));
  const arrows = picture.links.flatMap((link) => {
    const [from, to] = [byId.get(link.from), byId.get(link.to)];
    if (!from || !to) return [];
    return [
      {
        ...link,
        start: { x: from.x + from.width, y: from.y + from.height / 2 },
        end: { x: to.x, y: to.y + to.height / 2 },
      },
    ];
  });
  return {
    title: picture.title,
    width: Math.ceil(Math.max(0, ...placed.map(({ x, width }) => x + width)) + margin),
    height: Math.ceil(Math.max(0, ...placed.map(({ y, height }) => y + height)) + margin),
    boxes: placed,
    arrows,
  };
}

/** The layout avoids crossings; the order of routes has a meaning, so it wins: they are stacked in it over the same space, one left edge. */
function inOrder(boxes: readonly Box[]): Box[] {
  const routes = boxes.filter(({ kind }) => kind === "route");
  const ordered = [...routes].sort((a, b) => placeOf(a) - placeOf(b) || (a.id < b.id ? -1 : 1));
  const left = Math.min(...routes.map(({ x }) => x));
  const top = Math.min(...routes.map(({ y }) => y));
  const bottom = Math.max(...routes.map(({ y, height }) => y + height));
  const used = routes.reduce((sum, { height }) => sum + height, 0);
  const gap = routes.length > 1 ? Math.max(12, (bottom - top - used) / (routes.length - 1)) : 0;
  let y = top;
  const at = new Map<string, { x: number; y: number }>();
  for (const box of ordered) {
    at.set(box.id, { x: left, y });
    y += box.height + gap;
  }
  return boxes.map((box) => ({ ...box, ...at.get(box.id) }));
}

const placeOf = ({ route, id }: Box): number =>
  route ? route.index : id.endsWith(" more") ? Number.POSITIVE_INFINITY : 0;
