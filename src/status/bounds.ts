import type { Finding } from "../schema/meta.js";

/**
 * etcd limits an object with its status to 1.5 MB. Kubernetes limits the message of a condition to 32,768 characters,
 * and a Gateway has up to 64 listeners with four conditions each.
 */
const maxText = 1024;
/** The maximum number of errors, and of warnings, that a condition lists. */
const maxDetails = 25;

/** A text with the length limit of a status; a truncated text ends in `…`. */
export function clipped(text: string): string {
  if (text.length <= maxText) return text;
  const end = text.slice(0, maxText - 1);
  // Half of a surrogate pair is not a character.
  return `${/[\ud800-\udbff]$/.test(end) ? end.slice(0, -1) : end}…`;
}

/** Joins distinct messages up to the length limit, and counts the others. */
export function joined(messages: Iterable<string>): string {
  const [first = "", ...rest] = new Set(messages);
  let text = clipped(first);
  for (const [i, message] of rest.entries()) {
    const longer = `${text}, ${message}`;
    if (longer.length > maxText) return `${text}, and ${rest.length - i} more`;
    text = longer;
  }
  return text;
}

/** The first findings, and the number of the others. */
export const firstOf = (findings: readonly Finding[]): { first: readonly Finding[]; more: number } => ({
  first: findings.slice(0, maxDetails),
  more: Math.max(0, findings.length - maxDetails),
});
