import type { Experiment } from "./experiment.js";
import type { Row } from "./report.js";

const begin = "<!-- table: written by npm run chaos -- --write -->";
const end = "<!-- end of the table -->";

const number = (value: number): string => value.toLocaleString("en");

/** ms for people; null means that it was not reached. */
function time(ms: number | null | undefined): string {
  if (ms === undefined) return "–";
  if (ms === null) return "never";
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

const recoveryOf = ({ recovery }: Experiment, row: Row): string =>
  recovery === undefined ? "–" : time(row.measures[recovery]);

/** The most serious violation; differences of the final state are omitted. */
function beforeCell(row: Row | undefined): string {
  if (!row) return "–";
  if (row.outcome === "passed") return "the same";
  const failed = row.failed > 0 ? [`${number(row.failed)} of ${number(row.requests)} requests failed`] : [];
  const others = row.problems.filter((problem) => !/^replica |requests failed/.test(problem));
  return [...failed, ...others.slice(0, 2)].join("; ") || "failed";
}

/** Each combination of circumstances of the rows, with its number. */
function circumstancesOf(rows: readonly Row[]): string[] {
  const found = new Map<string, number>();
  for (const { date, commit, node, envoy, machine } of rows) {
    const text = `${date}, commit ${commit}, Node ${node}, Envoy ${envoy}, ${machine}`;
    found.set(text, (found.get(text) ?? 0) + 1);
  }
  return [...found].map(
    ([text, count]) => `${text} (${count === 1 ? "1 experiment" : `${count} experiments`})`,
  );
}

/** The Markdown of the table, with the dates, versions and machines of its rows. */
export function tableOf(
  experiments: readonly Experiment[],
  rows: readonly Row[],
  before: readonly Row[],
): string {
  const lines = experiments.flatMap((experiment) => {
    const of = ({ name }: Row): boolean => name === experiment.name;
    const [row, earlierRow] = [rows.find(of), before.find(of)];
    if (!row && !earlierRow) return [];
    const earlier = beforeCell(earlierRow);
    const result = row?.outcome === "passed" ? "passed" : `**${row?.outcome ?? "not run"}**`;
    const counts = row
      ? [number(row.requests), number(row.failed), recoveryOf(experiment, row), number(row.apiRequests)]
      : ["–", "–", "–", "–"];
    return `| \`${experiment.name}\` | ${[experiment.what, experiment.right, result, ...counts, earlier].join(" | ")} |`;
  });
  const head = ["experiment", "what fails", "what happens", "result", "requests", "failed", "recovery"];
  const columns = [...head, "requests to the API server", "before"];
  return [
    begin,
    `| ${columns.join(" | ")} |`,
    `|${columns.map(() => "---|").join("")}`,
    ...lines,
    "",
    `Run: ${circumstancesOf(rows).join("; ") || "–"}.`,
    `Before: ${circumstancesOf(before).join("; ") || "–"}.`,
    end,
  ].join("\n");
}

/**
 * Replaces the table in a document.
 *
 * @throws Error when the document has no table.
 */
export function withTable(document: string, table: string): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error("the document has no place for the table");
  return document.slice(0, from) + table + document.slice(to + end.length);
}
