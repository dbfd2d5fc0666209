import type { XdsType } from "./snapshot.js";
import { parseVersion } from "./version.js";

/** What one subscription of an Envoy (a type, and for EDS, RDS and SDS a name) was given and has. */
interface Subscription {
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
}

type Subscriptions = Map<string, Subscription>;

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
  readonly nodes: Map<string, Subscriptions>;
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

/** Bounds on what the clients of a token can make it remember; a real Envoy asks for one name at a time. */
const maxNodes = 1024;
const maxSubscriptions = 131_072;
const maxKey = 2048;
const activeMs = 60_000;

const keyOf = (type: XdsType, names: readonly string[]): string =>
  names.length === 0 ? type : `${type}/${names.join(",")}`;

const isActive = ({ seen }: Subscription, now: number): boolean => now - seen <= activeMs;

/** Whether an Envoy that reports `accepted` has `version`, or newer from another replica. */
function has(accepted: string, version: string): boolean {
  if (accepted === version) return true;
  const [theirs, ours] = [parseVersion(accepted), parseVersion(version)];
  return theirs !== undefined && (theirs.hash === ours?.hash || theirs.sequence > (ours?.sequence ?? 0));
}

/** Beyond a bound a token's oldest nodes go, and those of no other token. */
function evict(known: Nodes): void {
  for (const [node, { size }] of known.nodes) {
    if (known.nodes.size <= maxNodes && known.size <= maxSubscriptions) return;
    known.nodes.delete(node);
    known.size -= size;
  }
}

/** What is known of the Envoys that poll: bounded, and only ever a hint (a lost view costs a phase its timer). */
export class Fleet {
  readonly #tokens = new Map<string, Nodes>();

  /** The subscription, made if need be; undefined when it is not one to remember. Makes its node the latest. */
  #touch(poller: Poller, type: XdsType, names: readonly string[], now: number): Subscription | undefined {
    const key = keyOf(type, names);
    if (key.length > maxKey) return undefined;
    const { token, node } = poller;
    const known = this.#tokens.get(token.id) ?? { name: token.name, nodes: new Map(), size: 0 };
    this.#tokens.set(token.id, known);
    const subscriptions: Subscriptions = known.nodes.get(node) ?? new Map();
    known.nodes.delete(node);
    known.nodes.set(node, subscriptions);
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
    };
    subscriptions.set(key, made);
    known.size++;
    evict(known);
    return made;
  }

  #find({ token, node }: Poller, type: XdsType, names: readonly string[]): Subscription | undefined {
    return this.#tokens.get(token.id)?.nodes.get(node)?.get(keyOf(type, names));
  }

  *#all(): Iterable<Subscriptions> {
    for (const { nodes } of this.#tokens.values()) yield* nodes.values();
  }

  /**
   * A poll came in: the version that it carries is what the Envoy has. The version from before a delivery again, which is
   * empty at first, means that what was delivered was refused (REST has no other sign of it).
   */
  observe(poller: Poller, type: XdsType, names: readonly string[], version: string, now: number): void {
    const subscription = this.#touch(poller, type, names, now);
    if (!subscription) return;
    const { delivered } = subscription;
    if (delivered !== "" && version === delivered) subscription.refused = "";
    else if (delivered !== "" && version === subscription.accepted) subscription.refused = delivered;
    // An empty version after one that was accepted is a new Envoy under the old name.
    else if (version === "") subscription.refused = subscription.delivered = "";
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
  }

  /**
   * Whether every Envoy that polled of late has what is served: each of its subscriptions of the type is up to date,
   * or refused just that. `versionOf` gives what is served for names; undefined when a name is not served any more.
   */
  hasAll(type: XdsType, versionOf: (names: readonly string[]) => string | undefined, now: number): boolean {
    for (const subscriptions of this.#all()) {
      for (const subscription of subscriptions.values()) {
        if (subscription.type !== type || !isActive(subscription, now)) continue;
        const { accepted, delivered, refused, names } = subscription;
        const version = versionOf(names);
        if (version === undefined || refused === version) continue;
        // Until the poll after a delivery, `accepted` is of the past: on the way from A to B and back to A it says A.
        if (delivered !== "" && delivered !== accepted && delivered !== refused) return false;
        if (!has(accepted, version)) return false;
      }
    }
    return true;
  }

  /**
   * Whether every Envoy that took its clusters of late has also accepted these endpoints: it reports new clusters as
   * accepted while they still wait for their first endpoints.
   */
  hasEndpoints(names: readonly string[], now: number): boolean {
    if (names.length === 0) return true;
    for (const subscriptions of this.#all()) {
      const clusters = subscriptions.get(keyOf("clusters", []));
      if (clusters?.refused !== "" || !isActive(clusters, now)) continue;
      for (const name of names) {
        const endpoints = subscriptions.get(keyOf("endpoints", [name]));
        if (!endpoints || (endpoints.accepted === "" && endpoints.refused === "")) return false;
      }
    }
    return true;
  }

  /** These names are not served any more: what Envoys had of them says nothing when they come back. */
  forget(type: XdsType, names: readonly string[]): void {
    for (const token of this.#tokens.values())
      for (const subscriptions of token.nodes.values())
        for (const name of names) if (subscriptions.delete(keyOf(type, [name]))) token.size--;
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
