import { printable } from "../schema/printable.js";

/**
 * Formats text of users as a code span of Markdown, also for table cells: it then creates no links, mentions or HTML.
 */
export function code(text: string): string {
  const plain = printable(text).replaceAll("|", "\\|");
  const fences = plain.match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(0, ...fences.map(({ length }) => length)) + 1);
  // Markdown drops one blank on each side of a span that has both.
  const pad = /^[` ]|[` ]$/.test(plain) || plain === "" ? " " : "";
  return `${fence}${pad}${plain}${pad}${fence}`;
}
