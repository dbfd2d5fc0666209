import type { XdsType } from "./snapshot.js";

/** What one subscription of an Envoy (a type, and for EDS, RDS and SDS a name) was given and has. */
export interface Subscription {
  readonly type: XdsType;
  readonly names: readonly string[];
  /** The version that Envoy reported last: what it has accepted. */
  accepted: string;
  /** What the last 200 carried. */
  delivered: string;
  deliveredAt: number;
  /** A delivered version that Envoy asked past: it was refused. */
  refused: string;
  seen: number;
  /** Its poll is being held: what Envoy has is `accepted`, and no other replica can have changed that since. */
  held: boolean;
  /** What it has was given here, or was served here when it was reported first. */
  inStep: boolean;
  /** What it has was not given here. */
  foreign: boolean;
  /** When it last had something that was not given here after something else: another replica answers it, too. */
  otherReplicaAt: number;
  /** Since when there is an answer that Envoy is better not given yet; 0: there is none. */
  withheldAt: number;
}

/** What is known of an Envoy, by `subscriptionKey`. */
export type Subscriptions = ReadonlyMap<string, Readonly<Subscription>>;

/**
 * Who polls: what is known of an Envoy belongs to its token and its id, so that no token can pose as an Envoy of another. With
 * no tokens all have that of the empty id.
 */
export interface Poller {
  /** `id` sets tokens apart; `name` is for people, and may be empty or that of several tokens. */
  readonly token: { readonly id: string; readonly name: string };
  /** `node.id`, as the client says it. */
  readonly node: string;
}

/** What is known of the Envoys of one token, by `node.id`; the one that polled last is at the end. */
interface Nodes {
  readonly name: string;
  readonly nodes: Map<string, Map<string, Subscription>>;
  /** The one at the end. */
  latest: string;
  /** How many subscriptions there are. */
  size: number;
}

export interface NodeView {
  readonly node: string;
  /** The token's name, where it has one. */
  readonly token?: string;
  /** When it polled last, in ms. */
  readonly seen: number;
  /** By type, and for EDS, RDS and SDS `<type>/<name>`. */
  readonly subscriptions: Readonly<Record<string, { accepted: string; refused?: string }>>;
}

/** Whether an Envoy has refused what it was given last of a type. */
export const refuses = ({ subscriptions }: NodeView, type: XdsType): boolean =>
  Object.entries(subscriptions).some(
    ([key, { refused }]) => refused !== undefined && key.split("/")[0] === type,
  );

/**
 * Bounds on what the clients of a token can make it remember; a real Envoy asks for one name at a time. As many Envoys as one token may
 * have polls held: listeners and routes are withheld from an Envoy that is forgotten.
 */
export const maxNodes = 10_000;
const maxSubscriptions = 131_072;
const maxKey = 2048;
const activeMs = 60_000;

export const subscriptionKey = (type: XdsType, names: readonly string[] = []): string =>
  names.length === 0 ? type : `${type}/${names.join(",")}`;

/** Whether it was polled of late. */
export const isActive = ({ held, seen }: Subscription, now: number): boolean =>
  held || now - seen <= activeMs;

/** Beyond a bound a token's oldest nodes go, and those of no other token. */
function evict(known: Nodes): void {
  for (const [node, { size }] of known.nodes) {
    if (known.nodes.size <= maxNodes && known.size <= maxSubscriptions) return;
    known.nodes.delete(node);
    known.size -= size;
  }
}

/** What is known of the Envoys that poll this replica: bounded, and only ever a hint (what is not known costs time). */
export class EnvoyRegistry {
  readonly #tokens = new Map<string, Nodes>();

  /** The subscription, made if need be; undefined when it is not one to remember. Makes its node the latest. */
  #touch(poller: Poller, type: XdsType, names: readonly string[], now: number): Subscription | undefined {
    const key = subscriptionKey(type, names);
    if (key.length > maxKey) return undefined;
    const { token, node } = poller;
    const known = this.#tokens.get(token.id) ?? { name: token.name, nodes: new Map(), latest: "", size: 0 };
    this.#tokens.set(token.id, known);
    const subscriptions = known.nodes.get(node) ?? new Map<string, Subscription>();
    if (known.latest !== node || !known.nodes.has(node)) {
      // A Map finds a key the slower the more often the same key was deleted.
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
      refused: "",
      seen: now,
      held: false,
      inStep: false,
      foreign: false,
      otherReplicaAt: Number.NEGATIVE_INFINITY,
      withheldAt: 0,
    };
    subscriptions.set(key, made);
    known.size++;
    evict(known);
    return made;
  }

  #find({ token, node }: Poller, type: XdsType, names: readonly string[]): Subscription | undefined {
    return this.#tokens.get(token.id)?.nodes.get(node)?.get(subscriptionKey(type, names));
  }

  /** What is known of an Envoy here. */
  of({ token, node }: Poller): Subscriptions | undefined {
    return this.#tokens.get(token.id)?.nodes.get(node);
  }

  /** What is known of each Envoy that polled here of late; the one that polled last comes last. */
  *active(now: number): Iterable<Subscriptions> {
    for (const { nodes } of this.#tokens.values())
      for (const subscriptions of nodes.values())
        for (const one of subscriptions.values())
          if (isActive(one, now)) {
            yield subscriptions;
            break;
          }
  }

  /** It has what is served here. */
  keepsStep(poller: Poller, type: XdsType, names: readonly string[]): void {
    const subscription = this.#find(poller, type, names);
    if (subscription) subscription.inStep = true;
  }

  /** A poll begins or ends to be held. */
  hold(poller: Poller, type: XdsType, names: readonly string[], held: boolean): void {
    const subscription = this.#find(poller, type, names);
    if (subscription) subscription.held = held;
  }

  /** Notes whether there is an answer that is not given yet. Returns since when, `now` at first. */
  withhold(poller: Poller, type: XdsType, names: readonly string[], withheld: boolean, now: number): number {
    const subscription = this.#find(poller, type, names);
    if (!subscription) return now;
    if (!withheld) subscription.withheldAt = 0;
    else if (subscription.withheldAt === 0) subscription.withheldAt = now;
    return subscription.withheldAt || now;
  }

  /**
   * A poll came in: the version that it carries is what the Envoy has. The version from before a delivery again, which is
   * empty at first, means that what was delivered was refused (REST has no other sign of it).
   */
  observe(poller: Poller, type: XdsType, names: readonly string[], version: string, now: number): void {
    const subscription = this.#touch(poller, type, names, now);
    if (!subscription) return;
    const { delivered, accepted } = subscription;
    if (version !== accepted) {
      subscription.foreign = version !== "" && version !== delivered;
      subscription.inStep = version === delivered;
    }
    if (subscription.foreign && version !== accepted && accepted !== "") subscription.otherReplicaAt = now;
    if (delivered !== "" && version === delivered) subscription.refused = "";
    else if (delivered !== "" && version === subscription.accepted) subscription.refused = delivered;
    // An empty version after one that was accepted is a new Envoy under the old name.
    else if (version === "") subscription.refused = subscription.delivered = "";
    // Given by another replica: what was delivered here before says nothing any more.
    else if (version !== accepted) subscription.refused = subscription.delivered = "";
    if (!isActive(subscription, now)) subscription.withheldAt = 0;
    subscription.accepted = version;
    subscription.seen = now;
  }

  /** A version that the Envoy refused since it took the one it has, and when it was given. */
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
    subscription.withheldAt = 0;
  }

  /** These names are not served any more: what Envoys had of them says nothing when they come back. */
  forget(type: XdsType, names: readonly string[]): void {
    for (const token of this.#tokens.values())
      for (const subscriptions of token.nodes.values())
        for (const name of names) if (subscriptions.delete(subscriptionKey(type, [name]))) token.size--;
  }

  /** For the status page: Envoys with what they have and what they refused. */
  views(): NodeView[] {
    return [...this.#tokens.values()].flatMap(({ name, nodes }) =>
      [...nodes].map(([node, subscriptions]) => ({
        node,
        ...(name ? { token: name } : {}),
        seen: [...subscriptions.values()].reduce((latest, { seen }) => Math.max(latest, seen), 0),
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
