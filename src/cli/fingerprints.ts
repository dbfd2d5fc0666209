import { createHash } from "node:crypto";
import { shownAbout } from "../schema/shown.js";
import type { Located } from "../sources/files/objects.js";

/**
 * What identifies a finding over time, so that neither moved lines nor entries before it in a list make a new one of it: its object, code,
 * field without indexes, and message without places. Findings that are the same in all of these are numbered.
 */
export function fingerprintsOf(located: readonly Located[]): readonly string[] {
  const counts = new Map<string, number>();
  return located.map(({ finding, file }) => {
    const { about, reason, path = "", message } = finding;
    const withoutPlaces = [path, message].map((text) =>
      text.replaceAll(/\[\d+\]/g, "[]").replaceAll(/:\d+\b/g, ""),
    );
    const identity = JSON.stringify([shownAbout(about) || file, reason, ...withoutPlaces]);
    const hash = createHash("sha256").update(identity).digest("hex").slice(0, 16);
    const count = (counts.get(hash) ?? 0) + 1;
    counts.set(hash, count);
    return `${hash}:${count}`;
  });
}
