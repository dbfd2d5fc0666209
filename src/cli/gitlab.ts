import { findingSubject } from "../schema/finding-subject.js";
import { isShown, type Located } from "../sources/files/objects.js";
import { fingerprintsOf } from "./fingerprints.js";

/** A report of GitLab's Code Quality, which merge requests show next to the changed lines. */
export function gitlabReport(all: readonly Located[]): readonly object[] {
  const located = all.filter(isShown);
  const fingerprints = fingerprintsOf(located);
  return located.map(({ finding, file, line }, i) => ({
    description: [findingSubject(finding.about), finding.message].filter((part) => part !== "").join(": "),
    check_name: finding.reason,
    fingerprint: fingerprints[i],
    severity: finding.severity === "error" ? "major" : "minor",
    location: { path: file || ".", lines: { begin: Math.max(1, line) } },
  }));
}
