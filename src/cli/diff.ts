import { diff } from "../explain/diff.js";
import { formatChanges } from "../explain/diff-text.js";
import { compilePaths } from "./compiled.js";

export interface DiffCommandOptions {
  readonly settings?: string;
  readonly format: "text" | "json";
  /** Changes make the exit code 1. */
  readonly exitCode?: boolean;
}

/** `isoline diff`: what changes for traffic between two sets of manifests. Returns the exit code. */
export function diffCommand(before: string, after: string, options: DiffCommandOptions): number {
  const a = compilePaths([before], options.settings);
  const b = compilePaths([after], options.settings);
  const changes = diff(a.config, b.config);
  process.stdout.write(
    options.format === "json" ? `${JSON.stringify({ changes }, null, 2)}\n` : formatChanges(changes),
  );
  if (a.broken || b.broken) return 3;
  return options.exitCode && changes.length > 0 ? 1 : 0;
}
