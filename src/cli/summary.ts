import { classOf, isClassed, isOfClass } from "../graph/class.js";
import { unservedReasons } from "../lint/unserved.js";
import { type Finding, isSubstitute, type Ref } from "../schema/meta.js";
import type { SettingsSpec } from "../schema/settings.js";
import { plural } from "../schema/words.js";
import type { Store } from "../store/store.js";
import type { Manifests, RepositoryManifests } from "./objects.js";

/** How many of the objects that were read are served, and what becomes of the others. */
export interface Summary {
  /** Objects and documents of any kind. */
  readonly read: number;
  readonly served: number;
  /** Valid objects that nothing serves, by what they are. */
  readonly unserved: ReadonlyMap<string, number>;
  /** Objects of kinds that say nothing about routing, by kind. */
  readonly ignored: ReadonlyMap<string, number>;
  /** Objects with an error. */
  readonly refused: number;
  readonly hosts: number;
}

/** Accounts for every object that was read. `findings` are all that there are about them. */
export function summarize(
  manifests: Pick<Manifests, "objects" | "invalid" | "ignored">,
  store: Store,
  settings: SettingsSpec,
  findings: readonly Finding[],
): Summary {
  const refused = new Set<Ref>(manifests.invalid);
  const notServed = new Set<Ref>();
  for (const { about, severity, reason } of findings) {
    if (severity === "error" && store.object(about)) refused.add(about);
    else if (unservedReasons.has(reason)) notServed.add(about);
  }
  const unserved = new Map<string, number>();
  const count = (what: string): void => void unserved.set(what, (unserved.get(what) ?? 0) + 1);
  let served = 0;
  for (const object of manifests.objects) {
    if (refused.has(object.ref) || isSubstitute(object)) continue;
    if (isClassed(object) && !isOfClass(object, settings) && classOf(object) !== "")
      count(`${object.kind} of class ${classOf(object)}`);
    else if (notServed.has(object.ref)) count(object.kind);
    else served++;
  }
  const ignored = [...manifests.ignored.values()].reduce((sum, one) => sum + one, 0);
  const others = [...unserved.values()].reduce((sum, one) => sum + one, 0);
  return {
    read: served + refused.size + others + ignored,
    served,
    unserved,
    ignored: manifests.ignored,
    refused: refused.size,
    hosts: [...store.units()].filter(
      ({ unit, resources }) => unit.startsWith("vhost:") && resources.length > 0,
    ).length,
  };
}

/** `3 objects read: 2 served, 1 refused; 1 host`. */
export function formatSummary({ read, served, unserved, ignored, refused, hosts }: Summary): string {
  const parts = [`${served} served`, ...counted("not served", unserved), ...counted("ignored", ignored)];
  if (refused > 0) parts.push(`${refused} refused`);
  return `${plural(read, "object")} read: ${parts.join(", ")}; ${plural(hosts, "host")}`;
}

/** `left out: 1 patch of a kustomization, 2 documents that are no manifests`. */
export function formatLeftOut({ leftOut }: RepositoryManifests): readonly string[] {
  if (leftOut.size === 0) return [];
  const parts = [...leftOut].map(([what, count]) => {
    const [noun = "", ...rest] = what.split(" ");
    const words = rest.join(" ");
    return `${plural(count, noun)} ${count === 1 ? words : words.replace("that is a patch", "that are patches").replace("is no manifest", "are no manifests")}`;
  });
  return [`left out: ${parts.join(", ")}`];
}

const maxListed = 5;

function counted(word: string, counts: ReadonlyMap<string, number>): string[] {
  if (counts.size === 0) return [];
  const sorted = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const listed = sorted.slice(0, maxListed).map(([what, count]) => `${count} ${what}`);
  if (sorted.length > maxListed) listed.push(`${sorted.length - maxListed} more kinds`);
  const sum = sorted.reduce((total, [, count]) => total + count, 0);
  return [`${sum} ${word} (${listed.join(", ")})`];
}
