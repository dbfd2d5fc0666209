import type { RouteAction } from "../../gen/envoy.js";
import type { PathRewrite } from "../../graph/policies/path-rewrite.js";
import type { Written } from "./written.js";

/** Of a route that forwards, and of a redirect. */
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

export const writePathRewrite = (rewrite: PathRewrite): Written => ({ action: writeRewrite(rewrite) });
