import { describe, expect, it } from "vitest";
import { Fleet } from "../../src/link/fleet.js";
import { Publication } from "../../src/link/publish.js";
import { isByName, respond } from "../../src/link/respond.js";
import { type Snapshot, type XdsType, xdsTypes } from "../../src/link/snapshot.js";
import { parseVersion } from "../../src/link/version.js";
import { fc } from "../support/fast-check.js";
import { setOf, textOf } from "../support/resource-set.js";

type Sets = Partial<Record<XdsType, Readonly<Record<string, string>>>>;

const snapshot = (sets: Sets): Snapshot => ({
  sets: Object.fromEntries(
    xdsTypes.map((type) => [type, setOf(sets[type] ?? {})]),
  ) as unknown as Snapshot["sets"],
  mode: "eds",
  xdsCluster: "isoline",
  findings: [],
  tables: new Map(),
  split: new Set(),
});

/** A cluster with endpoints and a route to it. */
const serving = (name: string): Sets => ({
  clusters: { [name]: `{"name":"${name}"}` },
  endpoints: { [name]: `{"cluster_name":"${name}"}` },
  listeners: { l: '{"name":"l"}' },
  routes: { r: `{"name":"r","to":"${name}"}` },
});

const token = { id: "", name: "" };

/** A publication, and Envoys that poll it as Envoy does. */
function rig() {
  const fleet = new Fleet();
  const publication = new Publication(fleet, { phaseMs: 2000 });
  let now = 1_000_000;
  const names = (type: XdsType): string[] => [...(publication.served(type)?.set.names() ?? [])];
  /** One poll that is answered at once: the version had after it. */
  const poll = (type: XdsType, version: string, name?: string, node = "envoy"): string => {
    const request = { type, node, token, version, names: name === undefined ? [] : [name] };
    fleet.observe(request, type, request.names, version, now);
    publication.advance(now);
    const answer = respond(request, publication.served(type), fleet, now);
    if (answer.kind !== "content") return version;
    fleet.delivered(request, type, request.names, answer.selection.version, now);
    return answer.selection.version;
  };
  return {
    fleet,
    publication,
    names,
    poll,
    publish: (sets: Sets, sequence = 1) => publication.publish(snapshot(sets), sequence, now),
    tick: (ms: number) => {
      now += ms;
      return publication.advance(now);
    },
    /** Polls until it has what is served of a type: twice, so that the last answer is accepted. */
    settle: (type: XdsType, version: string, name?: string, node?: string) =>
      [1, 2].reduce((has) => poll(type, has, name, node), version),
  };
}

describe("phases", () => {
  it("serves all at once when nobody polls", () => {
    const { publish, publication, names } = rig();
    publish(serving("blue"));
    publish(serving("green"), 2);
    expect(publication.phase).toBe("settled");
    expect(publication.deadline).toBeUndefined();
    expect([names("clusters"), names("endpoints")]).toEqual([["green"], ["green"]]);
  });

  it("switches routes only when the endpoints of an added cluster were fetched too", () => {
    const { publish, publication, settle } = rig();
    publish(serving("blue"));
    const clusters = settle("clusters", "");
    const routes = settle("routes", "", "r");
    publish(serving("green"), 2);
    settle("clusters", clusters);
    expect(publication.phase).toBe("adding");
    settle("endpoints", "", "green");
    expect(publication.phase).toBe("switching");
    expect(textOf(publication.served("routes")?.set, "r")).toContain("green");
    settle("routes", routes, "r");
    expect(publication.phase).toBe("settled");
  });

  it("keeps a removed cluster while Envoys still have routes to it", () => {
    const { publish, publication, settle, names, poll } = rig();
    publish(serving("blue"));
    const routes = settle("routes", "", "r");
    publish(serving("green"), 2);
    expect(publication.phase).toBe("switching");
    expect([names("clusters"), names("endpoints")]).toEqual([
      ["blue", "green"],
      ["blue", "green"],
    ]);
    const switched = poll("routes", routes, "r");
    expect(publication.phase).toBe("switching");
    poll("routes", switched, "r");
    expect(publication.phase).toBe("settled");
    expect([names("clusters"), names("endpoints")]).toEqual([["green"], ["green"]]);
  });

  it("ends a phase by time, and forgets Envoys after a minute", () => {
    const { publish, publication, poll, tick } = rig();
    publish(serving("blue"));
    poll("clusters", "");
    publish(serving("green"), 2);
    tick(1999);
    expect(publication.phase).toBe("adding");
    tick(1);
    expect(publication.phase).toBe("settled");
    poll("clusters", "");
    tick(60_001);
    publish(serving("blue"), 3);
    expect(publication.phase).toBe("settled");
  });

  it("skips at once what has nothing to do, also with an Envoy that lags", () => {
    const { publish, publication, poll } = rig();
    publish(serving("blue"));
    poll("clusters", "");
    const changed = publish({ ...serving("blue"), routes: { r: '{"name":"r","n":1}' } }, 2);
    expect(changed).toEqual(["routes"]);
    expect(publication.phase).toBe("settled");
  });

  it("starts anew from what is served when it is overtaken", () => {
    const { publish, names, settle } = rig();
    publish(serving("blue"));
    settle("clusters", "");
    publish(serving("green"), 2);
    publish(serving("red"), 3);
    expect(names("clusters")).toEqual(["blue", "green", "red"]);
  });

  it("gets to the routes however often it is overtaken", () => {
    const { publish, publication, poll, tick } = rig();
    publish(serving("blue"));
    poll("clusters", "");
    for (let i = 0; i < 6; i++) {
      publish({ ...serving("green"), clusters: { green: `{"name":"green","n":${i}}` } }, i + 2);
      tick(1000);
    }
    expect(textOf(publication.served("routes")?.set, "r")).toContain("green");
  });

  it("takes an Envoy that is ahead, or refused what it was given, for done", () => {
    const { publish, publication, poll, settle } = rig();
    publish(serving("blue"));
    const blue = settle("clusters", "");
    poll("clusters", `900-${"a".repeat(16)}`, undefined, "ahead");
    publish({ ...serving("blue"), clusters: { blue: '{"name":"blue","bad":1}' } }, 2);
    poll("clusters", blue);
    expect(publication.phase).toBe("adding");
    poll("clusters", blue);
    expect(publication.phase).toBe("settled");
  });
});

describe("versions", () => {
  it("raises the sequence of what changed and of nothing else", () => {
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

  it("gives what is served, whatever happened before, the hash of its content", () => {
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
        long.tick(10_000);
        long.tick(10_000);
        short.publish(of(steps.at(-1) ?? []));
        expect(long.publication.served("clusters")?.set.hash).toBe(
          short.publication.served("clusters")?.set.hash,
        );
      }),
    );
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
        expect(fleet.views()).toHaveLength(2);
      }),
    );
  });
});

describe("Fleet", () => {
  it("T73: stays bounded whatever clients ask", () => {
    const fleet = new Fleet();
    for (let i = 0; i < 3000; i++) fleet.observe({ token, node: `node-${i}` }, "clusters", [], "", i);
    expect(fleet.views()).toHaveLength(1024);
    expect(fleet.views()[0]?.node).toBe("node-1976");
    for (let i = 0; i < 140_000; i++) fleet.observe({ token, node: "greedy" }, "endpoints", [`n${i}`], "", i);
    fleet.observe({ token, node: "late" }, "endpoints", ["x".repeat(5000)], "", 1);
    const kept = fleet.views().reduce((sum, { subscriptions }) => sum + Object.keys(subscriptions).length, 0);
    expect(kept).toBeLessThanOrEqual(131_072);
  });

  it("is bounded by token: no token's Envoys, however many, take the place of another token's", () => {
    const fleet = new Fleet();
    const [victim, many, large] = ["victim", "many", "large"].map((id) => ({ id, name: id }));
    const own = (i: number) => ({ token: victim ?? token, node: `edge-${i}` });
    for (let i = 0; i < 1000; i++) {
      fleet.observe(own(i), "clusters", [], "1-a", 0);
      fleet.delivered(own(i), "clusters", [], "2-b", 0);
      fleet.observe(own(i), "clusters", [], "1-a", 1);
    }
    for (let i = 0; i < 3000; i++)
      fleet.observe({ token: many ?? token, node: `node-${i}` }, "clusters", [], "", 1);
    for (let i = 0; i < 140_000; i++)
      fleet.observe({ token: large ?? token, node: `node-${i % 7}` }, "endpoints", [`n${i}`], "", 1);
    for (let i = 0; i < 1000; i++)
      expect(fleet.refusal(own(i), "clusters", [])).toEqual({ version: "2-b", at: 0 });
    const of = (name: string) => fleet.views().filter((view) => view.token === name);
    expect(of("many")).toHaveLength(1024);
    const kept = of("large").reduce((sum, { subscriptions }) => sum + Object.keys(subscriptions).length, 0);
    expect(kept).toBeLessThanOrEqual(131_072);
  });

  it("says by type which requests are for names", () => {
    expect(xdsTypes.filter(isByName)).toEqual(["endpoints", "routes", "secrets"]);
  });
});
