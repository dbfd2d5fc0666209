import type { Finding } from "./meta.js";

/** The limit of listed findings with one object, severity and type; one more finding reports that others exist. */
const maxAlike = 100;
/** The limit of characters in a message: messages may quote text from manifests. */
const maxMessage = 2000;

/** Collects findings, with limits on their number and on the length of messages. */
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
      const more = `there are more than ${maxAlike} ${severity}s of this type; the others are not listed`;
      this.#list.push({ about, severity, type, reason: "TooManyFindings", message: more });
    }
  }
}
