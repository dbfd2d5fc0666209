import { servesGateways } from "../../schema/gateway-settings.js";
import { namespaceOf, type Ref } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import type { SettingsSpec } from "../../schema/settings.js";
import type { Store } from "../../store/store.js";
import { attachCounts } from "../api/gateway/attach.js";
import { type GatewayView, viewOf } from "../api/gateway/gateway.js";
import { isAllowedClass, isRootNamespace } from "../core/class.js";
import { costKey, gatewaysKey } from "../core/keys.js";
import { byAge } from "../core/order.js";
import type { Reader } from "../core/reader.js";
import { Forest } from "./forest.js";
import { type CostNode, costNodeOf } from "./node.js";
import { dimensions, exactPlus, nothing, type Overrun, plus, type Size } from "./size.js";

type Objects = Pick<Store, "object" | "claimants" | "cache">;

/** The ledger of a store, which is kept up to date with it. A transaction that is undone takes it away with the cache. */
export const ledgerOf = (store: Objects, reader: Reader): Ledger =>
  store.cache.of(createLedger, store, reader);

const createLedger = (store: Objects, reader: Reader): Ledger =>
  new Ledger((ref) => store.object(ref), reader);

/** A route of the Gateway API may have so many hosts, each over HTTP and HTTPS, as those are written in it, too. */
const freeHosts = 3;
const freePorts = 2;

/**
 * What the objects of each namespace make beyond what is written in them: includes that are read again and again, hosts and matches
 * of one route, repetitions in regular expressions. Where that is more than the budget, objects keep their place by age, and the
 * others are over it. All follows from the objects alone, whatever the order in which they came.
 */
export class Ledger {
  readonly #forest: Forest;
  /** Objects whose costs are counted, by namespace. */
  readonly #owners = new Map<string, Set<Ref>>();
  /** What each of them costs before anything is free; `unserved` for those that cost nothing as they are not served. */
  readonly #costs = new Map<Ref, Size | "unserved">();
  /** What each of them makes at most beyond what is written, and their sum by namespace. */
  readonly #bounds = new Map<Ref, Size>();
  readonly #sums = new Map<string, Size>();
  readonly #changed = new Set<Ref>();
  /** Namespaces of which some object is over a budget. */
  readonly #crowded = new Set<string>();
  readonly #over = new Map<Ref, Overrun>();
  #rules = "";

  /** Begins with the objects that are there, which `reader` lists and `objectOf` gives, now and later. */
  constructor(
    private readonly objectOf: (ref: Ref) => KubeObject | undefined,
    reader: Reader,
  ) {
    this.#forest = new Forest((ref) => {
      const object = objectOf(ref);
      return object && costNodeOf(object);
    });
    for (const ref of reader.claimants(costKey)) this.change(ref, true);
    this.settle(reader);
  }

  overrun(ref: Ref): Overrun | undefined {
    return this.#over.get(ref);
  }

  /** Takes note of an object that came, changed or went; `costly`: it has or had the key of such objects. */
  change(ref: Ref, costly: boolean): void {
    if (costly || this.#forest.has(ref)) this.#changed.add(ref);
  }

  /** Judges what has changed. Returns the objects that are judged otherwise than before. */
  settle(reader: Reader): Ref[] {
    const moved = new Set<Ref>();
    for (const ref of this.#changed) this.#enter(ref, moved);
    const above = this.#forest.forgetAbove([...this.#changed, ...moved]);
    this.#changed.clear();
    const rules = rulesOf(reader.settings, this.#owners.size > 0 ? servedViews(reader) : []);
    const all = rules !== this.#rules;
    const stale = new Set<string>();
    for (const ref of all ? [...this.#owners.values()].flatMap((owners) => [...owners]) : above) {
      this.#costs.delete(ref);
      this.#bound(ref, reader);
      stale.add(namespaceOf(ref));
    }
    this.#rules = rules;
    const flipped: Ref[] = [];
    for (const namespace of stale) this.#settle(namespace, reader, flipped);
    return flipped;
  }

  #enter(ref: Ref, moved: Set<Ref>): void {
    const node = this.#forest.reload(ref, moved);
    const namespace = namespaceOf(ref);
    const owners = this.#owners.get(namespace);
    if (node?.isOwner) {
      if (owners) owners.add(ref);
      else this.#owners.set(namespace, new Set([ref]));
    } else if (owners?.delete(ref) && owners.size === 0) this.#owners.delete(namespace);
    if (!node?.isOwner) this.#over.delete(ref);
  }

  /** Counts anew what an object makes at most. */
  #bound(ref: Ref, reader: Reader): void {
    const namespace = namespaceOf(ref);
    const before = this.#bounds.get(ref) ?? nothing;
    const node = this.#owners.get(namespace)?.has(ref) ? this.#forest.node(ref) : undefined;
    const cost = node && this.#costOf(node, reader);
    const own = node && cost ? plus(cost, { ...nothing, keySets: node.keySets.length }) : nothing;
    const now = node && cost ? plus(own, this.#forest.freeAlone(node.edges), -1) : nothing;
    if (now === nothing) this.#bounds.delete(ref);
    else this.#bounds.set(ref, now);
    const sum = exactPlus(this.#sums.get(namespace) ?? nothing, now, 1);
    this.#sums.set(namespace, exactPlus(sum, before, -1));
  }

  #settle(namespace: string, reader: Reader, flipped: Ref[]): void {
    const { settings } = reader;
    const sum = this.#sums.get(namespace) ?? nothing;
    const fits = dimensions.every((dimension) => sum[dimension] <= settings.budgets[dimension]);
    if (fits && !this.#crowded.has(namespace)) return;
    const owners = [...(this.#owners.get(namespace) ?? [])].flatMap((ref) => this.#forest.node(ref) ?? []);
    this.#crowded.delete(namespace);
    owners.sort(byAge);
    const found: Found = { reached: new Set(), keySets: new Set() };
    let charged = nothing;
    for (const owner of owners) {
      const all = this.#costOf(owner, reader);
      let over: Overrun | undefined;
      if (all) {
        // Most that are over a budget are so whatever is free: what they lead to need not be gone through for each of them.
        const least = plus(all, this.#forest.mostFree(owner.edges), -1);
        over = overrunOf(charged, least, settings.budgets);
        if (!over) ({ over, charged } = this.#charge(owner, all, charged, found, settings));
      }
      if (JSON.stringify(this.#over.get(owner.ref)) !== JSON.stringify(over)) flipped.push(owner.ref);
      if (over) this.#over.set(owner.ref, over);
      else this.#over.delete(owner.ref);
      if (over) this.#crowded.add(namespace);
    }
  }

  /** Adds what an object costs to what is charged, if there is room for it. */
  #charge(
    owner: CostNode,
    all: Size,
    charged: Size,
    { reached, keySets }: Found,
    { budgets }: SettingsSpec,
  ): { over: Overrun | undefined; charged: Size } {
    const fresh = this.#forest.reach(owner.edges, reached);
    const servers = owner.keySets.filter((server) => !keySets.has(server));
    const beside = plus(all, { ...nothing, keySets: servers.length });
    const cost = fresh.reduce((left, { free }) => plus(left, free, -1), beside);
    const over = overrunOf(charged, cost, budgets);
    if (!over) {
      for (const server of servers) keySets.add(server);
      return { over, charged: plus(charged, cost) };
    }
    for (const { ref } of fresh) reached.delete(ref);
    return { over, charged };
  }

  /** What an object makes beyond what is written in it, of what it includes all; undefined when it is not served. */
  #costOf(owner: CostNode, reader: Reader): Size | undefined {
    const known = this.#costs.get(owner.ref) ?? this.#count(owner, reader);
    this.#costs.set(owner.ref, known);
    return known === "unserved" ? undefined : known;
  }

  #count(owner: CostNode, reader: Reader): Size | "unserved" {
    const { settings } = reader;
    const [kind] = owner.ref.split("/");
    const object = kind === "HTTPRoute" || kind === "GRPCRoute" ? this.objectOf(owner.ref) : undefined;
    if (object?.kind === "HTTPRoute" || object?.kind === "GRPCRoute") {
      const { pairs, hosts, ports } = attachCounts(object, reader);
      const free = Math.min(pairs, Math.min(hosts, freeHosts) * Math.min(ports, freePorts));
      return plus(plus(nothing, owner.own, pairs), owner.free, -free);
    }
    const isServed =
      isAllowedClass(owner, owner.className, settings) &&
      (kind === "Ingress" || isRootNamespace(owner.meta.namespace, settings));
    return isServed ? plus(this.#forest.total(owner.ref), owner.free, -1) : "unserved";
  }
}

/** What the older objects of a namespace have, and what counts once for all of them. */
interface Found {
  readonly reached: Set<Ref>;
  readonly keySets: Set<string>;
}

/** What costs nothing more is never over a budget. */
function overrunOf(
  charged: Size,
  cost: Size,
  budgets: Readonly<Record<keyof Size, number>>,
): Overrun | undefined {
  for (const dimension of dimensions)
    if (cost[dimension] > 0 && charged[dimension] + cost[dimension] > budgets[dimension])
      return { dimension, cost: cost[dimension], budget: budgets[dimension] };
  return undefined;
}

/** All Gateways that are served. */
const servedViews = (reader: Reader): readonly GatewayView[] =>
  servesGateways(reader.settings)
    ? reader.claimants(gatewaysKey).flatMap((ref) => {
        const [, namespace = "", name = ""] = ref.split("/");
        return viewOf(namespace, name, reader) ?? [];
      })
    : [];

/** All beside the objects themselves that a verdict follows from. */
const rulesOf = (
  { budgets, ingressClassNames, rootNamespaces }: SettingsSpec,
  views: readonly GatewayView[],
): string =>
  JSON.stringify([
    budgets,
    ingressClassNames,
    rootNamespaces,
    views.map(({ gateway, listeners }) => [
      gateway.ref,
      listeners.map(({ spec, kinds, owner }) => [owner.ref, spec.name, spec.port, spec.hostname, kinds]),
    ]),
  ]);
