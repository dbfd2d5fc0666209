import type { Finding } from "./meta.js";

/** Findings of one severity and type about one object that are listed; the rest is only told of. */
const maxAlike = 100;
/** Characters of a message; some quote what users wrote. */
const maxMessage = 2000;

/** Collects findings, as many and as long as somebody may want to read. */
export class FindingList {
  readonly #counts = new Map<string, number>();
  readonly #list: Finding[] = [];

  get list(): readonly Finding[] {
    return this.#list;
  }

  add(finding: Finding): void {
    const { about, severity, type, message } = finding;
    const key = `${about} ${severity} ${type}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count <= maxAlike)
      this.#list.push(
        message.length > maxMessage ? { ...finding, message: `${message.slice(0, maxMessage)}…` } : finding,
      );
    else if (count === maxAlike + 1) {
      const more = `there are more ${severity}s of this kind than ${maxAlike}; the others are not listed`;
      this.#list.push({ about, severity, type, reason: "TooManyFindings", message: more });
    }
  }
}

/** As many findings as a `FindingList` holds. */
export function boundedFindings(findings: Iterable<Finding>): readonly Finding[] {
  const list = new FindingList();
  for (const finding of findings) list.add(finding);
  return list.list;
}
