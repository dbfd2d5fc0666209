import type { Review } from "../explain/review.js";
import { findingSubject } from "../schema/finding-subject.js";
import type { Ref } from "../schema/meta.js";
import { isSame } from "../schema/same.js";
import { plural } from "../schema/words.js";
import { countHidden } from "../server/hidden.js";
import type { Located } from "../sources/files/objects.js";
import type { CompiledPaths } from "./compiled.js";
import type { ForeignConfig } from "./config-file.js";

/** A side that is ready for comparison. */
export interface ComparedSide extends ForeignConfig {
  /** Absent where another process compiled it. */
  readonly compiled?: CompiledPaths;
  /** Whether all objects are known. */
  readonly isLive: boolean;
}

/** An item whose effect on traffic is not known. */
export interface Uncompared {
  /** The object; empty for other items. */
  readonly about: Ref | "";
  readonly side: "before" | "after" | "both";
  /**
   * `invalid`: not valid on a side. `assumed`: not among the files. `hidden`: not shown by a server. `untried`: too
   * many requests.
   */
  readonly reason: "invalid" | "assumed" | "hidden" | "untried";
  readonly message: string;
}

const where = { before: "before", after: "after", both: "before and after" } as const;

/** One line per item. */
export const formatUncompared = (all: readonly Uncompared[]): string[] =>
  all.map(({ about, side, reason, message }) => {
    const what = reason === "invalid" ? `not valid ${where[side]}: ${message}` : message;
    return about === "" ? what : `${about}: ${what}`;
  });

/** Objects that are not valid on a side and may differ between the sides. */
export function uncomparedIn({ compiled: a }: ComparedSide, { compiled: b }: ComparedSide): Uncompared[] {
  const [before, after] = [errorsOf(a), errorsOf(b)];
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((key): Uncompared[] => {
    const [wrong, stillWrong] = [before.get(key)?.finding, after.get(key)?.finding];
    const finding = stillWrong ?? wrong;
    if (!finding) return [];
    const { about } = finding;
    // The same invalid object with the same error on both sides changes nothing.
    if (wrong && stillWrong && isUnchanged(about, a, b) && wrong.message === stillWrong.message) return [];
    const side = wrong && stillWrong ? "both" : wrong ? "before" : "after";
    const path = finding.path ? `${finding.path} ` : "";
    const message = `${path}${finding.message}`;
    if (findingSubject(about) !== "") return [{ about, side, reason: "invalid", message }];
    return [{ about: "", side, reason: "invalid", message: `${key}: ${message}` }];
  });
}

function isUnchanged(about: Ref, a: CompiledPaths | undefined, b: CompiledPaths | undefined): boolean {
  const [old, now] = [a?.store.object(about), b?.store.object(about)];
  if (old !== undefined || now !== undefined)
    return old !== undefined && now !== undefined && isSame(old, now);
  // Objects that the schema rejects are not in a store.
  const [before, after] = [a?.manifests.documents.get(about), b?.manifests.documents.get(about)];
  const text = before?.part?.text.trim();
  return text !== undefined && text === after?.part?.text.trim() && before?.within === after?.within;
}

/** The first error of each object, by its ref, and of each file, by its path. */
function errorsOf(compiled: CompiledPaths | undefined): Map<string, Pick<Located, "finding" | "file">> {
  const errors = new Map<string, Pick<Located, "finding" | "file">>();
  if (!compiled) return errors;
  const others = [...compiled.store.findings()].map((finding) => ({ finding, file: "" }));
  for (const one of [...compiled.manifests.located, ...others]) {
    const key = findingSubject(one.finding.about) || one.file;
    if (one.finding.severity === "error" && !errors.has(key)) errors.set(key, one);
  }
  return errors;
}

/** Objects that are assumed on one side of files and exist on the other, live side. */
export function assumedIn(a: ComparedSide, b: ComparedSide): Uncompared[] {
  if (a.isLive === b.isLive) return [];
  const side = a.isLive ? "after" : "before";
  const refs = (a.isLive ? b : a).compiled?.assumed.refs ?? [];
  return refs.map((about) => ({
    about,
    side,
    reason: "assumed",
    message: `not among the files ${side}, so its contents are not known there`,
  }));
}

/** Hosts with too many requests: the answers of some are not known. */
export const untriedIn = ({ untried }: Review): Uncompared[] =>
  untried.map(({ site, tried }) => ({
    about: "",
    side: "both",
    reason: "untried",
    message: `${site}: only ${plural(tried, "request")} were tried and there are more, so risk marks may be missing; split the change, or its host`,
  }));

/** Values that a server does not show. */
export function hiddenValues(a: ComparedSide, b: ComparedSide): Uncompared[] {
  const counts = [a, b].map(({ config }) => ((a.values ?? b.values) ? countHidden(config) : 0));
  const count = Math.max(...counts);
  if (count === 0) return [];
  const advice = [a, b].some(({ values }) => values === "hidden")
    ? "a token of the role admin shows all but credentials"
    : "they may be credentials";
  const message = `${plural(count, "value")} of headers and query parameters ${count === 1 ? "is" : "are"} not shown by the server: ${advice}`;
  return [{ about: "", side: "both", reason: "hidden", message }];
}

/** Objects whose text differs between the sides; those that differ only in comments or layout are marked. */
export function rewrittenIn({ compiled: a }: ComparedSide, { compiled: b }: ComparedSide): string[] {
  if (!a || !b) return [];
  const [old, now] = [a.manifests.documents, b.manifests.documents];
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((about) => {
    const [before, after] = [old.get(about), now.get(about)];
    if (!before) return [`${about} (new)`];
    if (!after) return [`${about} (gone)`];
    if (!isUnchanged(about, a, b)) return [about];
    const isOneText =
      before.part === undefined || after.part === undefined || before.within !== "" || after.within !== "";
    return isOneText || before.part?.text.trim() === after.part?.text.trim()
      ? []
      : [`${about} (comments or layout)`];
  });
}
