import { createHash } from "node:crypto";
import { findingSubject } from "../schema/finding-subject.js";
import type { Located } from "../sources/files/objects.js";

/**
 * Identifies findings over time: moved lines or new list entries before it do not change the fingerprint of a finding.
 * It consists of object, code, field without indexes, and message without places. Equal findings are numbered.
 */
export function fingerprintsOf(located: readonly Located[]): readonly string[] {
  const counts = new Map<string, number>();
  return located.map(({ finding, file }) => {
    const { about, reason, path = "", message } = finding;
    const withoutPlaces = [path, message].map((text) =>
      text.replaceAll(/\[\d+\]/g, "[]").replaceAll(/:\d+\b/g, ""),
    );
    const identity = JSON.stringify([findingSubject(about) || file, reason, ...withoutPlaces]);
    const hash = createHash("sha256").update(identity).digest("hex").slice(0, 16);
    const count = (counts.get(hash) ?? 0) + 1;
    counts.set(hash, count);
    return `${hash}:${count}`;
  });
}
