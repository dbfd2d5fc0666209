import type { RegexMatchAndSubstitute, RouteAction } from "../../gen/envoy.js";
import type { PathRewrite } from "../../graph/policies/path-rewrite.js";
import { facts, type WrittenPolicy } from "./policy.js";

/** Used for routes that forward, and for redirects. */
export const writeRewrite = (
  rewrite: PathRewrite,
): Pick<RouteAction, "prefix_rewrite"> | Pick<RouteAction, "regex_rewrite"> =>
  "prefix" in rewrite
    ? { prefix_rewrite: rewrite.prefix }
    : {
        regex_rewrite: {
          pattern: { regex: rewrite.regex.pattern },
          substitution: rewrite.regex.substitution,
        },
      };

/** A rewrite that is not a prefix replacement, as text. */
export const describeSubstitution = ({ pattern, substitution }: RegexMatchAndSubstitute): string =>
  `${pattern?.regex} becomes ${substitution}`;

export const pathRewrite: WrittenPolicy<"pathRewrite"> = {
  write: { route: (rewrite) => ({ action: writeRewrite(rewrite) }) },
  describe({ route: { route } }) {
    const { prefix_rewrite: prefix, regex_rewrite: regex } = route ?? {};
    return facts({
      path: prefix ? `the matched part becomes ${prefix}` : regex && describeSubstitution(regex),
    });
  },
};
