import { pathOf } from "../schema/field-path.js";
import type { Conversion } from "./conversion.js";
import type { ResultDocument } from "./document.js";
import type { Remark, RemarkSeverity, SourceRoute, SourceSite } from "./model.js";
import type { SourceObject } from "./source.js";
import { concerns } from "./table.js";

/** The result for one host. */
export interface HostReport {
  /** `*` is any host. */
  readonly host: string;
  readonly routes: number;
  /** Routes that do not differ from the source. */
  readonly same: number;
  /** Routes that answer 503 (500 in the Gateway API), because a restriction cannot be converted. */
  readonly closed: number;
  readonly worst: RemarkSeverity | "same";
  readonly remarks: readonly ShownRemark[];
}

export type ShownRemark = Omit<Remark, "hosts"> & {
  readonly hosts: readonly string[];
  /** The number of further places in the object that have the same remark. */
  readonly more: number;
};

export interface MigrationReport {
  readonly hosts: readonly HostReport[];
  /** Remarks that concern no host. */
  readonly others: readonly ShownRemark[];
  /** The converted objects of the input, each with the objects of the result that come from it. */
  readonly objects: readonly { readonly source: string; readonly results: readonly string[] }[];
  /** Objects of the peers' groups that are not converted. */
  readonly leftOut: readonly { readonly object: string; readonly reason: string }[];
  /** The number of objects that are kept unchanged, and the number of objects without routes. */
  readonly kept: number;
  readonly noRoutes: number;
  readonly counts: Readonly<Record<RemarkSeverity, number>>;
}

interface ReportInput {
  readonly routes: readonly SourceRoute[];
  readonly sites: readonly SourceSite[];
  readonly remarks: readonly Remark[];
  readonly conversion: Conversion;
  readonly documents: readonly ResultDocument[];
}

const ranks: readonly (RemarkSeverity | "same")[] = ["error", "warning", "info", "same"];
const rankOf = (severity: RemarkSeverity | "same"): number => ranks.indexOf(severity);

export function reportOf({ routes, sites, remarks, conversion, documents }: ReportInput): MigrationReport {
  const shown = gathered(remarks);
  const byHost = new Map<string, ShownRemark[]>();
  for (const remark of shown)
    for (const host of remark.hosts) {
      const own = byHost.get(host);
      if (own) own.push(remark);
      else byHost.set(host, [remark]);
    }
  const ofHost = new Map<string, SourceRoute[]>();
  for (const { host } of sites) ofHost.set(host, []);
  for (const route of routes)
    for (const host of new Set(route.hosts)) {
      const own = ofHost.get(host);
      if (own) own.push(route);
      else ofHost.set(host, [route]);
    }
  for (const host of byHost.keys()) if (!ofHost.has(host)) ofHost.set(host, []);
  const places = placesOf(remarks);
  const hosts = [...ofHost].map(([host, own]) => hostReport(host, own, byHost.get(host) ?? [], places));
  const reasons = conversion.leftOut;
  return {
    hosts: hosts.sort((a, b) => rankOf(a.worst) - rankOf(b.worst)),
    others: shown.filter((remark) => remark.hosts.length === 0),
    objects: objectsOf([...conversion.taken.keys()], documents),
    leftOut: reasons
      .filter(({ reason }) => reason !== "kept" && reason !== "no route")
      .map(({ object, reason }) => ({ object: object.ref, reason })),
    kept: reasons.filter(({ reason }) => reason === "kept").length,
    noRoutes: reasons.filter(({ reason }) => reason === "no route").length,
    counts: {
      error: shown.filter(({ severity }) => severity === "error").length,
      warning: shown.filter(({ severity }) => severity === "warning").length,
      info: shown.filter(({ severity }) => severity === "info").length,
    },
  };
}

function hostReport(
  host: string,
  routes: readonly SourceRoute[],
  remarks: readonly ShownRemark[],
  places: ReadonlyMap<string, readonly Remark[]>,
): HostReport {
  const ofRoute = routes.map(({ parts }) =>
    parts.flatMap(({ object, path }) =>
      (places.get(object.ref) ?? []).filter(
        (remark) => remark.hosts.includes(host) && concerns(pathOf(remark.path), path),
      ),
    ),
  );
  const worst = [...remarks].sort((a, b) => rankOf(a.severity) - rankOf(b.severity))[0]?.severity ?? "same";
  return {
    host,
    routes: routes.length,
    same: ofRoute.filter((own) => own.length === 0).length,
    closed: ofRoute.filter((own) => own.some(({ closes }) => closes)).length,
    worst,
    remarks: [...remarks].sort((a, b) => rankOf(a.severity) - rankOf(b.severity)),
  };
}

function placesOf(remarks: readonly Remark[]): Map<string, Remark[]> {
  const places = new Map<string, Remark[]>();
  for (const remark of remarks) {
    const own = places.get(remark.about);
    if (own) own.push(remark);
    else places.set(remark.about, [remark]);
  }
  return places;
}

/** Combines equal remarks about several places of an object. */
function gathered(remarks: readonly Remark[]): ShownRemark[] {
  const groups = new Map<string, Remark[]>();
  for (const remark of remarks) {
    const { severity, about, message, todo } = remark;
    const key = JSON.stringify([severity, about, message, todo]);
    const own = groups.get(key);
    if (own) own.push(remark);
    else groups.set(key, [remark]);
  }
  return [...groups.values()].flatMap((own) => {
    const [first] = own;
    if (!first) return [];
    const hosts = [...new Set(own.flatMap((one) => one.hosts))].sort();
    return [
      {
        ...first,
        hosts,
        more: new Set(own.map(({ path }) => path)).size - 1,
        closes: own.some(({ closes }) => closes),
      },
    ];
  });
}

function objectsOf(
  taken: readonly SourceObject[],
  documents: readonly ResultDocument[],
): MigrationReport["objects"] {
  const byRef = new Map<string, SourceObject[]>();
  for (const object of taken) byRef.set(object.ref, [...(byRef.get(object.ref) ?? []), object]);
  const results = new Map<SourceObject, Set<string>>();
  for (const { object, source, comments, isKept } of documents) {
    if (isKept) continue;
    const { kind, metadata } = object as {
      kind: string;
      metadata: { namespace?: string; name: string };
    };
    const named = comments.flatMap((line) => byRef.get(line.split(" ")[1] ?? "") ?? []);
    for (const one of [source, ...named])
      results.set(
        one,
        (results.get(one) ?? new Set()).add(`${kind}/${metadata.namespace ?? ""}/${metadata.name}`),
      );
  }
  return taken.map((object) => ({ source: object.ref, results: [...(results.get(object) ?? [])] }));
}
