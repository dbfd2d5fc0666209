import type { Context } from "hono";
import { findingCodes } from "../schema/finding-codes.js";
import { byObject, type Finding, kindOf, namespaceOf, type Ref } from "../schema/meta.js";
import type { Inspected } from "./inspect.js";
import { pageOf } from "./paging.js";
import { uncached } from "./problem.js";
import { Remembered } from "./remembered.js";

/** All current findings, gathered once for all requests within a short time. */
export interface CurrentFindings {
  readonly all: readonly Finding[];
  /** The findings by the object that they are about. */
  readonly byRef: ReadonlyMap<Ref, readonly Finding[]>;
}

/**
 * The time after which findings are gathered again without a change of objects. Time alone can change findings, and so
 * can a source.
 */
const freshMs = 30_000;

/** The findings of a server, gathered again when objects have changed. */
export class FindingsCache {
  readonly #remembered: Remembered<CurrentFindings>;

  constructor(
    private readonly inspected: Inspected,
    now: () => number,
  ) {
    this.#remembered = new Remembered({ make: () => this.#gather(), now, freshMs });
  }

  get current(): CurrentFindings {
    return this.#remembered.get(String(this.inspected.engine.round));
  }

  #gather(): CurrentFindings {
    const { engine, source } = this.inspected;
    const all = [...(source?.findings ?? []), ...engine.findings];
    return { all, byRef: byObject(all) };
  }
}

/** The findings of one severity and reason. */
interface ReasonGroup {
  readonly severity: Finding["severity"];
  readonly reason: Finding["reason"];
  readonly count: number;
  readonly meaning: string;
  readonly fix: string;
  /** The namespaces, those with the most findings first; at most `maxNamespaces`. */
  readonly namespaces: readonly { readonly namespace: string; readonly count: number }[];
  readonly moreNamespaces: number;
}

const maxNamespaces = 100;
const severities = ["error", "warning"] as const;

/** The response of `GET /findings`. */
export interface FindingGroups {
  readonly total: number;
  readonly groups: readonly ReasonGroup[];
}

/** The response of `GET /findings?list`. */
export interface FindingPage {
  readonly total: number;
  readonly next?: number;
  readonly findings: readonly (Finding & { readonly file?: string; readonly line?: number })[];
}

/** Groups findings by severity and reason: errors first, then the largest groups. */
export function groupsOf(findings: readonly Finding[]): ReasonGroup[] {
  const groups = new Map<string, { first: Finding; count: number; namespaces: Map<string, number> }>();
  for (const finding of findings) {
    const key = `${finding.severity} ${finding.reason}`;
    const group = groups.get(key) ?? { first: finding, count: 0, namespaces: new Map<string, number>() };
    groups.set(key, group);
    group.count++;
    const namespace = namespaceOf(finding.about);
    group.namespaces.set(namespace, (group.namespaces.get(namespace) ?? 0) + 1);
  }
  return [...groups.values()]
    .map(({ first: { severity, reason }, count, namespaces }): ReasonGroup => {
      const sorted = [...namespaces].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
      const { meaning, fix } = findingCodes[reason];
      return {
        severity,
        reason,
        count,
        meaning,
        fix,
        namespaces: sorted.slice(0, maxNamespaces).map(([namespace, n]) => ({ namespace, count: n })),
        moreNamespaces: Math.max(0, sorted.length - maxNamespaces),
      };
    })
    .sort(
      (a, b) =>
        severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
        b.count - a.count ||
        (a.reason < b.reason ? -1 : 1),
    );
}

/** A finding with the file and line of its object, if the source is files. */
export const placed = (finding: Finding, { source }: Inspected): object =>
  source?.locate?.(finding) ?? finding;

/**
 * `GET /findings`: groups by severity and reason. With `?list`: the findings themselves, filtered by `&severity=`,
 * `&reason=`, `&namespace=` and `&q=TEXT`, in pages by `&after=N&limit=N`; `next` is the `after` of the next page.
 */
export function answerFindings(c: Context, inspected: Inspected, cache: FindingsCache): Response {
  const { all } = cache.current;
  const { list, severity, reason, namespace, q = "" } = c.req.query();
  if (list === undefined) return c.json({ total: all.length, groups: groupsOf(all) }, 200, uncached);
  const text = q.toLowerCase();
  const chosen = all.filter(
    (finding) =>
      (severity === undefined || finding.severity === severity) &&
      (reason === undefined || finding.reason === reason) &&
      (namespace === undefined || namespaceOf(finding.about) === namespace) &&
      (text === "" || searched(finding).includes(text)),
  );
  const page = pageOf(c, chosen);
  if (page instanceof Response) return page;
  const { items, ...rest } = page;
  return c.json({ ...rest, findings: items.map((finding) => placed(finding, inspected)) }, 200, uncached);
}

const searched = ({ about, path = "", message, reason }: Finding): string =>
  `${kindOf(about)} ${about} ${path} ${message} ${reason}`.toLowerCase();
