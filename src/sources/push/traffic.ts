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

/** Above this number of clusters a diff needs more memory than a Worker has. */
const maxDiffClusters = 3000;

/** The changes for traffic, limited to what a token with these namespaces may see. */
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
   * Assigns changes to namespaces by the objects of a store, either before or after the changes. It is called for
   * both: the pusher must not read what a push removes from another namespace's host.
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
    if (!this.#after) return [`more than ${maxDiffClusters} clusters: use \`isoline diff\` on the manifests`];
    const shown = this.namespaces
      ? this.#changes.filter((change) => this.#own.has(change) && !this.#others.has(change))
      : this.#changes;
    const isWhole = shown.length === this.#changes.length;
    const text = formatReview(reviewOf(shown, this.#after), { uncompared: [], rewritten: [] });
    const lines = isWhole || shown.length > 0 ? text.trimEnd().split("\n") : [];
    return isWhole ? lines : [...lines, "changes that also concern other namespaces are left out"];
  }
}

/** The namespaces that have a say in what changes; empty where a store holds nothing about it. */
function ownersOf({ kind, name, domain = "" }: ConfigChange, store: Store): readonly string[] {
  switch (kind) {
    case "cluster":
    case "certificate":
    case "endpoints":
      return [name.split("/")[0] ?? shared];
    case "host":
    case "route":
    case "server name":
      return ownersOfHost(domain, store);
    case "listener":
      return [shared];
  }
}

/** Stands for a namespace that no token has: no namespace has an empty name. */
const shared = "";

const routing: ReadonlySet<string> = new Set([...routingKinds, "Secret"]);

const ownersOfHost = (host: string, store: Store): readonly string[] =>
  [...(store.unit(hostUnit(host))?.reads ?? []), ...store.claimants(hostUnit(host))]
    .filter(isObjectRead)
    .filter((ref) => routing.has(kindOf(ref)))
    .map(namespaceOf);
