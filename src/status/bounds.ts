import type { Finding } from "../schema/meta.js";

/**
 * A status has room beside the object: etcd takes 1.5 MB for both. Kubernetes takes 32,768 characters for a message of a condition, and a
 * Gateway has up to 64 listeners with four conditions each.
 */
const maxText = 1024;
/** Errors, and as many warnings, that a condition lists one by one. */
const maxDetails = 25;

/** A text that fits a status; one that is cut off ends in `…`. */
export function clipped(text: string): string {
  if (text.length <= maxText) return text;
  const end = text.slice(0, maxText - 1);
  // The first half of a pair alone is no character.
  return `${/[\ud800-\udbff]$/.test(end) ? end.slice(0, -1) : end}…`;
}

/** Different messages in one text: as many as fit, and how many more there are. */
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

/** The first findings, and how many more there are. */
export const firstOf = (findings: readonly Finding[]): { first: readonly Finding[]; more: number } => ({
  first: findings.slice(0, maxDetails),
  more: Math.max(0, findings.length - maxDetails),
});
