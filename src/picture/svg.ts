import type { HostNode } from "../explain/graph.js";
import { xmlText } from "../schema/printable.js";
import { drawn, type SvgElement } from "./draw.js";
import { laidOut } from "./layout.js";
import { type Beside, pictureOf } from "./model.js";

/** The maximum number of hosts in one SVG. */
export const maxDrawnHosts = 50;

/** The colours of an SVG file. The page has its own. */
export const svgStyle = `
.pic{background:#fff;font:12px ui-sans-serif,system-ui,sans-serif}
.pic rect{fill:#f6f8fb;stroke:#c3ccd8}
.pic-title{font-weight:600;fill:#17202c}.pic-line{font-size:10.5px;fill:#4c5a6b}.pic-label{font-size:10.5px;fill:#4c5a6b}
.pic-link path{stroke:#9fb0c3;stroke-width:1.5}
.pic-host rect{fill:#e8f0ff;stroke:#8fb0ee}.pic-cluster rect{fill:#eef8f1;stroke:#9bcfae}
.pic-warning rect{stroke:#b97900;stroke-width:2}.pic-error rect{stroke:#c62f3a;stroke-width:2}
@media (prefers-color-scheme:dark){.pic{background:#0f141b}.pic rect{fill:#1a222d;stroke:#3b4757}.pic-title{fill:#e8eef6}
.pic-line,.pic-label{fill:#a8b5c5}.pic-link path{stroke:#4c5c70}.pic-host rect{fill:#17294a;stroke:#3f66ab}.pic-cluster rect{fill:#143023;stroke:#3d7d58}
.pic-warning rect{stroke:#e0a33a}.pic-error rect{stroke:#ff6b75}}
`;

function written({ tag, attributes, children }: SvgElement): string {
  const pairs = Object.entries(attributes).map(([name, value]) => ` ${name}="${xmlText(String(value))}"`);
  const inner = children.map((child) => (typeof child === "string" ? xmlText(child) : written(child)));
  return `<${tag}${pairs.join("")}>${inner.join("")}</${tag}>`;
}

/** The pictures of hosts as one SVG document, one below the other. */
export function svgOf(hosts: readonly HostNode[], besideOf: (host: string) => Beside = () => ({})): string {
  const scenes = hosts.map((node) => laidOut(pictureOf(node, besideOf(node.host))));
  const width = Math.max(1, ...scenes.map((scene) => scene.width));
  let height = 0;
  const children = scenes.map((scene): SvgElement => {
    const at = height;
    height += scene.height;
    const { attributes, ...rest } = drawn(scene);
    return { ...rest, attributes: { ...attributes, y: at } };
  });
  const svg: SvgElement = {
    tag: "svg",
    attributes: { xmlns: "http://www.w3.org/2000/svg", width, height: Math.max(1, height), class: "pic" },
    children,
  };
  return `${written(svg).replace(/>/, `><style>${svgStyle}</style>`)}\n`;
}
