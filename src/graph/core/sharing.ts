import type { WarningCode } from "../../schema/finding-codes.js";
import type { ClaimingKind, FindingType } from "../../schema/finding-types.js";
import { kindOf, namespaceOf, type Ref } from "../../schema/meta.js";
import type { Route, Site, Terms } from "./nodes.js";
import type { Report } from "./reader.js";

/** The `type` of a finding about a claim of an object. It is never a condition of a Gateway API route. */
export function claimFinding(ref: Ref): FindingType {
  const kind = kindOf(ref) as ClaimingKind | "HTTPProxy";
  return kind === "HTTPProxy" ? "VirtualHostError" : `${kind}Error`;
}

/** Objects of another namespace that a message lists. */
const maxNamed = 3;

/**
 * Collects the conflicts between the objects of one host, and reports each once per object. A message contains only
 * the kind and name of an object of another namespace.
 */
export class Sharing {
  /** By owner: objects of other namespaces that have routes on its host. */
  readonly #guests = new Map<Ref, Set<Ref>>();
  readonly #refused = new Map<Ref, Terms>();
  /** By object: objects with a match that a route of that object has too. */
  readonly #taken = new Map<Ref, Set<Ref>>();
  readonly #reported = new Set<string>();

  constructor(
    private readonly host: string,
    private readonly report: Report,
  ) {}

  share(owner: Ref, site: Site): void {
    for (const guest of claimantsOf(site))
      if (namespaceOf(guest) !== namespaceOf(owner)) note(this.#guests, owner, guest);
  }

  /** Records that a site is not served, because the host has other terms. */
  refuse(terms: Terms, site: Site): void {
    for (const claimant of claimantsOf(site)) this.#refused.set(claimant, terms);
  }

  sameMatch(later: Route, first: Route): void {
    if (later.from === first.from && later.field === first.field) return;
    const key = `${later.from} ${later.field}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    const own = later.from === first.from;
    const who = own ? first.field : first.from;
    const message = `${this.#named}: ${who} has the same match and comes first`;
    this.report.warn(later.from, claimFinding(later.from), "SameMatch", message, later.field);
    if (!own) note(this.#taken, first.from, later.from);
  }

  addWarnings(): void {
    for (const [owner, guests] of this.#guests) {
      const belongs = ` belongs to ${owner}, an object of another namespace`;
      for (const guest of guests) this.#warn(guest, "HostOfAnotherNamespace", belongs);
      this.#warn(owner, "HostShared", ` also has routes of other namespaces: ${listOf(guests)}`);
    }
    for (const [first, others] of this.#taken)
      this.#warn(
        first,
        "SameMatch",
        `: routes of this object come before the same matches of ${listOf(others)}`,
      );
    for (const [claimant, { kind, owner }] of this.#refused) {
      const over = kind === "http" ? "plain HTTP" : "TLS";
      const message = `${this.#named}: ${owner} decides how connections over ${over} are taken; this object is not served there`;
      this.report.error(claimant, claimFinding(claimant), "HostOfAnotherObject", message);
    }
  }

  get #named(): string {
    return `host ${JSON.stringify(this.host)}`;
  }

  #warn(about: Ref, reason: WarningCode, message: string): void {
    this.report.warn(about, claimFinding(about), reason, `${this.#named}${message}`);
  }
}

function note(found: Map<Ref, Set<Ref>>, key: Ref, value: Ref): void {
  const values = found.get(key);
  if (values) values.add(value);
  else found.set(key, new Set([value]));
}

const listOf = (refs: ReadonlySet<Ref>): string => listSome([...refs], maxNamed);

/** The first names in sorted order, and the number of the others. */
export function listSome(names: readonly string[], most: number): string {
  const named = [...names].sort().slice(0, most).join(", ");
  return names.length > most ? `${named} and ${names.length - most} more` : named;
}

/** The objects that claim a site: for the routes of a root, the root alone. */
export function claimantsOf({ terms, routes }: Site): ReadonlySet<Ref> {
  const isRoot = ["HTTPProxy", "IngressRoute"].includes(kindOf(terms.owner));
  if (terms.kind === "tcp" || (isRoot && routes.length > 0)) return new Set([terms.owner]);
  return new Set(routes.map(({ from }) => from));
}
