import { describe, expect, it } from "vitest";
import { EnvoyRegistry, maxNodes } from "../../src/link/envoy-registry.js";
import { Publication } from "../../src/link/publish.js";
import { isByName } from "../../src/link/respond.js";
import { type Snapshot, type XdsType, xdsTypes } from "../../src/link/snapshot.js";
import { parseVersion } from "../../src/link/version.js";
import { defaultPollTimes } from "../../src/schema/polls.js";
import { fc } from "../support/fast-check.js";
import { setOf, textOf } from "../support/resource-set.js";

type Sets = Partial<Record<XdsType, Readonly<Record<string, string>>>>;

const snapshot = (sets: Sets): Snapshot => ({
  sets: Object.fromEntries(
    xdsTypes.map((type) => [type, setOf(sets[type] ?? {})]),
  ) as unknown as Snapshot["sets"],
  mode: "eds",
  xdsCluster: "isoline",
  polls: defaultPollTimes,
  findings: [],
  tables: new Map(),
  split: new Set(),
  parts: new Set(),
});

/** A cluster with endpoints and a route to it. */
const serving = (name: string): Sets => ({
  clusters: { [name]: `{"name":"${name}"}` },
  endpoints: { [name]: `{"cluster_name":"${name}"}` },
  listeners: { l: '{"name":"l","route_config_name":"r"}' },
  routes: { r: `{"name":"r","to":"${name}"}` },
});

const token = { id: "", name: "" };

/** A publication, and clients that poll it like Envoy. */
function rig(options: ConstructorParameters<typeof Publication>[1] = {}) {
  const fleet = new EnvoyRegistry();
  const publication = new Publication(fleet, options);
  let now = 1_000_000;
  const names = (type: XdsType): string[] => [...(publication.served(type)?.set.names() ?? [])];
  /** Polls once without a hold; returns the version after it. */
  const poll = (type: XdsType, version: string, name?: string, node = "envoy"): string => {
    const request = { type, node, token, version, names: name === undefined ? [] : [name] };
    fleet.observe(request, type, request.names, version, now);
    publication.learn(request, now);
    publication.advance(now);
    const answer = publication.answer(request, now);
    if (answer.kind !== "content" || (answer.notBefore ?? 0) > now) return version;
    fleet.delivered(request, type, request.names, answer.selection.version, now);
    return answer.selection.version;
  };
  return {
    fleet,
    publication,
    names,
    poll,
    /** The Envoy is known to have processed the last answer, or one with another version. */
    processed: (type: XdsType, name?: string, version?: string): void => {
      const request = { node: "envoy", token };
      const subscriptions = fleet.of(request);
      const last = subscriptions?.get(name === undefined ? type : `${type}/${name}`)?.delivered ?? "";
      fleet.noteProcessed(request, type, name === undefined ? [] : [name], version ?? last);
    },
    publish: (sets: Sets, sequence = 1) => publication.publish(snapshot(sets), sequence, now),
    tick: (ms: number) => {
      now += ms;
      return publication.advance(now);
    },
    /** Polls twice, so that the Envoy has the served version of a type and has accepted it. */
    settle: (type: XdsType, version: string, name?: string, node?: string) =>
      [1, 2].reduce((has) => poll(type, has, name, node), version),
  };
}

/** The versions of an Envoy that has all served resources. */
function upToDate({ settle }: ReturnType<typeof rig>, node = "envoy") {
  return {
    clusters: settle("clusters", "", undefined, node),
    endpoints: settle("endpoints", "", "blue", node),
    listeners: settle("listeners", "", undefined, node),
    routes: settle("routes", "", "r", node),
  };
}

/** Checks that an Envoy from another replica gets the clusters of green first, and then its routes. */
function expectClustersFirst(one: ReturnType<typeof rig>, has: ReturnType<typeof upToDate>): void {
  expect(one.poll("routes", has.routes, "r")).toBe(has.routes);
  expect(one.poll("clusters", has.clusters)).toBe(has.clusters);
  one.tick(2000);
  one.settle("clusters", has.clusters);
  one.settle("endpoints", "", "green");
  expect(one.poll("routes", has.routes, "r")).not.toBe(has.routes);
}

describe("phases", () => {
  it("keeps resources that Envoys of another replica may need when no Envoy polls", () => {
    const { publish, publication, names, tick } = rig();
    publish(serving("blue"));
    publish(serving("green"), 2);
    tick(69_999);
    expect(names("clusters")).toEqual(["blue", "green"]);
    tick(1);
    expect(publication.phase).toBe("settled");
    expect([names("clusters"), names("endpoints")]).toEqual([
      ["blue", "green"],
      ["blue", "green"],
    ]);
    tick(300_000);
    expect(publication.deadline).toBeUndefined();
    expect([names("clusters"), names("endpoints")]).toEqual([["green"], ["green"]]);
  });

  it("sends an Envoy routes when it has the clusters and the endpoints of new ones", () => {
    const one = rig();
    one.publish(serving("blue"));
    const has = upToDate(one);
    one.publish(serving("green"), 2);
    expect(one.poll("routes", has.routes, "r")).toBe(has.routes);
    one.settle("clusters", has.clusters);
    expect(one.poll("routes", has.routes, "r")).toBe(has.routes);
    one.settle("endpoints", "", "green");
    expect(one.poll("routes", has.routes, "r")).not.toBe(has.routes);
  });

  it("does not wait for other Envoys", () => {
    const one = rig();
    one.publish(serving("blue"));
    const has = upToDate(one);
    upToDate(one, "slow");
    one.publish(serving("green"), 2);
    one.settle("clusters", has.clusters);
    one.settle("endpoints", "", "green");
    expect(one.poll("routes", has.routes, "r")).not.toBe(has.routes);
  });

  it("withholds routes from an Envoy with clusters of another replica until it certainly has the new ones", () => {
    const one = rig();
    one.publish(serving("blue"));
    const routes = one.settle("routes", "", "r");
    one.publish(serving("green"), 2);
    one.tick(34_999);
    expect(one.poll("routes", routes, "r")).toBe(routes);
    one.tick(1);
    expect(one.poll("routes", routes, "r")).not.toBe(routes);
  });

  it("withholds routes from an Envoy of an outdated replica until it has the clusters", () => {
    const [old, one] = [rig(), rig()];
    for (const each of [old, one]) each.publish(serving("blue"));
    const has = upToDate(old);
    one.publish(serving("green"), 2);
    one.tick(100_000);
    expectClustersFirst(one, has);
  });

  it("does so also when the Envoy polled this replica before", () => {
    const [old, one] = [rig(), rig()];
    for (const each of [old, one]) each.publish(serving("blue"));
    upToDate(one);
    old.publish(serving("red"), 2);
    old.tick(100_000);
    const has = upToDate(old);
    one.publish(serving("green"), 30);
    one.tick(50_000);
    expectClustersFirst(one, has);
  });

  it("detects from the reported version what another replica sent an Envoy", () => {
    const [one, other] = [rig(), rig()];
    one.publish(serving("blue"));
    const has = upToDate(one);
    // The other replica still serves a version from between.
    other.publish({ ...serving("red"), clusters: { red: '{"name":"red"}' } });
    other.settle("clusters", "");
    other.publish(serving("green"), 5);
    const theirs = other.settle("clusters", "");
    expect(other.names("clusters")).toEqual(["green", "red"]);
    one.publish(serving("green"), 2);
    one.settle("endpoints", "", "green");
    one.poll("clusters", theirs);
    expect(one.poll("routes", has.routes, "r")).not.toBe(has.routes);
  });

  it("keeps a removed cluster while Envoys still have routes to it", () => {
    const one = rig();
    one.publish(serving("blue"));
    const has = upToDate(one);
    one.publish(serving("green"), 2);
    one.settle("clusters", has.clusters);
    one.settle("endpoints", "", "green");
    one.poll("listeners", has.listeners);
    expect([one.names("clusters"), one.names("endpoints")]).toEqual([
      ["blue", "green"],
      ["blue", "green"],
    ]);
    const switched = one.poll("routes", has.routes, "r");
    expect(one.publication.phase).toBe("switching");
    one.poll("routes", switched, "r");
    expect(one.publication.phase).toBe("settled");
    one.tick(300_000);
    expect([one.names("clusters"), one.names("endpoints")]).toEqual([["green"], ["green"]]);
  });

  it("keeps it for an Envoy that other replicas also answer, and removes it by time, also after another snapshot", () => {
    const one = rig();
    one.publish(serving("blue"));
    upToDate(one);
    for (let i = 0; i < 9; i++) {
      one.publish(serving(`c${i}`), i + 2);
      expect(one.names("clusters").includes("blue")).toBe(i < 7);
      one.tick(10_000);
    }
    one.tick(70_000);
    expect(one.publication.phase).toBe("settled");
    one.tick(300_000);
    expect(one.names("clusters")).toEqual(["c8"]);
  });

  it("sends routes to a direct Envoy as soon as it has processed the clusters and their endpoints", () => {
    const { publish, poll, processed, ...one } = rig();
    publish(serving("blue"));
    const has = upToDate({ publish, poll, processed, ...one });
    publish(serving("green"), 2);
    poll("clusters", has.clusters);
    expect(poll("routes", has.routes, "r")).toBe(has.routes);
    processed("clusters");
    expect(poll("routes", has.routes, "r")).toBe(has.routes);
    poll("endpoints", "", "green");
    expect(poll("routes", has.routes, "r")).toBe(has.routes);
    processed("endpoints", "green");
    expect(poll("routes", has.routes, "r")).not.toBe(has.routes);
  });

  it("ignores that an Envoy has processed an older version than the last one", () => {
    const { publish, poll, processed, ...one } = rig();
    publish({ ...serving("blue"), endpoints: {} });
    const has = one.settle("clusters", "");
    const routes = one.settle("routes", "", "r");
    publish({ ...serving("green"), endpoints: {} }, 2);
    const green = poll("clusters", has);
    publish({ ...serving("red"), endpoints: {} }, 3);
    processed("clusters", undefined, green);
    expect(poll("routes", routes, "r")).toBe(routes);
    poll("clusters", has);
    processed("clusters", undefined, green);
    expect(poll("routes", routes, "r")).toBe(routes);
    processed("clusters");
    expect(poll("routes", routes, "r")).not.toBe(routes);
  });

  it("waits for the time of unused clusters when more Envoys poll than are remembered", () => {
    const one = rig();
    one.publish(serving("blue"));
    for (let i = 0; i <= maxNodes; i++) one.poll("clusters", "", undefined, `n${i}`);
    const has = upToDate(one);
    one.publish(serving("green"), 2);
    one.settle("clusters", has.clusters);
    one.settle("endpoints", "", "green");
    one.settle("listeners", has.listeners);
    one.settle("routes", has.routes, "r");
    expect(one.publication.phase).toBe("switching");
    one.tick(70_000);
    expect(one.publication.phase).toBe("settled");
  });

  it("forgets Envoys after a minute", () => {
    const one = rig();
    const { publish, publication, poll, tick } = one;
    publish(serving("blue"));
    poll("clusters", "");
    tick(60_001);
    const has = upToDate(one, "other");
    one.settle("clusters", has.clusters, undefined, "other");
    expect(publication.phase).toBe("settled");
  });

  it("sends routes at once when no cluster is new", () => {
    const one = rig();
    one.publish(serving("blue"));
    const routes = one.settle("routes", "", "r");
    const changed = one.publish({ ...serving("blue"), routes: { r: '{"name":"r","n":1}' } }, 2);
    expect(changed).toEqual(["routes"]);
    expect(one.poll("routes", routes, "r")).not.toBe(routes);
  });

  it("sends them at once to the maximum number of Envoys with held polls of one token", () => {
    const one = rig();
    one.publish(serving("blue"));
    const envoys = Array.from({ length: maxNodes }, (_, i) => `envoy-${i}`);
    const had = envoys.map((node) => one.settle("routes", "", "r", node));
    one.tick(60_000);
    one.publish({ ...serving("blue"), routes: { r: '{"name":"r","n":1}' } }, 2);
    expect(envoys.filter((node, i) => one.poll("routes", had[i] ?? "", "r", node) === had[i])).toEqual([]);
  });

  it("sends the routes also when new snapshots follow in quick succession", () => {
    const one = rig();
    one.publish(serving("blue"));
    const routes = one.settle("routes", "", "r");
    let has = routes;
    for (let i = 0; i < 40; i++) {
      one.publish({ ...serving("green"), clusters: { green: `{"name":"green","n":${i}}` } }, i + 2);
      one.tick(1000);
      has = one.poll("routes", has, "r");
    }
    expect(has).not.toBe(routes);
  });

  it("treats an Envoy that rejected its clusters as one that has them", () => {
    const one = rig();
    one.publish(serving("blue"));
    const has = upToDate(one);
    one.publish(
      {
        ...serving("blue"),
        clusters: { blue: '{"name":"blue","bad":1}' },
        routes: { r: '{"name":"r","n":1}' },
      },
      2,
    );
    one.poll("clusters", has.clusters);
    expect(one.poll("routes", has.routes, "r")).toBe(has.routes);
    one.poll("clusters", has.clusters);
    expect(one.poll("routes", has.routes, "r")).not.toBe(has.routes);
  });
});

describe("an Envoy with a newer version", () => {
  const ahead = (sequence: number): string => `${sequence}-${"a".repeat(16)}`;

  it("gets the next publication, independent of the clock", () => {
    const { publish, publication, poll } = rig();
    publish(serving("blue"), 1000);
    expect(poll("clusters", ahead(91_000))).toBe(ahead(91_000));
    publish(serving("green"), 1001);
    expect(parseVersion(publication.served("clusters")?.version ?? "")?.sequence).toBeGreaterThan(91_000);
  });

  it("is overridden after some time, in which this replica may see the edits of another one", () => {
    const { publish, poll, tick } = rig();
    publish(serving("blue"), 1000);
    poll("clusters", ahead(91_000));
    tick(4999);
    expect(poll("clusters", ahead(91_000))).toBe(ahead(91_000));
    expect(tick(1)).toContain("clusters");
    poll("clusters", ahead(91_000));
    tick(2000);
    expect(poll("clusters", ahead(91_000))).not.toBe(ahead(91_000));
  });

  it("is not overridden by a replica that is not in sync with its source", () => {
    let synced = false;
    const { publish, poll, tick } = rig({ synced: () => synced });
    publish(serving("blue"), 1000);
    poll("clusters", ahead(91_000));
    tick(6000);
    expect(poll("clusters", ahead(91_000))).toBe(ahead(91_000));
    synced = true;
    tick(6000);
    poll("clusters", ahead(91_000));
    tick(2000);
    expect(poll("clusters", ahead(91_000))).not.toBe(ahead(91_000));
  });

  it("is overridden after a time that doubles up to ten minutes, and that is reset after an hour", () => {
    let raised = 0;
    const { publish, poll, tick } = rig({ raised: () => raised++ });
    publish(serving("blue"), 1000);
    const waits = Array.from({ length: 10 }, (_, i) => {
      poll("clusters", ahead(1_000_000 * (i + 1)));
      let waited = 0;
      for (const before = raised; raised === before; waited += 5) {
        tick(5000);
        poll("clusters", ahead(1_000_000 * (i + 1)));
      }
      return waited;
    });
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 600, 600, 600]);
    tick(3_600_000);
    poll("clusters", ahead(90_000_000));
    tick(5000);
    expect(raised).toBe(11);
  });

  it("can't exhaust the numbers: sequences far in the future are ignored", () => {
    const { publish, publication, poll, tick } = rig();
    publish(serving("blue"), 1000);
    for (const sequence of [999_999_999_999_999, 900_000_000_000_001]) {
      poll("clusters", ahead(sequence));
      tick(2000);
      expect(poll("clusters", ahead(sequence))).not.toBe(ahead(sequence));
      publish(serving(`c${sequence}`), 1001);
    }
    expect(parseVersion(publication.served("clusters")?.version ?? "")?.sequence).toBeLessThan(2000);
  });
});

describe("versions", () => {
  it("raises the sequence only of changed types", () => {
    const { publish, publication } = rig();
    publish(serving("blue"), 7);
    const version = (type: XdsType): string => publication.served(type)?.version ?? "";
    const before = xdsTypes.map(version);
    publish(serving("blue"), 9);
    expect(xdsTypes.map(version)).toEqual(before);
    publish({ ...serving("blue"), listeners: { l: '{"name":"l","n":1}' } }, 3);
    expect(parseVersion(version("listeners"))?.sequence).toBeGreaterThan(9);
    expect(version("clusters")).toBe(before[0]);
  });

  it("contain the hash of the target, also when only the target changes", () => {
    const one = rig();
    const target = (): string => {
      const version = parseVersion(one.publication.served("clusters")?.version ?? "");
      return version?.target ?? version?.hash ?? "";
    };
    const alone = ["blue", "green"].map((name) => setOf(serving(name).clusters ?? {}).hash);
    one.publish(serving("blue"));
    one.publish(serving("green"), 2);
    const has = one.settle("clusters", "");
    expect(target()).toBe(alone[1]);
    expect(one.publish(serving("blue"), 3)).not.toContain("clusters");
    expect(target()).toBe(alone[0]);
    expect(one.poll("clusters", has)).toBe(has);
    const both = { ...serving("blue").clusters, ...serving("green").clusters };
    expect(one.publish({ ...serving("blue"), clusters: both }, 4)).not.toContain("clusters");
    expect(target()).toBe(parseVersion(has)?.hash);
  });

  it("contain the hash of the served content, for any history", () => {
    const names = fc.subarray(["a", "b", "c", "d"], { minLength: 1 });
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 5 }), (steps) => {
        const of = (clusters: readonly string[]): Sets => ({
          ...serving("a"),
          clusters: Object.fromEntries(clusters.map((name) => [name, `{"name":"${name}"}`])),
        });
        const [long, short] = [rig(), rig()];
        steps.forEach((step, i) => {
          long.poll("clusters", "");
          long.publish(of(step), i + 1);
          if (i % 2) long.tick(700);
        });
        long.tick(70_000);
        long.tick(300_000);
        short.publish(of(steps.at(-1) ?? []));
        expect(long.publication.served("clusters")?.set.hash).toBe(
          short.publication.served("clusters")?.set.hash,
        );
      }),
    );
  });
});

describe("spare clusters", () => {
  /** A publication whose Envoy has switched to another cluster, with these members in the unused one. */
  const switched = (members = ""): ReturnType<typeof rig> => {
    const one = rig();
    const blue = serving("blue");
    one.publish({ ...blue, clusters: { blue: `{"name":"blue"${members}}` } });
    const has = upToDate(one);
    one.publish(serving("green"), 2);
    one.settle("clusters", has.clusters);
    one.settle("endpoints", "", "green");
    one.settle("listeners", has.listeners);
    one.settle("routes", has.routes, "r");
    expect(one.publication.phase).toBe("settled");
    return one;
  };

  it("stay with their endpoints, so that a switch back sends no clusters", () => {
    const one = switched();
    expect([one.names("clusters"), one.names("endpoints")]).toEqual([
      ["blue", "green"],
      ["blue", "green"],
    ]);
    const { version } = one.publication.served("clusters") ?? {};
    expect(one.publish(serving("blue"), 3)).not.toContain("clusters");
    expect(one.publication.served("clusters")?.set.hash).toBe(parseVersion(version ?? "")?.hash);
  });

  it("are removed with the next addition, not alone", () => {
    const one = switched();
    one.tick(200_000);
    expect(one.names("clusters")).toEqual(["blue", "green"]);
    const { clusters, endpoints } = serving("red");
    const green = serving("green");
    one.publish(
      {
        ...green,
        clusters: { ...green.clusters, ...clusters },
        endpoints: { ...green.endpoints, ...endpoints },
      },
      3,
    );
    expect([one.names("clusters"), one.names("endpoints")]).toEqual([
      ["green", "red"],
      ["green", "red"],
    ]);
  });

  it("are removed after five minutes", () => {
    const one = switched();
    one.tick(299_999);
    expect(one.names("clusters")).toEqual(["blue", "green"]);
    expect(one.tick(1)).toContain("clusters");
    expect(one.publication.deadline).toBeUndefined();
  });

  it.each([
    ["health checks", ',"health_checks":[{}]'],
    ["DNS", ',"type":"STRICT_DNS"'],
    ["keys", ',"transport_socket":{}'],
    ["more than their size", `,"alt_stat_name":"${"x".repeat(300_000)}"`],
  ])("have no %s: such a cluster is removed when no Envoy needs it", (_, members) => {
    const one = switched(members);
    expect([one.names("clusters"), one.names("endpoints")]).toEqual([["green"], ["green"]]);
  });

  it("may have texts that only look so", () => {
    const text = JSON.stringify('"health_checks":["STRICT_DNS"]');
    expect(switched(`,"alt_stat_name":${text}`).names("clusters")).toEqual(["blue", "green"]);
  });

  it("are at most 64", () => {
    const one = rig();
    const many = Array.from({ length: 65 }, (_, i) => [`c${i}`, `{"name":"c${i}"}`] as const);
    one.publish({ clusters: Object.fromEntries([...many, ["blue", '{"name":"blue"}']]) });
    one.settle("clusters", "");
    one.publish({ clusters: { blue: '{"name":"blue"}' } }, 2);
    one.tick(70_000);
    expect(one.names("clusters")).toEqual(["blue"]);
  });
});

describe("make before break", () => {
  /** An Envoy that polls one subscription at a time, in any order. */
  const steps = fc.array(
    fc.oneof(
      fc.constantFrom("blue", "green", "red").map((to) => ({ do: "publish" as const, to })),
      fc
        .record({
          node: fc.constantFrom("one", "two"),
          type: fc.constantFrom("clusters" as const, "routes" as const),
        })
        .map((poll) => ({ do: "poll" as const, ...poll })),
    ),
    { minLength: 20, maxLength: 60 },
  );

  it("never leaves an Envoy with a route to a cluster that it does not have", () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const { publish, publication, poll, fleet } = rig();
        const state = new Map<string, { clusters: string; routes: string; has: string[]; to: string }>();
        const ask = (node: string, type: "clusters" | "routes"): void => {
          const envoy = state.get(node) ?? { clusters: "", routes: "", has: [], to: "" };
          state.set(node, envoy);
          const version = poll(type, envoy[type], type === "routes" ? "r" : undefined, node);
          if (version !== envoy[type]) {
            const set = publication.served(type)?.set ?? setOf({});
            if (type === "clusters") envoy.has = [...set.names()];
            else envoy.to = (JSON.parse(textOf(set, "r") ?? "{}") as { to: string }).to;
          }
          envoy[type] = version;
          if (envoy.to !== "" && envoy.has.length > 0) expect(envoy.has).toContain(envoy.to);
        };
        publish({ ...serving("blue"), endpoints: {} });
        for (const node of ["one", "two"])
          for (const type of ["clusters", "routes"] as const) ask(node, type);
        for (const [i, step] of todo.entries()) {
          if (step.do === "poll") ask(step.node, step.type);
          else publish({ ...serving(step.to), endpoints: {} }, i + 2);
        }
        expect(fleet.views(0)).toHaveLength(2);
      }),
    );
  });
});

describe("Fleet", () => {
  it("is bounded for any requests of clients", () => {
    const fleet = new EnvoyRegistry();
    for (let i = 0; i < maxNodes + 2000; i++)
      fleet.observe({ token, node: `node-${i}` }, "clusters", [], "", i);
    expect(fleet.views(0)).toHaveLength(maxNodes);
    expect(fleet.views(0)[0]?.node).toBe("node-2000");
    for (let i = 0; i < 140_000; i++) fleet.observe({ token, node: "greedy" }, "endpoints", [`n${i}`], "", i);
    fleet.observe({ token, node: "late" }, "endpoints", ["x".repeat(5000)], "", 1);
    const kept = fleet
      .views(0)
      .reduce((sum, { subscriptions }) => sum + Object.keys(subscriptions).length, 0);
    expect(kept).toBeLessThanOrEqual(131_072);
  });

  it("is bounded by token: the Envoys of a token never displace those of another token", () => {
    const fleet = new EnvoyRegistry();
    const [victim, many, large] = ["victim", "many", "large"].map((id) => ({ id, name: id }));
    const own = (i: number) => ({ token: victim ?? token, node: `edge-${i}` });
    for (let i = 0; i < 1000; i++) {
      fleet.observe(own(i), "clusters", [], "1-a", 0);
      fleet.delivered(own(i), "clusters", [], "2-b", 0);
      fleet.observe(own(i), "clusters", [], "1-a", 1);
    }
    for (let i = 0; i < maxNodes + 2000; i++)
      fleet.observe({ token: many ?? token, node: `node-${i}` }, "clusters", [], "", 1);
    for (let i = 0; i < 140_000; i++)
      fleet.observe({ token: large ?? token, node: `node-${i % 7}` }, "endpoints", [`n${i}`], "", 1);
    for (let i = 0; i < 1000; i++)
      expect(fleet.refusal(own(i), "clusters", [])).toEqual({ version: "2-b", at: 0 });
    const of = (name: string) => fleet.views(0).filter((view) => view.token === name);
    expect(of("many")).toHaveLength(maxNodes);
    const kept = of("large").reduce((sum, { subscriptions }) => sum + Object.keys(subscriptions).length, 0);
    expect(kept).toBeLessThanOrEqual(131_072);
  });

  it("reports for which types requests have names", () => {
    expect(xdsTypes.filter(isByName)).toEqual(["endpoints", "routes", "secrets"]);
  });
});
