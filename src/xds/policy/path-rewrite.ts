import type { RegexMatchAndSubstitute } from "../../gen/envoy.js";
import type { PathRewrite, PathSubstitution } from "../../graph/policy/path-rewrite.js";
import type { Written } from "./written.js";

export const writeSubstitution = ({ pattern, substitution }: PathSubstitution): RegexMatchAndSubstitute => ({
  pattern: { regex: pattern },
  substitution,
});

export const writePathRewrite = (rewrite: PathRewrite): Written => ({
  action:
    "prefix" in rewrite
      ? { prefix_rewrite: rewrite.prefix }
      : { regex_rewrite: writeSubstitution(rewrite.regex) },
});
