import type { Located } from "../sources/files/objects.js";

/** Maximum number of further places in a message. */
const maxPlaces = 3;

/** Merges equal findings about one object, or one file, to one that names all places: they have one cause. */
export function oneForEachCause(located: readonly Located[]): readonly Located[] {
  const groups = new Map<string, Located[]>();
  for (const one of located) {
    const { about, severity, reason, message } = one.finding;
    const key = JSON.stringify([about, one.file, severity, reason, message]);
    const same = groups.get(key);
    if (same) same.push(one);
    else groups.set(key, [one]);
  }
  return [...groups.values()].flatMap(([first, ...others]) => (first ? withPlaces(first, others) : []));
}

function withPlaces(first: Located, others: readonly Located[]): Located {
  const places = [...new Set(others.map(placeOf))].filter((place) => place !== placeOf(first));
  if (places.length === 0) return first;
  const more = places.length - maxPlaces;
  const named = [...places.slice(0, maxPlaces), ...(more > 0 ? [`${more} more`] : [])];
  const message = `${first.finding.message} (also ${named.join(", ")})`;
  return { ...first, finding: { ...first.finding, message } };
}

const placeOf = ({ finding: { path }, line }: Located): string => path ?? `line ${line}`;
