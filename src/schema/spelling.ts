const maxDistance = 2;

/** The known kind that a misspelt one most likely stands for: it differs in case, or in at most two letters. */
export function nearestKind(kind: string, known: readonly string[]): string | undefined {
  if (kind.length > 40) return undefined;
  const word = kind.toLowerCase();
  return known.find((candidate) => distance(word, candidate.toLowerCase()) <= maxDistance);
}

const maxName = 60;
/** A name in lower case without separators, because spellings differ in these. */
export const plain = (name: string): string => name.toLowerCase().replace(/[-_.]/g, "");

/**
 * The known name that an unknown one most likely stands for: the one with the fewest changed letters, at most a third
 * of them, or one with the same beginning. `strict`: at most a sixth of the letters, and no common beginnings.
 */
export function nearestName(name: string, known: readonly string[], strict = false): string | undefined {
  if (name.length > maxName) return undefined;
  const word = plain(name);
  const limit = Math.floor(word.length / (strict ? 6 : 3));
  let best: { readonly candidate: string; readonly score: number } | undefined;
  for (const candidate of known) {
    const other = plain(candidate);
    const letters = distance(word, other);
    const begins = !strict && sharedStart(word, other) >= Math.max(5, word.length * 0.6);
    if (letters > limit && !begins) continue;
    const score = letters > limit ? limit + letters / maxName : letters;
    if (!best || score < best.score) best = { candidate, score };
  }
  return best?.candidate;
}

function sharedStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Levenshtein distance, where two letters in the wrong order count as one change. */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (before[j - 2] ?? 0) + 1 : replace;
      next.push(Math.min(replace, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
