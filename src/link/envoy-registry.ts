import type { EnvoyVersion } from "../xds/envoy-version.js";
import type { XdsType } from "./snapshot.js";

/** The state of one subscription of an Envoy: a type, and a name for EDS, RDS and SDS. */
export interface Subscription {
  readonly type: XdsType;
  readonly names: readonly string[];
  /** The version that Envoy reported last, which is the accepted one. */
  accepted: string;
  /** The version in the last answer with status 200. */
  delivered: string;
  deliveredAt: number;
  /** The delivered version that Envoy is known to have processed, accepted or not, before it reports that; empty without one. */
  processed: string;
  /** The last poll was direct: see `Poller`. */
  direct: boolean;
  /** The delivered version that Envoy rejected: its next poll still had the version from before. */
  refused: string;
  /** Since when it is known to have what it has, in ms. */
  since: number;
  seen: number;
  /** Its poll is held. While it is, no other replica can change the version `accepted`. */
  held: boolean;
  /** This replica delivered the accepted version, or served its content when Envoy first reported it. */
  inStep: boolean;
  /** This replica did not deliver the accepted version. */
  foreign: boolean;
  /** The last time at which the version changed to one of another replica: that replica also answers its polls. */
  otherReplicaAt: number;
  /** The time since which an answer is withheld; 0: none is. */
  withheldAt: number;
}

/** The known subscriptions of an Envoy, by `subscriptionKey`. */
export type Subscriptions = ReadonlyMap<string, Readonly<Subscription>>;

/**
 * The sender of a poll. The state of an Envoy belongs to its token and node id, so that a client can't act as an Envoy of
 * another token. Without tokens, all Envoys have the token with the empty id.
 */
export interface Poller {
  /** `id` is unique; `name` is for display, may be empty, and several tokens may share it. */
  readonly token: { readonly id: string; readonly name: string };
  /** `node.id` of the request. It is not verified. */
  readonly node: string;
  /** Its release, where it says so. */
  readonly envoy?: EnvoyVersion;
  /** All its polls use one connection to this replica, without a proxy between: the runtime notices when an answer is processed. */
  readonly direct?: boolean;
}

/** The Envoys of one token, by `node.id`; the one that polled last is at the end. */
interface Nodes {
  readonly name: string;
  readonly nodes: Map<string, Map<string, Subscription>>;
  /** The releases of those that report one. */
  readonly releases: Map<string, EnvoyVersion>;
  /** The last node of `nodes`. */
  latest: string;
  /** The number of subscriptions. */
  size: number;
}

/** An Envoy with what is known of it. */
export interface KnownEnvoy {
  /** The name of its token; empty where it has none. */
  readonly token: string;
  readonly node: string;
  readonly release: EnvoyVersion | undefined;
  readonly subscriptions: Subscriptions;
}

/** An Envoy reports that it has accepted the delivery of this replica. */
export interface Acceptance {
  /** The version that it had before; empty for none. */
  readonly before: string;
  /** Whether it had rejected an earlier delivery. */
  readonly afterRejection: boolean;
}

export interface NodeView {
  readonly node: string;
  /** The name of the token, if it has one. */
  readonly token?: string;
  /** The time of its last poll, in ms. */
  readonly seen: number;
  /** Whether it polled recently, or has a held poll. */
  readonly active: boolean;
  /** By type, and for EDS, RDS and SDS `<type>/<name>`. */
  readonly subscriptions: Readonly<Record<string, { accepted: string; refused?: string }>>;
}

/** Whether an Envoy rejected its last delivery of a type. */
export const refuses = ({ subscriptions }: NodeView, type: XdsType): boolean =>
  Object.entries(subscriptions).some(
    ([key, { refused }]) => refused !== undefined && key.split("/")[0] === type,
  );

/**
 * Limits on the state that clients of one token can create; a real Envoy requests one name at a time. The limit of nodes
 * equals the limit of held polls per token, because listeners and routes are withheld from an Envoy without state.
 */
export const maxNodes = 10_000;
const maxSubscriptions = 131_072;
const maxKey = 2048;
const activeMs = 60_000;

export const subscriptionKey = (type: XdsType, names: readonly string[] = []): string =>
  names.length === 0 ? type : `${type}/${names.join(",")}`;

/** Whether the subscription was polled recently. */
export const isActive = ({ held, seen }: Subscription, now: number): boolean =>
  held || now - seen <= activeMs;

/**
 * Removes the oldest nodes of a token that exceeds a limit; other tokens are not affected. Returns whether one of them
 * polled recently.
 */
function evict(known: Nodes, now: number): boolean {
  let wasActive = false;
  for (const [node, subscriptions] of known.nodes) {
    if (known.nodes.size <= maxNodes && known.size <= maxSubscriptions) break;
    wasActive ||= [...subscriptions.values()].some((one) => isActive(one, now));
    known.nodes.delete(node);
    known.releases.delete(node);
    known.size -= subscriptions.size;
  }
  return wasActive;
}

/**
 * The state of the Envoys that poll this replica. It is bounded, and correctness does not depend on it: missing state
 * only delays answers.
 */
export class EnvoyRegistry {
  readonly #tokens = new Map<string, Nodes>();
  /** The time at which an Envoy that polled recently was removed, above the limits. */
  #forgotAt = Number.NEGATIVE_INFINITY;
  /** Another number whenever what an Envoy has or refuses is another. */
  changes = 0;

  /** Gets or creates a subscription and makes its node the latest; undefined when its key is too long to store. */
  #touch(poller: Poller, type: XdsType, names: readonly string[], now: number): Subscription | undefined {
    const key = subscriptionKey(type, names);
    if (key.length > maxKey) return undefined;
    const { token, node } = poller;
    const known = this.#tokens.get(token.id) ?? {
      name: token.name,
      nodes: new Map(),
      releases: new Map(),
      latest: "",
      size: 0,
    };
    this.#tokens.set(token.id, known);
    const subscriptions = known.nodes.get(node) ?? new Map<string, Subscription>();
    if (poller.envoy) known.releases.set(node, poller.envoy);
    if (known.latest !== node || !known.nodes.has(node)) {
      // Only on a change of node: repeated deletion of the same key makes lookups in a Map slower.
      known.nodes.delete(node);
      known.nodes.set(node, subscriptions);
      known.latest = node;
    }
    const found = subscriptions.get(key);
    if (found) return found;
    const made: Subscription = {
      type,
      names,
      accepted: "",
      delivered: "",
      deliveredAt: 0,
      processed: "",
      direct: false,
      refused: "",
      since: now,
      seen: now,
      held: false,
      inStep: false,
      foreign: false,
      otherReplicaAt: Number.NEGATIVE_INFINITY,
      withheldAt: 0,
    };
    subscriptions.set(key, made);
    this.changes++;
    known.size++;
    if (evict(known, now)) this.#forgotAt = now;
    return made;
  }

  /** Whether more Envoys poll than are remembered, so that `active` does not have all of them. */
  isIncomplete(now: number): boolean {
    return now - this.#forgotAt <= activeMs;
  }

  #find({ token, node }: Poller, type: XdsType, names: readonly string[]): Subscription | undefined {
    return this.#tokens.get(token.id)?.nodes.get(node)?.get(subscriptionKey(type, names));
  }

  /** The known subscriptions of an Envoy. */
  of({ token, node }: Poller): Subscriptions | undefined {
    return this.#tokens.get(token.id)?.nodes.get(node);
  }

  /** The subscriptions of each Envoy that polled recently; the one that polled last comes last. */
  *active(now: number): Iterable<Subscriptions> {
    for (const { nodes } of this.#tokens.values())
      for (const subscriptions of nodes.values())
        for (const one of subscriptions.values())
          if (isActive(one, now)) {
            yield subscriptions;
            break;
          }
  }

  /** Notes that the Envoy has the content that this replica serves. */
  noteInStep(poller: Poller, type: XdsType, names: readonly string[]): void {
    const subscription = this.#find(poller, type, names);
    if (subscription) subscription.inStep = true;
  }

  /** Notes the start or end of the hold of a poll. */
  hold(poller: Poller, type: XdsType, names: readonly string[], held: boolean): void {
    const subscription = this.#find(poller, type, names);
    if (subscription) subscription.held = held;
  }

  /** Notes whether an answer is withheld. Returns the time since which it is, initially `now`. */
  withhold(poller: Poller, type: XdsType, names: readonly string[], withheld: boolean, now: number): number {
    const subscription = this.#find(poller, type, names);
    if (!subscription) return now;
    if (!withheld) subscription.withheldAt = 0;
    else if (subscription.withheldAt === 0) subscription.withheldAt = now;
    return subscription.withheldAt || now;
  }

  /**
   * Processes the version of a poll, which is the version that Envoy accepted. When it is still the version from before a
   * delivery (empty at first), Envoy rejected the delivery. REST has no other sign of a rejection. Returns a new
   * acceptance of a delivery of this replica.
   */
  observe(
    poller: Poller,
    type: XdsType,
    names: readonly string[],
    version: string,
    now: number,
  ): Acceptance | undefined {
    const subscription = this.#touch(poller, type, names, now);
    if (!subscription) return undefined;
    const { delivered, accepted, refused } = subscription;
    if (version !== accepted) {
      subscription.foreign = version !== "" && version !== delivered;
      subscription.inStep = version === delivered;
    }
    if (subscription.foreign && version !== accepted && accepted !== "") subscription.otherReplicaAt = now;
    if (delivered !== "" && version === delivered) subscription.refused = "";
    else if (delivered !== "" && version === subscription.accepted) subscription.refused = delivered;
    // An empty version after an accepted one comes from a new Envoy with the same node id.
    else if (version === "") subscription.refused = subscription.delivered = "";
    // The version comes from another replica, so the earlier delivery of this replica is obsolete.
    else if (version !== accepted) subscription.refused = subscription.delivered = "";
    if (!isActive(subscription, now)) subscription.withheldAt = 0;
    if (version !== accepted) subscription.since = now;
    if (version !== accepted || subscription.refused !== refused) this.changes++;
    subscription.accepted = version;
    subscription.direct = poller.direct === true;
    subscription.seen = now;
    const isNew = version !== accepted && version !== "" && version === delivered;
    return isNew ? { before: accepted, afterRejection: refused !== "" } : undefined;
  }

  /** The version that Envoy rejected after the accepted one, with the time of its delivery. */
  refusal(
    poller: Poller,
    type: XdsType,
    names: readonly string[],
  ): { version: string; at: number } | undefined {
    const found = this.#find(poller, type, names);
    return found?.refused ? { version: found.refused, at: found.deliveredAt } : undefined;
  }

  delivered(poller: Poller, type: XdsType, names: readonly string[], version: string, now: number): void {
    const subscription = this.#touch(poller, type, names, now);
    if (!subscription) return;
    subscription.delivered = version;
    subscription.deliveredAt = now;
    subscription.processed = "";
    subscription.withheldAt = 0;
  }

  /** Notes that the Envoy has processed a version, if that is still the last one that was delivered. */
  noteProcessed(poller: Poller, type: XdsType, names: readonly string[], version: string): void {
    const subscription = this.#find(poller, type, names);
    if (subscription?.delivered === version) subscription.processed = version;
  }

  /** Drops the state of names that are not served any more: it is obsolete if they are served again. */
  forget(type: XdsType, names: readonly string[]): void {
    for (const token of this.#tokens.values())
      for (const subscriptions of token.nodes.values())
        for (const name of names) if (subscriptions.delete(subscriptionKey(type, [name]))) token.size--;
  }

  /** All remembered Envoys. */
  *all(): Iterable<KnownEnvoy> {
    for (const { name: token, nodes, releases } of this.#tokens.values())
      for (const [node, subscriptions] of nodes)
        yield { token, node, release: releases.get(node), subscriptions };
  }

  /** The Envoys with their accepted and rejected versions, for the status page. */
  views(now: number): NodeView[] {
    return [...this.#tokens.values()].flatMap(({ name, nodes }) =>
      [...nodes].map(([node, subscriptions]) => ({
        node,
        ...(name ? { token: name } : {}),
        seen: [...subscriptions.values()].reduce((latest, { seen }) => Math.max(latest, seen), 0),
        active: [...subscriptions.values()].some((one) => isActive(one, now)),
        subscriptions: Object.fromEntries(
          [...subscriptions].map(([key, { accepted, refused }]) => [
            key,
            { accepted, ...(refused ? { refused } : {}) },
          ]),
        ),
      })),
    );
  }
}
