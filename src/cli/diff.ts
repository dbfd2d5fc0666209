import { diff } from "../explain/diff.js";
import { formatChanges } from "../explain/diff-text.js";
import type { Finding, Ref } from "../schema/meta.js";
import { isSame } from "../schema/same.js";
import type { AssumptionOptions } from "./assumptions.js";
import { type CompiledPaths, compiledFindings, compileSides } from "./compiled.js";

export interface DiffCommandOptions extends AssumptionOptions {
  readonly settings?: string;
  readonly build?: boolean;
  readonly format: "text" | "json";
  /** Changes, and objects that could not be compared, make the exit code 1. */
  readonly exitCode?: boolean;
}

/** An object that is not valid on a side and differs between the sides, so that what it does to traffic is not known. */
interface Uncompared {
  readonly about: Ref;
  readonly side: "before" | "after" | "both";
  readonly message: string;
}

/** `isoline diff`: what changes for traffic between two sets of manifests. Returns the exit code. */
export function diffCommand(before: string, after: string, options: DiffCommandOptions): number {
  const [a, b] = compileSides([before, after], options);
  const changes = diff(a.config, b.config);
  const uncompared = uncomparedIn(a, b);
  if (options.format === "json")
    process.stdout.write(`${JSON.stringify({ changes, uncompared }, null, 2)}\n`);
  else process.stdout.write(formatUncompared(uncompared) + textOf(changes, uncompared));
  if (a.broken || b.broken) return 3;
  return options.exitCode && changes.length + uncompared.length > 0 ? 1 : 0;
}

const textOf = (changes: ReturnType<typeof diff>, uncompared: readonly Uncompared[]): string =>
  changes.length === 0 && uncompared.length > 0 ? "no other change for traffic\n" : formatChanges(changes);

function formatUncompared(uncompared: readonly Uncompared[]): string {
  if (uncompared.length === 0) return "";
  const where = { before: "before", after: "after", both: "before and after" };
  const lines = uncompared.map(
    ({ about, side, message }) => `  ? ${about}: not valid ${where[side]}: ${message}\n`,
  );
  return `not compared\n${lines.join("")}`;
}

function uncomparedIn(a: CompiledPaths, b: CompiledPaths): Uncompared[] {
  const [before, after] = [errorsOf(a), errorsOf(b)];
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((about): Uncompared[] => {
    const [wrong, stillWrong] = [before.get(about), after.get(about)];
    const finding = stillWrong ?? wrong;
    if (!finding) return [];
    // The same invalid object with the same error on both sides changes nothing.
    if (wrong && stillWrong && isUnchanged(about, a, b) && wrong.message === stillWrong.message) return [];
    const side = wrong && stillWrong ? "both" : wrong ? "before" : "after";
    const path = finding.path ? `${finding.path} ` : "";
    return [{ about, side, message: `${path}${finding.message}` }];
  });
}

const isUnchanged = (about: Ref, a: CompiledPaths, b: CompiledPaths): boolean => {
  const [old, now] = [a.store.object(about), b.store.object(about)];
  return old !== undefined && now !== undefined && isSame(old, now);
};

/** The first error of each object. */
function errorsOf(compiled: CompiledPaths): Map<Ref, Finding> {
  const errors = new Map<Ref, Finding>();
  const located = compiled.manifests.located.map(({ finding }) => finding);
  for (const finding of [...located, ...compiledFindings(compiled)])
    if (finding.severity === "error" && !errors.has(finding.about)) errors.set(finding.about, finding);
  return errors;
}
