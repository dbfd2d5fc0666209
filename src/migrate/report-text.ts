import { printable } from "../schema/printable.js";
import { plural } from "../schema/words.js";
import type { HostReport, MigrationReport, ShownRemark } from "./report.js";

const shownHost = (host: string): string => (host === "*" ? "any host" : host);

/** The report for a terminal. */
export function reportText(report: MigrationReport): string {
  const lines = report.hosts.flatMap((host) => [
    `${shownHost(host.host)}: ${countsOf(host)}`,
    ...host.remarks.flatMap((remark) => remarkLines(remark).map((line) => `  ${line}`)),
  ]);
  if (report.others.length > 0)
    lines.push(
      "of no one host:",
      ...report.others.flatMap((remark) => remarkLines(remark).map((line) => `  ${line}`)),
    );
  for (const { object, reason } of report.leftOut) lines.push(`left out: ${object}: ${reason}`);
  lines.push(summaryOf(report));
  return lines.map((line) => `${printable(line)}\n`).join("");
}

const countsOf = ({ routes, same, closed }: HostReport): string =>
  [plural(routes, "route"), `${same} the same`, ...(closed > 0 ? [`${closed} closed`] : [])].join(", ");

function remarkLines({ severity, about, path, message, todo, more }: ShownRemark): string[] {
  const where = [about === "File//" ? "" : about, path].filter((word) => word !== "").join(" ");
  const others = more > 0 ? ` (and ${plural(more, "place")} more)` : "";
  return [
    `${severity}: ${where === "" ? "" : `${where}: `}${message}${others}`,
    ...(todo === undefined ? [] : [`  to do: ${todo}`]),
  ];
}

export function summaryOf({ objects, counts, kept, noRoutes, leftOut, hosts }: MigrationReport): string {
  const made = new Set(objects.flatMap(({ results }) => results)).size;
  return [
    `${plural(objects.length, "object")} of ${plural(hosts.length, "host")} converted to ${made}`,
    ...(kept > 0 ? [`${kept} kept as they are`] : []),
    ...(noRoutes > 0 ? [`${noRoutes} without routes`] : []),
    ...(leftOut.length > 0 ? [`${leftOut.length} left out`] : []),
    `${plural(counts.error, "error")}, ${plural(counts.warning, "warning")}, ${counts.info} of information`,
  ].join("; ");
}

const cell = (text: string): string =>
  printable(text).replace(/[\\`*_<>|[\]#&]/g, (one) => `&#${one.charCodeAt(0)};`);

/** The report for a pull request or a page. */
export function reportMarkdown(report: MigrationReport): string {
  const lines = [
    "# Migration",
    "",
    summaryOf(report),
    "",
    "| host | routes | the same | closed | worst |",
    "|---|---|---|---|---|",
  ];
  for (const { host, routes, same, closed, worst } of report.hosts)
    lines.push(`| ${cell(shownHost(host))} | ${routes} | ${same} | ${closed} | ${worst} |`);
  for (const { host, remarks } of report.hosts) {
    if (remarks.length === 0) continue;
    lines.push("", `## ${cell(shownHost(host))}`, "", ...remarks.map(item));
  }
  if (report.others.length > 0) lines.push("", "## Of no one host", "", ...report.others.map(item));
  if (report.leftOut.length > 0)
    lines.push(
      "",
      "## Left out",
      "",
      ...report.leftOut.map(({ object, reason }) => `- ${cell(object)}: ${cell(reason)}`),
    );
  return `${lines.join("\n")}\n`;
}

function item({ severity, about, path, message, todo, more }: ShownRemark): string {
  const where = [about === "File//" ? "" : about, path].filter((word) => word !== "").join(" ");
  return [
    `- **${severity}** ${cell(where)}${where === "" ? "" : ": "}${cell(message)}`,
    more > 0 ? ` (and ${plural(more, "place")} more)` : "",
    todo === undefined ? "" : `. To do: ${cell(todo)}`,
  ].join("");
}

export const reportJson = (report: MigrationReport): string => `${JSON.stringify(report, null, 2)}\n`;
