import { quoteRegex } from "../../../graph/matches/order.js";
import { type Conversion, partOf } from "../../conversion.js";
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

/** Routes of a location with those of its canary before them: by header, then by cookie, then by weight. */
export function withCanary(
  routes: readonly SourceRoute[],
  { canary }: Location,
  { options }: Conversion,
): SourceRoute[] {
  if (!canary?.backend) return [...routes];
  return routes.flatMap((route) => {
    if (route.action.kind !== "forward") return [route];
    const [main] = route.action.backends;
    const other = canary.backend;
    if (!main || !other) return [route];
    const to = (backend: SourceBackend): SourceRoute["action"] => ({ kind: "forward", backends: [backend] });
    const made: SourceRoute[] = [];
    const excluded: ReturnType<typeof header>[] = [];
    const add = (backend: SourceBackend, ...headers: ReturnType<typeof header>[]): void => {
      const all = [...route.match.headers, ...headers];
      made.push({
        ...route,
        match: matchOf(route.match.path, all, route.match.queries),
        action: to(backend),
      });
    };
    const by = canary.header;
    if (by !== undefined && canary.value !== undefined)
      add({ ...other, ...protocolOf(main) }, header(by, "exact", canary.value));
    else if (by !== undefined && canary.pattern !== undefined) {
      const pattern = hasTopLevelBranch(canary.pattern) ? `(?:${canary.pattern})` : canary.pattern;
      add({ ...other, ...protocolOf(main) }, header(by, "regex", wholeRegex(pattern)));
    } else if (by !== undefined) {
      add({ ...other, ...protocolOf(main) }, header(by, "exact", "always"));
      add(main, header(by, "exact", "never"));
      // A cookie counts only where the header has not decided. The Gateway API keeps the order of rules and needs no exclusion.
      if (options.to === "httpproxy")
        for (const value of ["always", "never"])
          excluded.push(header(by, "exact", value, { invert: true, treatMissingAsEmpty: true }));
    }
    if (canary.cookie !== undefined) {
      const cookieIs = (value: string) =>
        header("cookie", "regex", `(?:.*;\\s*)?${quoteRegex(canary.cookie ?? "")}=${value}(?:;.*)?`);
      add({ ...other, ...protocolOf(main) }, cookieIs("always"), ...excluded);
      add(main, cookieIs("never"), ...excluded);
    }
    const weighted: SourceRoute = {
      ...route,
      action: {
        kind: "forward",
        backends: [
          { ...main, weight: Math.max(0, canary.total - canary.weight) },
          { ...other, ...protocolOf(main), weight: canary.weight },
        ],
      },
    };
    return [...made, canary.weight > 0 ? weighted : route];
  });
}

const protocolOf = ({ protocol }: SourceBackend): Pick<SourceBackend, "protocol"> =>
  protocol ? { protocol } : {};
