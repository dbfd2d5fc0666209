import type { HeaderMatch } from "../../../graph/matches/match-types.js";
import { quoteRegex } from "../../../graph/matches/order.js";
import { type Conversion, type MigrateOptions, partOf } from "../../conversion.js";
import { hasTopLevelBranch, header, matchOf, wholeRegex } from "../../matches.js";
import type { SourceBackend, SourceRoute } from "../../model.js";
import type { IngressAnnotations, IngressPath } from "../ingress-rules.js";
import type { Canary, Location } from "./location.js";

export function canaryOf({ object, field, backend }: IngressPath, annotations: IngressAnnotations): Canary {
  const text = (name: string): string | undefined => annotations.text(name);
  const [named, value, pattern, cookie] = [
    text("canary-by-header"),
    text("canary-by-header-value"),
    text("canary-by-header-pattern"),
    text("canary-by-cookie"),
  ];
  return {
    part: partOf(object, field),
    backend,
    ...(named === undefined ? {} : { header: named }),
    ...(value === undefined ? {} : { value }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(cookie === undefined ? {} : { cookie }),
    weight: annotations.number("canary-weight") ?? 0,
    total: Math.max(100, annotations.number("canary-weight-total") ?? 100),
  };
}

/** The routes of a location, after the routes of its canary: by header, then by cookie, then by weight. */
export function withCanary(
  routes: readonly SourceRoute[],
  { canary }: Location,
  { options }: Conversion,
): SourceRoute[] {
  if (!canary?.backend) return [...routes];
  const { backend } = canary;
  return routes.flatMap((route) => {
    const [main] = route.action.kind === "forward" ? route.action.backends : [];
    if (!main) return [route];
    const other = main.protocol ? { ...backend, protocol: main.protocol } : backend;
    const to = (target: SourceBackend, ...headers: readonly HeaderMatch[]): SourceRoute => ({
      ...route,
      match: matchOf(route.match.path, [...route.match.headers, ...headers], route.match.queries),
      action: { kind: "forward", backends: [target] },
    });
    const weighted: SourceRoute = {
      ...route,
      action: {
        kind: "forward",
        backends: [
          { ...main, weight: Math.max(0, canary.total - canary.weight) },
          { ...other, weight: canary.weight },
        ],
      },
    };
    const chosen = [...byHeader(canary), ...byCookie(canary, options.to)];
    return [
      ...chosen.map(({ isCanary, headers }) => to(isCanary ? other : main, ...headers)),
      canary.weight > 0 ? weighted : route,
    ];
  });
}

interface Choice {
  readonly isCanary: boolean;
  readonly headers: readonly HeaderMatch[];
}

function byHeader({ header: name, value, pattern }: Canary): Choice[] {
  if (name === undefined) return [];
  if (value !== undefined) return [{ isCanary: true, headers: [header(name, "exact", value)] }];
  if (pattern !== undefined) {
    const own = hasTopLevelBranch(pattern) ? `(?:${pattern})` : pattern;
    return [{ isCanary: true, headers: [header(name, "regex", wholeRegex(own))] }];
  }
  return [
    { isCanary: true, headers: [header(name, "exact", "always")] },
    { isCanary: false, headers: [header(name, "exact", "never")] },
  ];
}

/**
 * The cookie applies only if the header does not decide. For HTTPProxy, the routes exclude the deciding values of the
 * header. The Gateway API keeps the order of rules and needs no exclusion.
 */
function byCookie({ cookie, header: name, value, pattern }: Canary, to: MigrateOptions["to"]): Choice[] {
  if (cookie === undefined) return [];
  const decides = name !== undefined && value === undefined && pattern === undefined && to === "httpproxy";
  const undecided = decides
    ? ["always", "never"].map((one) =>
        header(name, "exact", one, { invert: true, treatMissingAsEmpty: true }),
      )
    : [];
  const cookieIs = (one: string): HeaderMatch =>
    header("cookie", "regex", `(?:.*;\\s*)?${quoteRegex(cookie)}=${one}(?:;.*)?`);
  return [
    { isCanary: true, headers: [cookieIs("always"), ...undecided] },
    { isCanary: false, headers: [cookieIs("never"), ...undecided] },
  ];
}
