import type { Change, ChangeKind } from "./change.js";
import type { Detail } from "./leaves.js";

const headings: Readonly<Record<ChangeKind, string>> = {
  listener: "listeners",
  "server name": "server names",
  certificate: "certificates",
  host: "hosts",
  route: "hosts",
  cluster: "clusters",
  endpoints: "endpoints",
};

const signs = { added: "+", removed: "-", changed: "~" } as const;

/** Changes for people: `+` is new, `-` gone, `~` different. */
export function formatChanges(changes: readonly Change[]): string {
  if (changes.length === 0) return "no change for traffic\n";
  const lines: string[] = [];
  let [heading, host] = ["", ""];
  for (const change of changes) {
    if (headings[change.kind] !== heading) {
      heading = headings[change.kind];
      lines.push(heading);
    }
    const isRoute = change.kind === "route";
    if (isRoute && change.host !== host) lines.push(`  ~ ${change.host}`);
    host = change.host ?? "";
    const indent = isRoute ? "      " : "  ";
    lines.push(`${indent}${signs[change.change]} ${change.name}`);
    for (const detail of change.details) lines.push(`${indent}    ${formatDetail(detail, change)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Of what is new or gone as a whole, one side says all. */
function formatDetail({ what, before, after }: Detail, { change, kind }: Change): string {
  if (kind === "endpoints") return before === undefined ? `+ ${after}` : `- ${before}`;
  if (change !== "changed") return `${what}: ${before ?? after ?? ""}`;
  return `${what}: ${before ?? "(none)"} -> ${after ?? "(none)"}`;
}
