import { type Box, lineHeight, padding, type Scene } from "./layout.js";

/** An SVG element. Its text is not escaped yet. */
export interface SvgElement {
  readonly tag: "svg" | "g" | "rect" | "path" | "text" | "title" | "circle";
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly children: readonly (SvgElement | string)[];
}

const element = (
  tag: SvgElement["tag"],
  attributes: SvgElement["attributes"],
  ...children: readonly (SvgElement | string)[]
): SvgElement => ({ tag, attributes, children });

/** Signs in addition to the colours, for readers who can't distinguish the colours. */
const marks = { plain: "", warning: "! ", error: "✕ " } as const;

function drawnBox(box: Box): SvgElement {
  const { x, y, width, height, kind, level, title, lines, shownTitle, shownLines, id } = box;
  const texts = shownLines.map((line, i) =>
    element("text", { class: "pic-line", x: x + padding, y: y + 18 + (i + 1) * lineHeight }, line),
  );
  return element(
    "g",
    { class: `pic-box pic-${kind} pic-${level}`, "data-part": id },
    element("title", {}, [title, ...lines].join("\n")),
    element("rect", { x, y, width, height, rx: 7 }),
    element("text", { class: "pic-title", x: x + padding, y: y + 18 }, marks[level] + shownTitle),
    ...texts,
  );
}

function drawnArrow({ start, end, label }: Scene["arrows"][number]): SvgElement {
  const middle = (end.x - start.x) / 2;
  const path = `M${start.x},${start.y} C${start.x + middle},${start.y} ${end.x - middle},${end.y} ${end.x},${end.y}`;
  const text =
    label === undefined
      ? []
      : [element("text", { class: "pic-label", x: end.x - 6, y: end.y - 5, "text-anchor": "end" }, label)];
  return element("g", { class: "pic-link" }, element("path", { d: path, fill: "none" }), ...text);
}

/** The picture of a host as SVG elements with classes; colours come from a style sheet. */
export function drawn(scene: Scene): SvgElement {
  const { width, height, boxes, arrows, title } = scene;
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: "pic",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": `Route graph of ${title}: from listeners by routes to endpoints. The same is in the table of routes.`,
    },
    ...arrows.map(drawnArrow),
    ...boxes.map(drawnBox),
  );
}
