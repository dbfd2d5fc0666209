import { isHostUnit } from "../graph/core/keys.js";
import { whyUnserved } from "../lint/unserved.js";
import { type Finding, isShadowed, kindOf, type Ref } from "../schema/meta.js";
import type { SettingsSpec } from "../schema/settings.js";
import { plural } from "../schema/words.js";
import type { Manifests } from "../sources/files/objects.js";
import type { Store } from "../store/store.js";
import type { RepositoryManifests } from "./repository-objects.js";

/** Counts of the objects: served ones, and the others by reason. */
export interface Summary {
  /** Objects and documents of any kind. */
  readonly read: number;
  readonly served: number;
  /** Objects whose settings are used: at most one. */
  readonly settings: number;
  /** Valid objects that are not served, by description. */
  readonly unserved: ReadonlyMap<string, number>;
  /** Objects that no root includes, as their annotation declares, by kind. */
  readonly idle: ReadonlyMap<string, number>;
  /** Objects of kinds without an effect on routing, by kind. */
  readonly ignored: ReadonlyMap<string, number>;
  /** Objects with an error. */
  readonly refused: number;
  readonly hosts: number;
  /** The Gateways that are served. */
  readonly gateways: number;
}

/** Facts about objects that the store lacks. */
interface Known {
  /** All findings about them. */
  readonly findings: readonly Finding[];
  /** The object whose settings are used. */
  readonly settingsFrom: Ref | undefined;
}

/** Counts every object that was read. */
export function summarize(
  manifests: Pick<Manifests, "objects" | "invalid" | "nameless" | "ignored">,
  store: Store,
  settings: SettingsSpec,
  { findings, settingsFrom }: Known,
): Summary {
  const refused = new Set<Ref>(manifests.invalid);
  for (const { about, severity } of findings)
    if (severity === "error" && store.object(about)) refused.add(about);
  const unserved = new Map<string, number>();
  const idle = new Map<string, number>();
  let served = 0;
  let gateways = 0;
  for (const object of manifests.objects) {
    if (refused.has(object.ref) || isShadowed(object) || object.ref === settingsFrom) continue;
    const why = whyUnserved(object, store, settings);
    const counts = why?.idle ? idle : unserved;
    if (why) counts.set(why.what, (counts.get(why.what) ?? 0) + 1);
    else {
      served++;
      if (object.kind === "Gateway") gateways++;
    }
  }
  const ignored = withoutOne(manifests.ignored, settingsFrom);
  const isUsed = settingsFrom !== undefined && !refused.has(settingsFrom);
  const others = [unserved, idle, ignored].reduce((sum, counts) => sum + totalOf(counts), 0);
  const wrong = refused.size + manifests.nameless;
  return {
    read: served + wrong + others + Number(isUsed),
    served,
    settings: Number(isUsed),
    unserved,
    idle,
    ignored,
    refused: wrong,
    hosts: [...store.units()].filter(({ unit, resources }) => isHostUnit(unit) && resources.length > 0)
      .length,
    gateways,
  };
}

/** Ignored kinds without the object whose settings are used, if it has such a kind. */
function withoutOne(
  ignored: ReadonlyMap<string, number>,
  used: Ref | undefined,
): ReadonlyMap<string, number> {
  const what = used && [...ignored.keys()].find((key) => key.startsWith(`${kindOf(used)} of `));
  if (what === undefined) return ignored;
  const rest = new Map(ignored);
  rest.set(what, (ignored.get(what) ?? 0) - 1);
  if (rest.get(what) === 0) rest.delete(what);
  return rest;
}

const totalOf = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, one) => sum + one, 0);

/** `3 objects read: 2 served, 1 refused; 1 host`. */
export function formatSummary({
  read,
  served,
  settings,
  unserved,
  idle,
  ignored,
  refused,
  hosts,
  gateways,
}: Summary): string {
  const parts = [
    `${served} served`,
    ...(settings > 0 ? [`${settings} used as settings`] : []),
    ...counted("idle", idle),
    ...counted("not served", unserved),
    ...counted("ignored", ignored),
  ];
  if (refused > 0) parts.push(`${refused} refused`);
  return `${plural(read, "object")} read: ${parts.join(", ")}; ${plural(hosts, "host")}${gateways > 1 ? ` of ${gateways} Gateways` : ""}`;
}

/** `left out: 1 patch of a kustomization, 2 documents without a manifest`. */
export function formatLeftOut({ leftOut }: RepositoryManifests): readonly string[] {
  if (leftOut.size === 0) return [];
  const parts = [...leftOut].map(([what, count]) => {
    const [noun = "", ...rest] = what.split(" ");
    const words = rest.join(" ");
    return `${plural(count, noun)} ${count === 1 ? words : words.replace("that is a patch", "that are patches")}`;
  });
  return [`left out: ${parts.join(", ")}`];
}

const maxListed = 5;

function counted(word: string, counts: ReadonlyMap<string, number>): string[] {
  if (counts.size === 0) return [];
  const sorted = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const listed = sorted.slice(0, maxListed).map(([what, count]) => `${count} ${what}`);
  if (sorted.length > maxListed) listed.push(`${sorted.length - maxListed} more kinds`);
  return [`${totalOf(counts)} ${word} (${listed.join(", ")})`];
}
