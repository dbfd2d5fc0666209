import { printable } from "../schema/printable.js";

/**
 * Text of users as a code span of Markdown, also in the cell of a table: in one, neither links nor mentions nor HTML come of it.
 */
export function code(text: string): string {
  const plain = printable(text).replaceAll("|", "\\|");
  const fences = plain.match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(0, ...fences.map(({ length }) => length)) + 1);
  // One blank on each side is dropped from a span that has both.
  const pad = /^[` ]|[` ]$/.test(plain) || plain === "" ? " " : "";
  return `${fence}${pad}${plain}${pad}${fence}`;
}
