import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMain, root } from "./run.mjs";

/**
 * The colours of pictures. The background is opaque, so that a picture is readable on any page, also if the themes of
 * the page and of the system differ.
 */
const style = `.back{fill:#fff}text{fill:#17202c}.small{font-size:11px;fill:#4c5a6b}.area{fill:none;stroke:#9fb0c3;stroke-dasharray:5 4}
.box{fill:#f2f5f9;stroke:#9fb0c3}.core{fill:#e3edff;stroke:#6f97e0}.envoy{fill:#e6f5eb;stroke:#79b98f}.no{fill:#fdeaec;stroke:#d0616c}
.arrow{fill:none;stroke:#5a6b80;stroke-width:1.5}.head{fill:#5a6b80}
@media (prefers-color-scheme:dark){.back{fill:#0f141b}text{fill:#e8eef6}.small{fill:#a8b5c5}.area{stroke:#4c5c70}.box{fill:#1a222d;stroke:#4c5c70}
.core{fill:#17294a;stroke:#4a72ba}.envoy{fill:#143023;stroke:#468a62}.no{fill:#3a191d;stroke:#b04a55}.arrow{stroke:#93a5ba}.head{fill:#93a5ba}}`;

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** A box with a title and lines of small text; `kind` is its colour. */
function box(kind, x, y, width, title, ...lines) {
  const height = 30 + 16 * lines.length;
  const texts = lines.map(
    (line, i) => `<text class="small" x="${x + 12}" y="${y + 38 + 16 * i}">${escaped(line)}</text>`,
  );
  return `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>
<text x="${x + 12}" y="${y + 20}" font-weight="600">${escaped(title)}</text>
${texts.join("\n")}`;
}

/** A dashed frame around other parts. */
const area = (x, y, width, height, title) =>
  `<rect class="area" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>
<text class="small" x="${x + 10}" y="${y + 16}">${escaped(title)}</text>`;

/** An arrow along points, with a label beside its middle. */
function arrow(points, label = "", at = undefined) {
  const [first, ...rest] = points;
  const line = `M${first.join(" ")}${rest.map((point) => `L${point.join(" ")}`).join("")}`;
  const [x, y] = at ?? [(points[0][0] + points.at(-1)[0]) / 2 + 6, (points[0][1] + points.at(-1)[1]) / 2 - 6];
  return `<path class="arrow" d="${line}" marker-end="url(#head)"/>
${label === "" ? "" : `<text class="small" x="${x}" y="${y}">${escaped(label)}</text>`}`;
}

const picture = (
  width,
  height,
  title,
  ...parts
) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="${escaped(title)}">
<title>${escaped(title)}</title>
<style>${style}</style>
<defs><marker id="head" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto"><path class="head" d="M0 0L8 4L0 8Z"/></marker></defs>
<rect class="back" width="${width}" height="${height}" rx="10"/>
${parts.filter((part) => part !== "").join("\n")}
</svg>
`;

const architecture = () =>
  picture(
    860,
    330,
    "What runs where: sources, Isoline and Envoys",
    area(16, 16, 210, 298, "one of three sources"),
    box("box", 32, 44, 178, "Kubernetes API", "list once, then watch", "statuses are written back"),
    box("box", 32, 128, 178, "Pushes from CI", "isoline publish", "revisions, rollback"),
    box("box", 32, 212, 178, "Files", "followed on disk"),
    area(266, 16, 316, 298, "Isoline: Node server or Cloudflare Worker"),
    box("core", 282, 44, 284, "Read and check", "schemas; a bad edit keeps the good text"),
    box("core", 282, 108, 284, "Compile", "a unit for each host; only what changed"),
    box("core", 282, 172, 284, "Link", "versions by content; phases for each Envoy"),
    box("core", 282, 236, 284, "Serve", "REST-JSON xDS; each poll is held", "page, status, metrics, explain"),
    arrow([
      [424, 90],
      [424, 106],
    ]),
    arrow([
      [424, 154],
      [424, 170],
    ]),
    arrow([
      [424, 218],
      [424, 234],
    ]),
    arrow([
      [210, 66],
      [280, 66],
    ]),
    arrow([
      [210, 150],
      [246, 150],
      [246, 72],
      [280, 72],
    ]),
    arrow([
      [210, 234],
      [252, 234],
      [252, 78],
      [280, 78],
    ]),
    box("envoy", 664, 172, 176, "Envoy", "keeps what it has", "if Isoline is gone"),
    box("envoy", 664, 246, 176, "Envoy"),
    arrow(
      [
        [662, 204],
        [624, 204],
        [624, 262],
        [570, 262],
      ],
      "polls",
      [588, 250],
    ),
    arrow([
      [662, 264],
      [624, 264],
      [624, 276],
      [570, 276],
    ]),
    box("box", 664, 44, 176, "Clients"),
    box("box", 664, 100, 176, "Backends"),
    arrow([
      [840, 59],
      [852, 59],
      [852, 204],
      [842, 204],
    ]),
    arrow(
      [
        [752, 170],
        [752, 134],
      ],
      "requests",
      [760, 158],
    ),
  );

const phases = () => {
  const steps = [
    ["1  Clusters", "new clusters beside", "the old ones"],
    ["2  Endpoints", "the first endpoints of", "the new clusters"],
    ["3  Listeners and routes", "requests move from", "blue to green"],
    ["4  Removal", "clusters that no route", "uses any more"],
  ];
  const conditions = ["", "accepted", "accepted", "all Envoys have the routes"];
  const left = (i) => 16 + 213 * i;
  return picture(
    860,
    240,
    "How a change reaches an Envoy: in phases",
    '<text x="16" y="32" font-weight="600">A host moves from the Service blue to the Service green</text>',
    ...steps.map(([title, ...lines], i) => box(i === 2 ? "core" : "box", left(i), 50, 189, title, ...lines)),
    ...conditions.map((text, i) =>
      i === 0
        ? ""
        : `${arrow([
            [left(i) - 24, 81],
            [left(i) - 2, 81],
          ])}
<text class="small" x="${left(i) - 12}" y="132" text-anchor="middle">${text}</text>`,
    ),
    box(
      "envoy",
      16,
      152,
      828,
      "Each Envoy at its own pace",
      "An Envoy gets listeners and routes when it has accepted the clusters and their endpoints. It does not wait for other Envoys.",
      "An Envoy that refuses keeps what it has. No route of an Envoy is ever without its cluster, so no request is lost.",
    ),
  );
};

const tenancy = () =>
  picture(
    860,
    330,
    "Who may do what: namespaces, delegation and tokens",
    area(16, 16, 520, 298, "one configuration"),
    box("core", 32, 44, 224, "namespace roots", "operators: shop.example.com", "and its certificate"),
    box("box", 32, 160, 224, "namespace shop", "a team: routes of the whole host"),
    box("box", 296, 160, 224, "namespace blog", "a team: routes under /blog alone"),
    box(
      "no",
      32,
      250,
      488,
      "namespace other",
      "another team: gets nothing of the host: no route, no key, no connection",
    ),
    arrow(
      [
        [144, 108],
        [144, 158],
      ],
      "includes",
      [152, 138],
    ),
    arrow(
      [
        [256, 76],
        [408, 76],
        [408, 158],
      ],
      "includes, /blog",
      [416, 138],
    ),
    box("box", 600, 44, 244, "token publish", "one source, its namespaces"),
    box("box", 600, 108, 244, "token preview", "shows a change, makes none"),
    box("box", 600, 172, 244, "token read", "state without keys and secrets"),
    box("box", 600, 236, 244, "token node", "an Envoy: configuration with keys"),
    arrow(
      [
        [598, 67],
        [538, 67],
      ],
      "writes",
      [550, 60],
    ),
    arrow(
      [
        [598, 131],
        [538, 131],
      ],
      "asks",
      [552, 124],
    ),
    arrow(
      [
        [538, 195],
        [598, 195],
      ],
      "shows",
      [550, 188],
    ),
    arrow(
      [
        [538, 259],
        [598, 259],
      ],
      "serves",
      [550, 252],
    ),
  );

/** The pictures of the documentation, by path. */
export const pictures = () => ({
  "docs/architecture.svg": architecture(),
  "docs/phases.svg": phases(),
  "docs/tenancy.svg": tenancy(),
});

if (isMain(import.meta))
  for (const [path, text] of Object.entries(pictures())) writeFileSync(join(root, path), text);
