import { sessionRoutes } from "../api/gateway/session.js";
import { orderRoutes } from "../matches/same-matches.js";
import type { HttpsTerms, HttpTerms, Route, Site, Sites, Terms } from "./nodes.js";
import type { Report } from "./reader.js";
import { Sharing } from "./sharing.js";

/** The header condition that is added for wildcard hosts: one label, as Kubernetes and Contour define `*.x`. */
const wildcard = (host: string): Route["match"]["headers"][number] => ({
  name: ":authority",
  kind: "regex",
  value: `(?i)[a-z0-9]([-a-z0-9]*[a-z0-9])?${host.slice(1).replaceAll(".", "\\.")}(:[0-9]+)?`,
  invert: false,
  ignoreCase: false,
  treatMissingAsEmpty: false,
});

/**
 * Joins the sites of several claims of a host, the first claim first. On each listener the first claim owns the host,
 * and its terms apply unchanged. Routes of the other claims are served if they need no terms of their own.
 */
export function joinSites(host: string, claims: readonly Sites[], report: Report): Sites {
  const sharing = new Sharing(host, report);
  const joined = new Map<string, Site>();
  for (const listener of new Set(claims.flatMap((sites) => [...sites.keys()]))) {
    const [own, ...others] = claims.flatMap((sites) => sites.get(listener) ?? []);
    if (own) joined.set(listener, join(host, own, others, sharing));
  }
  sharing.addWarnings();
  return joined;
}

function join(host: string, { terms, routes, place }: Site, others: readonly Site[], sharing: Sharing): Site {
  if (terms.kind === "tcp" || terms.kind === "none") {
    for (const other of others) sharing.refuse(terms, other);
    return { terms, routes, ...(place ? { place } : {}) };
  }
  const guests = others.filter((other) => {
    if (isPlain(other.terms, terms)) return true;
    sharing.refuse(terms, other);
    return false;
  });
  for (const site of [{ terms, routes }, ...guests]) sharing.share(terms.owner, site);
  // Among equal matches of one kind, the last one takes precedence.
  const all = [...guests.reverse().flatMap((guest) => guest.routes), ...routes];
  return { terms, routes: finish(all, host, sharing), ...(place ? { place } : {}) };
}

/** Whether routes may be served without their own terms: not if they would lose a protection. */
function isPlain(terms: Terms, { kind }: HttpTerms | HttpsTerms): boolean {
  if (terms.kind !== kind || Object.keys(terms.policies).length > 0) return false;
  return terms.kind === "http" || !terms.tls.clientValidation;
}

function finish(routes: readonly Route[], host: string, sharing: Sharing): Route[] {
  const isWildcard = host.startsWith("*.");
  const ordered = orderRoutes(routes, {
    wildcard: isWildcard,
    onSame: (later, first) => sharing.sameMatch(later, first),
  });
  if (!isWildcard) return ordered.flatMap(sessionRoutes);
  const extra = wildcard(host);
  return ordered
    .map((route) =>
      route.spansLabels
        ? route
        : { ...route, match: { ...route.match, headers: [extra, ...route.match.headers] } },
    )
    .flatMap(sessionRoutes);
}
