import { namespaceOf, type Ref } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import type { SettingsSpec } from "../../schema/settings.js";
import type { Store } from "../../store/store.js";
import { attachCounts } from "../api/gateway/attach.js";
import { isAllowedClass, isNginxClass, isRootNamespace } from "../core/class.js";
import { costKey } from "../core/keys.js";
import { byAge } from "../core/order.js";
import type { Reader } from "../core/reader.js";
import { AttachedPorts } from "./attached-ports.js";
import { Forest } from "./forest.js";
import { type CostNode, costNodeOf, gatewaySizes, isWrittenOnce, type RouteObject } from "./node.js";
import { dimensions, exactPlus, nothing, type Overrun, plus, type Size } from "./size.js";

type Objects = Pick<Store, "object" | "claimants" | "cache">;

/** The ledger of a store, which changes with it. The rollback of a transaction drops it with the cache. */
export const ledgerOf = (store: Objects, reader: Reader): Ledger =>
  store.cache.of(createLedger, store, reader);

const createLedger = (store: Objects, reader: Reader): Ledger =>
  new Ledger((ref) => store.object(ref), reader);

/** Up to this many hosts of a Gateway API route, each over HTTP and HTTPS, are free: the route names them itself. */
const freeHosts = 3;
const freePorts = 2;

/**
 * Counts what the objects of each namespace generate beyond their own content: repeated includes, several hosts and
 * matches of one route, repetitions in regular expressions. If the sum exceeds the budget, older objects take
 * precedence and the others are over budget. The result depends on the objects alone, not on the order of changes.
 */
export class Ledger {
  readonly #forest: Forest;
  /** Objects whose costs are counted, by namespace. */
  readonly #owners = new Map<string, Set<Ref>>();
  /**
   * The size of each before free amounts are subtracted; `unserved` for objects that cost nothing because they are not
   * served.
   */
  readonly #costs = new Map<Ref, Size | "unserved">();
  /** Upper bounds of the size of each beyond its own content, and their sums by namespace. */
  readonly #bounds = new Map<Ref, Size>();
  readonly #sums = new Map<string, Size>();
  readonly #changed = new Set<Ref>();
  /** Namespaces with an object over budget. */
  readonly #crowded = new Set<string>();
  readonly #over = new Map<Ref, Overrun>();
  readonly #ports = new AttachedPorts();
  #rules = "";

  /** Starts with the objects of the store. `reader` lists them; `objectOf` returns them, now and later. */
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

  /** Records that an object was added, changed or deleted. `costly`: it has or had the cost key. */
  change(ref: Ref, costly: boolean): void {
    this.#ports.change(ref);
    if (costly || this.#forest.has(ref)) this.#changed.add(ref);
  }

  /** Evaluates the changed objects. Returns the objects with a changed result. */
  settle(reader: Reader): Ref[] {
    const moved = new Set<Ref>();
    const entered = this.#changedNodes(reader);
    for (const ref of entered) this.#enter(ref, moved);
    const above = this.#forest.forgetAbove([...entered, ...moved]);
    const rules = rulesOf(reader.settings);
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

  /** The objects with another node than before. Most routes of the Gateway API cost nothing and have none. */
  #changedNodes(reader: Reader): Ref[] {
    const nodes: Ref[] = [];
    const routes: Ref[] = [];
    for (const ref of this.#changed) {
      if (!isOfRoute(ref)) nodes.push(ref);
      else {
        this.#ports.putRoute(ref, this.#routeOf(ref));
        routes.push(ref);
      }
    }
    this.#changed.clear();
    const isCounted = (ref: Ref): boolean => {
      const route = this.#routeOf(ref);
      return this.#forest.has(ref) || (route !== undefined && !this.#isFree(route));
    };
    for (const ref of new Set([...routes, ...this.#ports.refresh(reader)]))
      if (isCounted(ref)) nodes.push(ref);
    return nodes;
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

  /** Updates the upper bound of an object. */
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
        // Most objects over a budget exceed it even with all free amounts subtracted: this avoids a walk for each of
        // them.
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

  /** Adds the size of an object to the charged sum if it fits. */
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

  /**
   * The size of an object with all its includes, beyond its own content; undefined for an object that is not served.
   */
  #costOf(owner: CostNode, reader: Reader): Size | undefined {
    const known = this.#costs.get(owner.ref) ?? this.#count(owner, reader);
    this.#costs.set(owner.ref, known);
    return known === "unserved" ? undefined : known;
  }

  #count(owner: CostNode, reader: Reader): Size | "unserved" {
    const { settings } = reader;
    const [kind] = owner.ref.split("/");
    const route = isOfRoute(owner.ref) ? this.#routeOf(owner.ref) : undefined;
    if (route) return this.#countRoute(route, reader);
    const isServed =
      (isAllowedClass(owner, owner.className, settings) ||
        (kind === "Ingress" && isNginxClass(owner, owner.className, settings))) &&
      (kind === "Ingress" || isRootNamespace(owner.meta.namespace, settings));
    return isServed ? plus(this.#forest.total(owner.ref), owner.free, -1) : "unserved";
  }

  /** Whether a route is within the free hosts and ports, whatever its Gateways let in. */
  #isFree(route: RouteObject): boolean {
    const { hosts, ports } = this.#ports.boundsOf(route);
    return hosts <= freeHosts && ports <= freePorts && isWrittenOnce(route);
  }

  #countRoute(route: RouteObject, reader: Reader): Size {
    const { own, free } = gatewaySizes(route);
    const { pairs, hosts, ports } = attachCounts(route, reader);
    const freePairs = Math.min(pairs, Math.min(hosts, freeHosts) * Math.min(ports, freePorts));
    return plus(plus(nothing, own, pairs), free, -freePairs);
  }

  #routeOf(ref: Ref): RouteObject | undefined {
    const object = this.objectOf(ref);
    return object?.kind === "HTTPRoute" || object?.kind === "GRPCRoute" ? object : undefined;
  }
}

const isOfRoute = (ref: Ref): boolean => ref.startsWith("HTTPRoute/") || ref.startsWith("GRPCRoute/");

/** What the older objects of a namespace already include; it counts once for all of them. */
interface Found {
  readonly reached: Set<Ref>;
  readonly keySets: Set<string>;
}

/** An object that costs nothing is never over a budget. */
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

/** The inputs of the result besides the objects themselves and the ports of Gateways, as text. */
const rulesOf = ({ budgets, ingressClassNames, rootNamespaces }: SettingsSpec): string =>
  JSON.stringify([budgets, ingressClassNames, rootNamespaces]);
