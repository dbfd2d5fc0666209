import type { XdsType } from "./snapshot.js";
import { parseVersion } from "./version.js";

/** What one subscription of an Envoy (a type, and for EDS, RDS and SDS a name) was given and has. */
interface Subscription {
  /** The version that Envoy reported last: what it has accepted. */
  accepted: string;
  /** What the last 200 carried. */
  delivered: string;
  deliveredAt: number;
  /** A delivered version that Envoy asked past: it was refused. */
  refused: string;
  readonly names: readonly string[];
  seen: number;
}

export interface NodeView {
  readonly node: string;
  readonly seen: number;
  readonly subscriptions: Readonly<Record<string, { accepted: string; refused?: string }>>;
}

const maxNodes = 1024;
const maxSubscriptions = 16_384;
const activeMs = 60_000;

const key = (type: XdsType, names: readonly string[]): string => `${type}/${names.join(",")}`;

/** What is known of the Envoys that poll: bounded, and only ever a hint (a lost view costs a phase its timer). */
export class Fleet {
  readonly #nodes = new Map<string, Map<string, Subscription>>();

  #subscription(node: string, type: XdsType, names: readonly string[], now: number): Subscription {
    const subscriptions = this.#nodes.get(node) ?? new Map<string, Subscription>();
    this.#nodes.delete(node);
    this.#nodes.set(node, subscriptions);
    for (const oldest of this.#nodes.keys()) {
      if (this.#nodes.size <= maxNodes) break;
      this.#nodes.delete(oldest);
    }
    const id = key(type, names);
    const found = subscriptions.get(id) ?? {
      accepted: "",
      delivered: "",
      deliveredAt: 0,
      refused: "",
      names,
      seen: now,
    };
    if (subscriptions.size < maxSubscriptions) subscriptions.set(id, found);
    return found;
  }

  /** A poll came in: the version that it carries is what the Envoy has. Says whether the last answer was refused. */
  observe(
    node: string,
    type: XdsType,
    names: readonly string[],
    version: string,
    now: number,
  ): { refused: boolean } {
    const subscription = this.#subscription(node, type, names, now);
    const { delivered } = subscription;
    if (delivered !== "" && version === delivered) subscription.refused = "";
    else if (delivered !== "" && version === subscription.accepted) subscription.refused = delivered;
    // An empty version is a new Envoy under the old name, not a refusal.
    if (version === "") subscription.refused = subscription.delivered = "";
    subscription.accepted = version;
    subscription.seen = now;
    return { refused: subscription.refused !== "" };
  }

  /** A version that the Envoy refused since it took the one it has, and when it was given. */
  refusal(
    node: string,
    type: XdsType,
    names: readonly string[],
  ): { version: string; at: number } | undefined {
    const found = this.#nodes.get(node)?.get(key(type, names));
    return found?.refused ? { version: found.refused, at: found.deliveredAt } : undefined;
  }

  delivered(node: string, type: XdsType, names: readonly string[], version: string, now: number): void {
    const subscription = this.#subscription(node, type, names, now);
    subscription.delivered = version;
    subscription.deliveredAt = now;
  }

  /**
   * Whether every Envoy that polled of late has what is served: each of its subscriptions of the type is up to date,
   * or refused just that. `versionOf` gives what is served for names; undefined when a name is not served any more.
   */
  hasAll(type: XdsType, versionOf: (names: readonly string[]) => string | undefined, now: number): boolean {
    for (const subscriptions of this.#nodes.values()) {
      for (const [id, { accepted, delivered, refused, seen, names }] of subscriptions) {
        if (!id.startsWith(`${type}/`) || now - seen > activeMs) continue;
        const version = versionOf(names);
        if (version === undefined || refused === version) continue;
        // Until the poll after a delivery, `accepted` is of the past: on the way from A to B and back to A it says A.
        if (delivered !== "" && delivered !== accepted && delivered !== refused) return false;
        if (parseVersion(accepted)?.hash !== parseVersion(version)?.hash) return false;
      }
    }
    return true;
  }

  /** For the status page: Envoys with what they have and what they refused. */
  views(): NodeView[] {
    return [...this.#nodes].map(([node, subscriptions]) => ({
      node,
      seen: Math.max(0, ...[...subscriptions.values()].map(({ seen }) => seen)),
      subscriptions: Object.fromEntries(
        [...subscriptions].map(([id, { accepted, refused }]) => [
          id,
          { accepted, ...(refused ? { refused } : {}) },
        ]),
      ),
    }));
  }
}
