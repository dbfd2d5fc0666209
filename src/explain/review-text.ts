import { printable } from "../schema/printable.js";
import { plural } from "../schema/words.js";
import { changesIn, type Review } from "./review.js";
import { type Line, type Section, sectionsOf } from "./review-lines.js";
import type { RiskCode } from "./risk.js";

/** Texts about a comparison in addition to the review. */
export interface Remarks {
  /** A line for each object or value that could not be compared, with the reason. */
  readonly uncompared: readonly string[];
  /** Descriptions of text that is written differently; may be empty. */
  readonly rewritten: readonly string[];
}

const maxTitles = 5;

/** A review for people, in a terminal. */
export function formatReview(review: Review, { uncompared, rewritten }: Remarks): string {
  const lines = uncompared.length > 0 ? ["not compared", ...uncompared.map((line) => `  ? ${line}`)] : [];
  for (const { title, risk, lines: own } of sectionsOf(review))
    lines.push(`${title}${marks(risk)}`, ...own.map(textOf));
  if (changesIn(review).length === 0) lines.push(unchanged({ uncompared, rewritten }));
  return lines.map((line) => `${printable(line)}\n`).join("");
}

/** One line that reports no change. */
export function unchanged({ uncompared, rewritten }: Remarks): string {
  const what = uncompared.length > 0 ? "no other change for traffic" : "no change for traffic";
  return rewritten.length > 0 ? `${what}; written differently: ${listed(rewritten)}` : what;
}

const listed = (all: readonly string[]): string =>
  all.length <= maxTitles
    ? all.join(", ")
    : `${all.slice(0, maxTitles).join(", ")} and ${all.length - maxTitles} more`;

const marks = (risk: readonly RiskCode[] = []): string => (risk.length > 0 ? `  [${risk.join(", ")}]` : "");

const textOf = ({ sign, depth, text, risk }: Line): string =>
  `${"  ".repeat(depth + 1)}${sign === "" ? "" : `${sign} `}${text}${marks(risk)}`;

const maxCharacters = 65_536;
/** Limit of a line, and of the list of items that could not be compared, in a comment. */
const maxLine = 500;
const maxUncompared = 20;
/** Limit of that list in characters. */
const maxUncomparedSize = 16_000;
/** Limit of the lines of one section, in characters. */
const maxSection = 8000;

/** Identifies the comment of an earlier run. */
const marker = "<!-- isoline diff -->";

/**
 * A review as a comment of a pull request: GitHub's Markdown of at most `limit` UTF-8 bytes (GitHub's limit is 65,536
 * characters). Text of users is in HTML's `code` with special characters escaped, or in a fence longer than any
 * inside, so that it is never interpreted.
 */
export function markdownReview(
  review: Review,
  { uncompared, rewritten }: Remarks,
  limit = maxCharacters,
): string {
  const changes = changesIn(review);
  const head = [marker, `### ${headline(review, changes.length)}`, ""];
  if (changes.length === 0 && rewritten.length > 0)
    head.push(`Written differently: ${listed(rewritten.map(code))}`, "");
  if (uncompared.length > 0) {
    head.push("**Not compared**, effect on traffic unknown:", "");
    const listed = firstOf(uncompared.slice(0, maxUncompared).map(code), maxUncomparedSize);
    head.push(...listed.map((line) => `- ${line}`));
    if (uncompared.length > listed.length) head.push(`- and ${uncompared.length - listed.length} more`);
    head.push("");
  }
  return fitted(head.join("\n"), sectionsOf(review).map(detailsOf), limit);
}

/** The first lines that have at most `limit` characters together. */
function firstOf(lines: readonly string[], limit: number): readonly string[] {
  let size = 0;
  const end = lines.findIndex((line) => {
    size += line.length;
    return size > limit;
  });
  return end < 0 ? lines : lines.slice(0, end);
}

function headline({ hosts, rewritten }: Review, changes: number): string {
  const same = rewritten.length > 0 ? `, ${plural(rewritten.length, "host")} written differently` : "";
  if (changes === 0) return `No change for traffic${same}`;
  const risky = hosts.filter(({ risk }) => risk.length > 0).length;
  const marked = risky > 0 ? `, ${risky} with risk marks` : "";
  return `${plural(changes, "change")} for traffic, ${plural(hosts.length, "host")}${marked}${same}`;
}

/** The sections that fit, with a line about the number of the others. */
function fitted(head: string, sections: readonly string[], limit: number): string {
  const encoder = new TextEncoder();
  const sizeOf = (text: string): number => encoder.encode(text).length;
  const cut = (count: number): string =>
    `\n**Cut**: ${plural(count, "section")} more ${count === 1 ? "does" : "do"} not fit here; \`isoline diff\` prints all.\n`;
  const room = limit - sizeOf(cut(sections.length));
  const kept = [head];
  let size = sizeOf(head);
  for (const [i, section] of sections.entries()) {
    size += sizeOf(section);
    if (size > room) return kept.join("") + cut(sections.length - i);
    kept.push(section);
  }
  return kept.join("");
}

/** A folded section with its lines in a fence, where GitHub colours new and removed lines. */
function detailsOf({ title, risk, lines }: Section): string {
  const body = shortList(lines);
  const longest = Math.max(
    2,
    ...body.flatMap((line) => (line.match(/`+/g) ?? []).map(({ length }) => length)),
  );
  const fence = "`".repeat(longest + 1);
  const badges = risk.length > 0 ? ` — ${risk.map((one) => `<b>${one}</b>`).join(", ")}` : "";
  return `\n<details><summary>${code(title)}${badges}</summary>\n\n${fence}diff\n${body.join("\n")}\n${fence}\n\n</details>\n`;
}

/**
 * The first lines of a section, with a limit so that it does not fill a whole comment; lines with risk marks come
 * first.
 */
function shortList(lines: readonly Line[]): readonly string[] {
  const texts = lines.map(diffLine);
  const isRisky = (i: number): boolean => (lines[i]?.risk?.length ?? 0) > 0;
  const kept = new Set<number>();
  let size = 0;
  for (const risky of [true, false])
    for (const [i, text] of texts.entries()) {
      if (isRisky(i) !== risky) continue;
      size += text.length;
      if (size > maxSection) break;
      kept.add(i);
    }
  const first = texts.filter((_, i) => kept.has(i));
  const more = texts.length - first.length;
  return more === 0 ? first : [...first, `  and ${plural(more, "line")} more`];
}

const diffLine = ({ sign, depth, text, risk }: Line): string =>
  `${sign === "" || sign === "~" ? " " : sign} ${"  ".repeat(depth)}${sign === "~" ? "~ " : ""}${shortened(printable(text))}${marks(risk)}`;

const shortened = (text: string): string =>
  text.length > maxLine ? `${[...text].slice(0, maxLine).join("")}…` : text;

/** Text with every special character of HTML or Markdown as a character reference. */
const code = (text: string): string =>
  `<code>${shortened(printable(text)).replace(/[^\p{L}\p{N} ./,-]/gu, (one) => `&#${one.codePointAt(0)};`)}</code>`;
