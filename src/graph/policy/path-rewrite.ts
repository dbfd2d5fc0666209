/** Puts another prefix in the place of the matched one, or does a substitution in the whole path. */
export type PathRewrite = { readonly prefix: string } | { readonly regex: PathSubstitution };

/** RE2's pattern, and what stands in the place of what it matches. */
export interface PathSubstitution {
  readonly pattern: string;
  readonly substitution: string;
}

export interface ReplacePrefix {
  readonly prefix?: string;
  readonly replacement: string;
}

export type PrefixReplaceProblem = "MustHavePrefix" | "DuplicateReplacement" | "AmbiguousReplacement";

/**
 * The replacement for a matched prefix: the entry that names it, else the entry without a prefix, else none.
 * Problems are Contour's PrefixReplaceError reasons.
 */
export function readReplacePrefix(
  entries: readonly ReplacePrefix[] | undefined,
  matched: string | undefined,
): { replacement?: string; reason?: PrefixReplaceProblem; message?: string } {
  if (!entries?.length) return {};
  if (matched === undefined) {
    return {
      reason: "MustHavePrefix",
      message: "cannot specify prefix replacements without a prefix condition",
    };
  }
  const seen = new Set<string>();
  for (const { prefix = "" } of entries) {
    if (seen.has(prefix)) {
      return prefix === ""
        ? { reason: "AmbiguousReplacement", message: "ambiguous prefix replacement" }
        : { reason: "DuplicateReplacement", message: `duplicate replacement prefix '${prefix}'` };
    }
    seen.add(prefix);
  }
  const entry = entries.find((e) => e.prefix === matched) ?? entries.find((e) => !e.prefix);
  return entry ? { replacement: entry.replacement } : {};
}
