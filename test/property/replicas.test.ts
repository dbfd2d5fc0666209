import { expect, it } from "vitest";
import { EnvoyRegistry } from "../../src/link/envoy-registry.js";
import { Publication } from "../../src/link/publish.js";
import { type Snapshot, xdsTypes } from "../../src/link/snapshot.js";
import { defaultPollTimes } from "../../src/schema/polls.js";
import { fc } from "../support/fast-check.js";
import { setOf, textOf } from "../support/resource-set.js";

/** The state after the n-th edit: one route, to a cluster of that edit or, every third time, to an earlier one. */
const clusterOf = (edit: number): string => `c${edit % 3 === 2 ? edit - 2 : edit}`;
const snapshotOf = (edit: number): Snapshot => ({
  sets: Object.fromEntries(
    xdsTypes.map((type) => [
      type,
      setOf(
        type === "clusters"
          ? { [clusterOf(edit)]: `{"name":"${clusterOf(edit)}"}` }
          : type === "routes"
            ? { r: `{"name":"r","to":"${clusterOf(edit)}"}` }
            : type === "listeners"
              ? { r: '{"name":"r","route_config_name":"r"}' }
              : {},
      ),
    ]),
  ) as unknown as Snapshot["sets"],
  mode: "inline",
  xdsCluster: "isoline",
  polls: defaultPollTimes,
  findings: [],
  tables: new Map(),
  split: new Set(),
  parts: new Set(),
});

const types = ["clusters", "listeners", "routes"] as const;
type PolledType = (typeof types)[number];
const namesOf = (type: PolledType): string[] => (type === "routes" ? ["r"] : []);

/** A replica: it sees edits with a short delay, and its clock differs. */
class Replica {
  #fleet = new EnvoyRegistry();
  publication: Publication;
  seen = -1;
  pausedUntil = 0;
  /** Disconnected from the Kubernetes cluster: it answers polls, but sees no edits. */
  blindUntil = 0;
  raises = 0;

  constructor(
    public clockMs: number,
    private readonly replicaMs = 0,
  ) {
    this.publication = this.#made();
  }

  #made(): Publication {
    this.#fleet = new EnvoyRegistry();
    const synced = (): boolean => this.blindUntil === 0;
    const replicaMs = this.replicaMs;
    return new Publication(this.#fleet, { raised: () => this.raises++, synced, replicaMs });
  }

  /** Restarts it, as after a crash with a store in memory, on a machine with another clock. */
  restart(clockMs: number): void {
    this.publication = this.#made();
    this.seen = -1;
    this.clockMs = clockMs;
  }

  see(edit: number, now: number): void {
    if (edit <= this.seen) return;
    this.seen = edit;
    this.publication.publish(snapshotOf(edit), now + this.clockMs, now);
  }

  /** Starts or ends the hold of a poll. */
  hold(node: string, type: PolledType, held: boolean): void {
    this.#fleet.hold({ token: { id: "", name: "" }, node }, type, namesOf(type), held);
  }

  /** Answers a poll without a hold. Undefined: there is no new content. */
  poll(
    node: string,
    type: PolledType,
    version: string,
    now: number,
  ): { version: string; names: string[] } | undefined {
    const request = { type, node, token: { id: "", name: "" }, version, names: namesOf(type) };
    if (this.seen < 0) return undefined;
    this.#fleet.observe(request, type, request.names, version, now);
    this.publication.learn(request, now);
    this.publication.advance(now);
    const answer = this.publication.answer(request, now);
    if (answer.kind !== "content" || (answer.notBefore ?? 0) > now) return undefined;
    this.#fleet.delivered(request, type, request.names, answer.selection.version, now);
    const { resources } = answer.selection;
    const text = [...resources.names()].map((name) => textOf(resources, name)).join("");
    const names = type === "clusters" ? [...resources.names()] : [/"to":"(\w+)"/.exec(text)?.[1] ?? ""];
    return { version: answer.selection.version, names };
  }
}

/** An Envoy whose polls go to any replica. A poll at a paused replica blocks until the replica continues, or for 30 s. */
class Envoy {
  readonly #has: Record<
    PolledType,
    { version: string; names: string[]; stuck?: { at: Replica; until: number } }
  > = {
    clusters: { version: "", names: [] },
    listeners: { version: "", names: [] },
    routes: { version: "", names: [] },
  };
  changes = 0;

  constructor(readonly node: string) {}

  get to(): string | undefined {
    return this.#has.routes.names[0];
  }

  /** Returns whether it got content. */
  poll(type: PolledType, chosen: Replica, now: number): boolean {
    const has = this.#has[type];
    let replica = chosen;
    if (has.stuck) {
      if (now < has.stuck.until && now < has.stuck.at.pausedUntil) return false;
      if (now < has.stuck.until) replica = has.stuck.at;
      delete has.stuck;
    }
    if (now < replica.pausedUntil) {
      has.stuck = { at: replica, until: now + 30_000 };
      return false;
    }
    const got = replica.poll(this.node, type, has.version, now);
    if (!got) return false;
    if (type === "routes" && got.names.join() !== has.names.join()) this.changes++;
    Object.assign(has, got);
    return true;
  }

  /** The clusters in its routes that it does not have. */
  get lacks(): string[] {
    return this.#has.routes.names.filter((name) => !this.#has.clusters.names.includes(name));
  }
}

const clock = fc.constantFrom(0, 0, 3, -40, 90_000, -90_000, 3_600_000, -86_400_000);
type Event =
  | { readonly do: "edit" }
  | { readonly do: "pause"; readonly replica: number; readonly ms: number }
  | { readonly do: "restart"; readonly replica: number; readonly clock: number };
interface Step {
  readonly ms: number;
  readonly envoy: number;
  readonly type: PolledType;
  readonly replica: number;
  readonly event: Event | null;
}
const edit: fc.Arbitrary<Event> = fc.constant({ do: "edit" });
const pause = fc.record({ do: fc.constant("pause" as const), replica: fc.nat(1), ms: fc.nat(25_000) });
const restart = fc.record({ do: fc.constant("restart" as const), replica: fc.nat(1), clock });
const stepsWith = (...events: readonly fc.Arbitrary<Event>[]): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      ms: fc.nat(400),
      envoy: fc.nat(1),
      type: fc.constantFrom(...types),
      replica: fc.nat(1),
      event: fc.option(fc.oneof(...events), { freq: 12 }),
    }),
    { minLength: 20, maxLength: 150 },
  );

/** Runs the steps on two replicas and two Envoys, and then polls without further edits until all have the last one. */
function simulate(clocks: readonly number[], steps: readonly Step[], look: (envoy: Envoy) => unknown) {
  let now = 10_000_000_000;
  let edits = 0;
  const lags = [100, 900];
  const seen: { edit: number; at: number }[] = [{ edit: 0, at: now - 1000 }];
  const replicas = clocks.map((ms) => new Replica(ms));
  const envoys = [new Envoy("one"), new Envoy("two")];
  const at = <T>(list: readonly T[], i: number): T => list[i % list.length] as T;
  const go = (ms: number): void => {
    now += ms;
    for (const [i, replica] of replicas.entries()) {
      if (now < replica.pausedUntil) continue;
      const last = seen.findLast((one) => now >= one.at + at(lags, i));
      if (last) replica.see(last.edit, now);
      replica.publication.advance(now);
    }
  };
  const poll = (envoy: number, type: PolledType, replica: number): void => {
    at(envoys, envoy).poll(type, at(replicas, replica), now);
    for (const one of envoys) look(one);
  };
  go(2000);
  for (const type of types) for (const i of [0, 1]) poll(i, type, i);
  for (const { ms, envoy, type, replica, event } of steps) {
    go(ms);
    if (event?.do === "edit") seen.push({ edit: ++edits, at: now });
    if (event?.do === "pause") at(replicas, event.replica).pausedUntil = now + event.ms;
    if (event?.do === "restart") at(replicas, event.replica).restart(event.clock);
    poll(envoy, type, replica);
  }
  let turn = 0;
  const rest = (ms: number): void => {
    for (const end = now + ms; now < end; ) {
      go(150);
      const replica = (turn * 7 + (turn >> 3)) % 5;
      for (const type of types) for (const i of [0, 1]) poll(i, type, replica + (turn % 3) * i);
      turn++;
    }
  };
  const quietAt = now;
  while (envoys.some(({ to }) => to !== clusterOf(edits)) && now - quietAt < 100_000) rest(1000);
  const tookMs = now - quietAt;
  rest(60_000);
  const before = envoys.map(({ changes }) => changes);
  rest(60_000);
  return {
    tookMs,
    flips: envoys.map(({ changes }, i) => changes - (before[i] ?? 0)),
    to: envoys.map(({ to }) => to),
    edits,
  };
}

/**
 * Runs steps in which an Envoy polls one replica and sometimes moves to the other one, possibly after a long time, while
 * one of them is disconnected from the Kubernetes cluster.
 */
function simulateMoves(moves: readonly Move[], look: (envoy: Envoy) => void): void {
  let now = 10_000_000_000;
  let edits = 0;
  const replicas = [new Replica(0, 240_000), new Replica(0, 240_000)];
  const envoy = new Envoy("one");
  const go = (ms: number, home: number): void => {
    for (const end = now + ms; now < end; ) {
      now += 100;
      for (const replica of replicas) {
        if (now >= replica.blindUntil) {
          replica.blindUntil = 0;
          // A watch continues from its last state.
          for (let one = replica.seen + 1; one <= edits; one++) replica.see(one, now);
        }
        replica.publication.advance(now);
      }
      for (const type of types) {
        replicas[(home + 1) % 2]?.hold(envoy.node, type, false);
        const replica = replicas[home % 2];
        if (!replica) continue;
        const isAnswered = envoy.poll(type, replica, now);
        replica.hold(envoy.node, type, !isAnswered);
        look(envoy);
      }
    }
  };
  go(1000, 0);
  for (const { ms, home, edit: edited, cutMs } of moves) {
    if (edited) edits++;
    const [cutOff] = replicas;
    // If both are disconnected, neither has all clusters to which Envoys may still route.
    if (cutOff && cutMs !== null) cutOff.blindUntil = now + cutMs;
    go(ms, home);
  }
}

interface Move {
  readonly ms: number;
  readonly home: number;
  readonly edit: boolean;
  /** The time for which the first replica is disconnected. */
  readonly cutMs: number | null;
}
const move: fc.Arbitrary<Move> = fc.record({
  ms: fc.oneof(fc.nat(500), fc.nat(5000), fc.nat(60_000)),
  home: fc.nat(1),
  edit: fc.boolean(),
  cutMs: fc.option(fc.nat(200_000), { freq: 3 }),
});

const runs = { numRuns: 20, endOnFailure: true };

it("no Envoy has a route without its cluster, for any spread of polls, differing clocks and paused replicas", () => {
  let longest = 0;
  fc.assert(
    fc.property(fc.tuple(clock, clock), stepsWith(edit, pause), (clocks, steps) => {
      const { tookMs } = simulate(clocks, steps, ({ lacks }) => expect(lacks).toEqual([]));
      longest = Math.max(longest, tookMs);
    }),
    runs,
  );
  // A poll at a stopped replica blocks for 30 s; the next one follows its answer.
  expect(longest).toBeLessThan(80_000);
});

it("no Envoy has a route without its cluster when it comes from a disconnected replica", () => {
  fc.assert(
    fc.property(fc.array(move, { minLength: 3, maxLength: 12 }), (moves) =>
      simulateMoves(moves, ({ lacks }) => expect(lacks).toEqual([])),
    ),
    { ...runs, numRuns: 100 },
  );
});

it("all Envoys converge on the last edit when replicas restart with other clocks, and none alternates between versions", () => {
  let longest = 0;
  fc.assert(
    fc.property(fc.tuple(clock, clock), stepsWith(edit, pause, restart), (clocks, steps) => {
      const { tookMs, flips, to, edits } = simulate(clocks, steps, (one) => one);
      expect(to).toEqual([clusterOf(edits), clusterOf(edits)]);
      expect(flips).toEqual([0, 0]);
      longest = Math.max(longest, tookMs);
    }),
    runs,
  );
  expect(longest).toBeLessThan(80_000);
});
