import { Graph, layout } from "@dagrejs/dagre";
import type { Link, Picture, PicturePart } from "./model.js";

/** A part with its position and size in pixels. */
export interface Box extends PicturePart {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** The title and the lines, cut to the maximum width of a box. */
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

/**
 * Estimated widths of a character in pixels. Text is not measured, because pictures are also made without a browser.
 */
const titleWidth = 7.9;
const lineWidth = 6.4;
export const lineHeight = 15;
export const padding = 10;
const titleHeight = 18;
const maxChars: Readonly<Record<PicturePart["kind"], number>> = {
  listener: 26,
  host: 34,
  route: 44,
  cluster: 30,
  endpoints: 26,
};
const margin = 12;

const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

function sized(part: PicturePart): Omit<Box, "x" | "y"> {
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

/**
 * Positions the parts of a picture: from left to right, and the routes from top to bottom in the order in which Envoy
 * tries them.
 */
export function laidOut(picture: Picture): Scene {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 12, ranksep: 64, marginx: margin, marginy: margin });
  graph.setDefaultEdgeLabel(() => ({}));
  const boxes = sameWidths(picture.parts.map(sized));
  for (const { id, width, height } of boxes) graph.setNode(id, { width, height });
  for (const { from, to } of picture.links) graph.setEdge(from, to, {});
  layout(graph);
  const placed = inOrder(
    boxes.map((box): Box => {
      const { x = 0, y = 0 } = graph.node(box.id) as { x?: number; y?: number };
      return { ...box, x: x - box.width / 2, y: y - box.height / 2 };
    }),
    picture.links,
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

/** Gives all boxes of a kind the same width, so that columns have straight edges. */
function sameWidths<T extends Pick<Box, "kind" | "width">>(boxes: readonly T[]): T[] {
  const widest = new Map<string, number>();
  for (const { kind, width } of boxes) widest.set(kind, Math.max(width, widest.get(kind) ?? 0));
  return boxes.map((box) => ({ ...box, width: widest.get(box.kind) ?? box.width }));
}

const gap = 12;

/**
 * The layout reorders boxes to avoid crossings, but the order of routes matters. This function stacks the routes in
 * their order, and each cluster with its endpoints by the mean position of the routes that lead to it.
 */
function inOrder(boxes: readonly Box[], links: readonly Link[]): Box[] {
  const routes = boxes.filter(({ kind }) => kind === "route").sort((a, b) => placeOf(a) - placeOf(b));
  const routePlace = new Map(routes.map(({ id }, i) => [id, i]));
  const clusters = boxes.filter(({ kind }) => kind === "cluster");
  const meanOf = ({ id }: Box): number => {
    const from = links.filter(({ to }) => to === id).map((link) => routePlace.get(link.from) ?? -1);
    return from.reduce((sum, place) => sum + place, 0) / Math.max(1, from.length);
  };
  const endpointsBeside = (cluster: Box): Box | undefined => {
    const target = links.find(({ from }) => from === cluster.id)?.to;
    return boxes.find(({ id }) => id === target);
  };
  const rows = [...clusters]
    .map((cluster) => ({ cluster, mean: meanOf(cluster), endpoints: endpointsBeside(cluster) }))
    .sort((a, b) => a.mean - b.mean);
  const columns = [
    routes.map((box) => [box]),
    rows.map(({ cluster, endpoints }) => (endpoints ? [cluster, endpoints] : [cluster])),
  ];
  const middle = Math.max(...columns.map(heightOf)) / 2 + margin;
  const at = new Map<string, number>();
  for (const column of columns) {
    let y = middle - heightOf(column) / 2;
    for (const row of column) {
      const height = Math.max(...row.map((box) => box.height));
      for (const box of row) at.set(box.id, y + (height - box.height) / 2);
      y += height + gap;
    }
  }
  return boxes.map((box) => ({ ...box, y: at.get(box.id) ?? box.y - middleOf(boxes) + middle }));
}

const heightOf = (column: readonly (readonly Box[])[]): number =>
  column.reduce((sum, row) => sum + Math.max(...row.map(({ height }) => height)) + gap, -gap);

/** The vertical middle of all boxes after the layout. */
const middleOf = (boxes: readonly Box[]): number =>
  (Math.min(...boxes.map(({ y }) => y)) + Math.max(...boxes.map(({ y, height }) => y + height))) / 2;

/** The sort key of a route: its index in its table. The box for omitted routes is last. */
const placeOf = ({ route, id, y }: Box): number =>
  route ? route.index : id.endsWith(" more") ? Number.POSITIVE_INFINITY : y;
