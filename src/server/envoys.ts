import type { Context } from "hono";
import type { Engine } from "../engine/engine.js";
import type { PublishedChange } from "../engine/published-changes.js";
import { isActive, type KnownEnvoy, type Subscription } from "../link/envoy-registry.js";
import { type SubscriptionState, stateOf } from "../link/progress.js";
import { selectVersion } from "../link/served.js";
import { type XdsType, xdsTypes } from "../link/snapshot.js";
import { parseVersion } from "../link/version.js";
import type { EnvoyCounts } from "../verdict/overview.js";
import type { Hub } from "./hub.js";
import type { PollsView } from "./hub-options.js";
import { pageOf } from "./paging.js";
import { problem, uncached } from "./problem.js";
import { Remembered } from "./remembered.js";

/** The state of one type of an Envoy: the worst state of its subscriptions. */
interface TypeState {
  readonly state: SubscriptionState;
  /** The time since which it has this state, in ms since the epoch. */
  readonly since: number;
  /** The number of its subscriptions of the type, and of those that are not current. */
  readonly subscriptions: number;
  readonly others: number;
}

export interface EnvoyRow {
  readonly node: string;
  readonly token: string;
  /** The release of Envoy, such as `1.40`; absent if Envoy does not send it. */
  readonly release?: string;
  /** The time of its last poll, in ms since the epoch. */
  readonly seen: number;
  readonly active: boolean;
  readonly state: SubscriptionState;
  readonly types: Readonly<Partial<Record<XdsType, TypeState>>>;
}

/** The states, worst first. */
const states: readonly SubscriptionState[] = ["refused", "never", "behind", "current"];
const rankOf = (state: SubscriptionState): number => states.indexOf(state);
const freshMs = 5000;

/** The known Envoys with their states, by type and subscription. */
export class EnvoyList {
  #recent: readonly PublishedChange[] = [];
  readonly #remembered: Remembered<readonly EnvoyRow[]>;

  constructor(
    private readonly hub: Hub,
    private readonly engine: Engine,
  ) {
    this.#remembered = new Remembered({ make: () => this.#allRows(), now: () => hub.now(), freshMs });
  }

  /** All known Envoys, those with the worst state first. */
  get rows(): readonly EnvoyRow[] {
    return this.#remembered.get(`${this.hub.fleet.changes} ${this.engine.sequence}`);
  }

  #allRows(): readonly EnvoyRow[] {
    const now = this.hub.now();
    this.#recent = this.engine.changes.list(maxLacking);
    const rows = [...this.hub.fleet.all()].map((envoy) => this.#rowOf(envoy, now));
    return rows.sort((a, b) => rankOf(a.state) - rankOf(b.state) || (a.node < b.node ? -1 : 1));
  }

  #rowOf({ node, token, release, subscriptions }: KnownEnvoy, now: number): EnvoyRow {
    const types: Partial<Record<XdsType, TypeState>> = {};
    let seen = 0;
    let active = false;
    let worst: SubscriptionState = "current";
    for (const subscription of subscriptions.values()) {
      seen = Math.max(seen, subscription.seen);
      active ||= isActive(subscription, now);
      const state = this.#stateOf(subscription);
      if (state === undefined) continue;
      const { type } = subscription;
      const since = this.#since(subscription, state);
      const before = types[type] ?? { state: "current", since, subscriptions: 0, others: 0 };
      const isWorse = rankOf(state) < rankOf(before.state) || before.subscriptions === 0;
      types[type] = {
        ...(isWorse ? { state, since } : { state: before.state, since: Math.min(before.since, since) }),
        subscriptions: before.subscriptions + 1,
        others: before.others + (state === "current" ? 0 : 1),
      };
      if (rankOf(state) < rankOf(worst)) worst = state;
    }
    return {
      node,
      token,
      ...(release ? { release: `${release.major}.${release.minor}` } : {}),
      seen,
      active,
      state: worst,
      types,
    };
  }

  /** Undefined if nothing is served for the subscription, for example after its name was removed. */
  #stateOf(subscription: Subscription): SubscriptionState | undefined {
    const version = this.#servedVersion(subscription);
    return version === undefined ? undefined : stateOf(subscription, version);
  }

  #servedVersion({ type, names }: Subscription): string | undefined {
    const served = this.hub.publication.served(type);
    const selection = served && selectVersion(served, names);
    return selection && selection.resources.size > 0 ? selection.version : undefined;
  }

  #since({ type, since, deliveredAt, accepted }: Subscription, state: SubscriptionState): number {
    if (state === "refused") return deliveredAt;
    if (state !== "behind") return since;
    return this.#lacking(type, accepted).at(-1)?.at ?? since;
  }

  /** The changes of a type that an Envoy with the version `accepted` does not have, newest first. */
  #lacking(type: XdsType, accepted: string): readonly PublishedChange[] {
    const { sequence = 0 } = parseVersion(accepted) ?? {};
    return this.#recent.filter((one) => one.sequence > sequence && one.types.includes(type));
  }

  get polls(): PollsView {
    return this.hub.polls;
  }

  get counts(): EnvoyCounts {
    const active = this.rows.filter((row) => row.active);
    const of = (state: SubscriptionState): readonly EnvoyRow[] => active.filter((row) => row.state === state);
    const refusals = xdsTypes.flatMap((type) => {
      const refusing = active.flatMap(({ types }) =>
        types[type]?.state === "refused" ? [types[type].since] : [],
      );
      return refusing.length > 0 ? [{ type, since: Math.min(...refusing), count: refusing.length }] : [];
    });
    const waiting = [...of("behind"), ...of("never")].flatMap(({ types }) =>
      Object.values(types).flatMap(({ state, since }) =>
        state === "behind" || state === "never" ? [since] : [],
      ),
    );
    return {
      total: active.length,
      current: of("current").length,
      behind: of("behind").length,
      refusing: of("refused").length,
      never: of("never").length,
      away: this.rows.length - active.length,
      refusals,
      ...(waiting.length > 0 ? { waitingSince: Math.min(...waiting) } : {}),
    };
  }

  /** An Envoy with its subscriptions, those that are not current first; undefined if the Envoy is not known. */
  detail(node: string, token: string): EnvoyDetail | undefined {
    const row = this.rows.find((one) => one.node === node && one.token === token);
    const known = [...this.hub.fleet.all()].find((one) => one.node === node && one.token === token);
    if (!row || !known) return undefined;
    const subscriptions = [...known.subscriptions.values()].flatMap((one) => {
      const version = this.#servedVersion(one);
      if (version === undefined) return [];
      const state = stateOf(one, version);
      const { type, names, accepted, refused } = one;
      const since = this.#since(one, state);
      return [{ type, names, state, since, accepted, served: version, ...(refused ? { refused } : {}) }];
    });
    subscriptions.sort((a, b) => rankOf(a.state) - rankOf(b.state));
    const lacks = new Map<number, PublishedChange>();
    for (const { type, state, accepted } of subscriptions)
      if (state === "behind" || state === "refused")
        for (const change of this.#lacking(type, accepted)) lacks.set(change.number, change);
    return {
      envoy: row,
      subscriptions: subscriptions.slice(0, maxSubscriptions),
      more: Math.max(0, subscriptions.length - maxSubscriptions),
      lacks: [...lacks.values()].sort((a, b) => b.number - a.number),
    };
  }
}

const maxSubscriptions = 200;
const maxLacking = 20;

export interface EnvoyDetail {
  readonly envoy: EnvoyRow;
  readonly subscriptions: readonly {
    readonly type: XdsType;
    readonly names: readonly string[];
    readonly state: SubscriptionState;
    readonly since: number;
    /** The version that the Envoy has; empty if it has none. */
    readonly accepted: string;
    readonly served: string;
    readonly refused?: string;
  }[];
  readonly more: number;
  /**
   * The published changes that the Envoy does not have, newest first. Only the last `maxLacking` changes are compared.
   */
  readonly lacks: readonly PublishedChange[];
}

/** The response of `GET /envoys`. */
export interface EnvoyPage {
  readonly total: number;
  readonly next?: number;
  readonly envoys: readonly EnvoyRow[];
  /** Absent from servers of earlier versions. */
  readonly polls?: PollsView;
}

/**
 * `GET /envoys?after=N&limit=N`: Envoys, those with the worst state first. With `?node=ID&token=NAME`: one Envoy with
 * its subscriptions.
 */
export function answerEnvoys(c: Context, list: EnvoyList): Response {
  const { node, token = "" } = c.req.query();
  if (node !== undefined) {
    const detail = list.detail(node, token);
    return detail
      ? c.json(detail, 200, uncached)
      : problem(c, 404, "not-found", "no Envoy of this node and token is remembered");
  }
  const page = pageOf(c, list.rows);
  if (page instanceof Response) return page;
  const { items, ...rest } = page;
  return c.json({ ...rest, envoys: items, polls: list.polls }, 200, uncached);
}
