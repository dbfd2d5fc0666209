import type { HostNode } from "../explain/graph.js";
import { type Beside, type PicturePart, pictureOf } from "./model.js";

const quoted = (text: string): string =>
  `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\r?\n/g, "\\n")}"`;

const shapes: Readonly<Record<PicturePart["kind"], string>> = {
  listener: "cds",
  host: "house",
  route: "box",
  cluster: "component",
  endpoints: "note",
};
const colours: Readonly<Record<PicturePart["level"], string>> = {
  plain: "black",
  warning: "orange3",
  error: "red3",
};

/** Hosts as one graph in Graphviz's DOT language. */
export function dotOf(hosts: readonly HostNode[], besideOf: (host: string) => Beside = () => ({})): string {
  const lines = ["digraph isoline {", "  rankdir=LR;", '  node [fontname="sans-serif" fontsize=10];'];
  for (const node of hosts) {
    const { parts, links } = pictureOf(node, besideOf(node.host));
    for (const { id, kind, level, title, lines: more } of parts)
      lines.push(
        `  ${quoted(id)} [shape=${shapes[kind]} color=${colours[level]} label=${quoted([title, ...more].join("\n"))}];`,
      );
    for (const { from, to, label } of links)
      lines.push(
        `  ${quoted(from)} -> ${quoted(to)}${label === undefined ? "" : ` [label=${quoted(label)}]`};`,
      );
  }
  return `${[...lines, "}"].join("\n")}\n`;
}
