const maxDistance = 2;

/** The kind that a misspelt one was meant for: equal but for case, or at most two letters off. */
export function nearestKind(kind: string, known: readonly string[]): string | undefined {
  if (kind.length > 40) return undefined;
  const word = kind.toLowerCase();
  return known.find((candidate) => distance(word, candidate.toLowerCase()) <= maxDistance);
}

/** Levenshtein distance. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
