import { ingressHttps } from "../graph/core/listener-names.js";
import { plural } from "../schema/words.js";
import type { ChangeKind, ConfigChange } from "./change.js";
import { labelOf } from "./config-index.js";
import type { Detail } from "./leaves.js";
import type { RequestDifference } from "./requests.js";
import type { HostReview, Review, ReviewedChange } from "./review.js";
import type { RiskCode } from "./risk.js";

/** One line of a review. It contains text of users that is not escaped for an output yet. */
export interface Line {
  /** `+` is new, `-` removed, `~` changed. */
  readonly sign: "+" | "-" | "~" | "";
  readonly depth: number;
  readonly text: string;
  readonly risk?: readonly RiskCode[];
}

/** A group of lines: one host, or items of one kind. */
export interface Section {
  readonly title: string;
  readonly risk: readonly RiskCode[];
  readonly lines: readonly Line[];
}

const signs = { added: "+", removed: "-", changed: "~" } as const;
const maxRequests = 5;

const headings: Readonly<Partial<Record<ChangeKind, string>>> = {
  listener: "listeners",
  certificate: "certificates",
  cluster: "clusters",
  endpoints: "endpoints",
};

/** The sections of a review: hosts in order, then items without a host, by kind. */
export function sectionsOf({ hosts, others, rewritten }: Review): Section[] {
  const sections = hosts.map(hostSection);
  for (const [kind, title] of Object.entries(headings)) {
    const lines = others
      .filter((change) => change.kind === kind)
      .flatMap((change) => changeLines(change, change.name, 0));
    if (lines.length > 0) sections.push({ title, risk: [], lines });
  }
  if (rewritten.length > 0) sections.push(rewrittenSection(rewritten));
  return sections;
}

const rewrittenSection = (rewritten: Review["rewritten"]): Section => ({
  title: "written differently, same result for every request",
  risk: [],
  lines: rewritten.map(({ site, tried }) => ({
    sign: "",
    depth: 0,
    text: `${site}: ${plural(tried, "request")} that represent all others ${tried === 1 ? "is" : "are"} answered as before`,
  })),
});

function hostSection({ host, risk, changes, requests }: HostReview): Section {
  const lines: Line[] = [];
  let place = "";
  for (const change of changes) {
    const here = placeOf(change);
    if (change.kind === "route") {
      if (here !== place) lines.push({ sign: "~", depth: 0, text: here });
      lines.push(...changeLines(change, change.name, 1));
    } else lines.push(...changeLines(change, here, 0));
    place = here;
  }
  return { title: host, risk, lines: [...lines, ...requestLines(requests)] };
}

/** Scheme and port of the changed host. */
function placeOf({ kind, listener = "" }: ConfigChange): string {
  if (kind !== "server name") return labelOf(listener);
  return listener === ingressHttps ? "TLS" : `TLS (${labelOf(listener)})`;
}

const changeLines = (change: ReviewedChange, text: string, depth: number): Line[] => [
  { sign: signs[change.change], depth, text, risk: change.risk },
  ...change.details.map((detail) => detailLine(detail, change, depth + 2)),
];

/** An item that is new or removed has details on one side only. */
function detailLine({ what, before, after }: Detail, { change, kind }: ConfigChange, depth: number): Line {
  if (kind === "endpoints")
    return { sign: before === undefined ? "+" : "-", depth: depth - 1, text: before ?? after ?? "" };
  if (change !== "changed") return { sign: "", depth, text: `${what}: ${before ?? after ?? ""}` };
  return { sign: "", depth, text: `${what}: ${before ?? "(none)"} -> ${after ?? "(none)"}` };
}

/** Requests whose answer differs, without those that a change describes. */
function requestLines({ shown, differing, tried, complete }: HostReview["requests"]): Line[] {
  const undescribed = shown.filter(({ isDescribed }) => !isDescribed);
  if (undescribed.length === 0) {
    if (tried === 0 || differing > 0) return [];
    const scope = complete ? "" : " (there are others)";
    return [{ sign: "", depth: 0, text: `${plural(tried, "request")} tried${scope}: no answer differs` }];
  }
  const lines = undescribed.slice(0, maxRequests).flatMap(requestLinesOf);
  const rest = undescribed.length - maxRequests;
  const more: Line[] = rest > 0 ? [{ sign: "", depth: 1, text: `and ${plural(rest, "request")} more` }] : [];
  return [{ sign: "", depth: 0, text: "requests" }, ...lines, ...more];
}

const requestLinesOf = ({
  method,
  url,
  headers,
  before,
  after,
  details,
  risk,
}: RequestDifference): Line[] => [
  {
    sign: "~",
    depth: 1,
    text: `${method} ${url}${headers.map((header) => ` -H ${JSON.stringify(header)}`).join("")}`,
    risk,
  },
  ...(before.summary === after.summary
    ? []
    : [
        { sign: "-", depth: 2, text: before.summary } as const,
        { sign: "+", depth: 2, text: after.summary } as const,
      ]),
  ...details.map(
    ({ what, before: old, after: now }): Line => ({
      sign: "",
      depth: 3,
      text: `${what}: ${old ?? "(none)"} -> ${now ?? "(none)"}`,
    }),
  ),
];
