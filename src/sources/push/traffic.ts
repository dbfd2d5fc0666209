import type { ConfigChange } from "../../explain/change.js";
import { type EnvoyConfig, readConfig } from "../../explain/config.js";
import { aligned, diff } from "../../explain/diff.js";
import { reviewOf } from "../../explain/review.js";
import { formatReview } from "../../explain/review-text.js";
import { hostUnit, isObjectRead } from "../../graph/core/keys.js";
import type { Snapshot } from "../../link/snapshot.js";
import { kindOf, namespaceOf } from "../../schema/meta.js";
import { routingKinds } from "../../schema/routing-kinds.js";
import type { Store } from "../../store/store.js";
import { hideValues } from "./hidden-values.js";
import type { Namespaces } from "./visible.js";

/** Beyond this many clusters a diff takes more memory than a function has. */
const maxDiffClusters = 3000;

/** What changes for traffic, as far as one may see that is bound to namespaces. */
export class Traffic {
  readonly #changes: readonly ConfigChange[];
  readonly #after: EnvoyConfig | undefined;
  readonly #own = new Set<ConfigChange>();
  readonly #others = new Set<ConfigChange>();

  private readonly namespaces: Namespaces;

  constructor(
    before: Snapshot,
    after: Snapshot,
    { namespaces, hidesValues }: { readonly namespaces?: readonly string[]; readonly hidesValues?: boolean },
  ) {
    this.namespaces = namespaces;
    const isTooMuch = Math.max(before.sets.clusters.size, after.sets.clusters.size) > maxDiffClusters;
    const shown = hidesValues ? hideValues(crypto.randomUUID()) : (config: EnvoyConfig) => config;
    const sides = isTooMuch ? undefined : aligned(shown(readConfig(before)), shown(readConfig(after)));
    this.#after = sides?.[1];
    this.#changes = sides ? diff(...sides) : [];
  }

  /**
   * Judges changes by the objects that a store holds, which are those before the changes or those after them. It is called for both: what a
   * push takes away from another namespace's host is not for the pusher to read.
   */
  compare(store: Store): void {
    const { namespaces } = this;
    if (!namespaces) return;
    for (const change of this.#changes) {
      const owners = ownersOf(change, store);
      if (owners.length === 0) continue;
      const isOwn = owners.every((owner) => namespaces.includes(owner));
      (isOwn ? this.#own : this.#others).add(change);
    }
  }

  get lines(): readonly string[] {
    if (!this.#after) return [`over ${maxDiffClusters} clusters: use \`isoline diff\` on the manifests`];
    const shown = this.namespaces
      ? this.#changes.filter((change) => this.#own.has(change) && !this.#others.has(change))
      : this.#changes;
    const isWhole = shown.length === this.#changes.length;
    const text = formatReview(reviewOf(shown, this.#after), { uncompared: [], rewritten: [] });
    const told = isWhole || shown.length > 0 ? text.trimEnd().split("\n") : [];
    return isWhole ? told : [...told, "changes that also concern other namespaces are left out"];
  }
}

/** The namespaces that have a say in what changes; empty where a store holds nothing about it. */
function ownersOf({ kind, name, host }: ConfigChange, store: Store): readonly string[] {
  switch (kind) {
    case "cluster":
    case "certificate":
    case "endpoints":
      return [name.split("/")[0] ?? shared];
    case "host":
    case "route":
    case "server name":
      return ownersOfHost(hostOf(host ?? name), store);
    case "listener":
      return [shared];
  }
}

/** Stands for a namespace of no token: no namespace has an empty name. */
const shared = "";

const routing: ReadonlySet<string> = new Set([...routingKinds, "Secret"]);

const ownersOfHost = (host: string, store: Store): readonly string[] =>
  [...(store.unit(hostUnit(host))?.reads ?? []), ...store.claimants(hostUnit(host))]
    .filter(isObjectRead)
    .filter((ref) => routing.has(kindOf(ref)))
    .map(namespaceOf);

/** `a.test` of `a.test (http on port 8080)`. */
const hostOf = (place: string): string => place.replace(/ \(.*$/, "");
