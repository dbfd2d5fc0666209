import { describe, expect, it } from "vitest";
import { maxBodyBytes } from "../../src/link/body.js";
import { EncodeError, encodeResponse } from "../../src/link/respond.js";
import { selectVersion, serveSet } from "../../src/link/served.js";
import { type LinkOptions, link, type Snapshot, xdsTypes } from "../../src/link/snapshot.js";
import { formatVersion, parseVersion } from "../../src/link/version.js";
import type { Resource, ResourceType, Store } from "../../src/store/store.js";
import { configSource } from "../../src/xds/config-source.js";
import { bytesOfBody, textOfBody } from "../support/body.js";
import { fc } from "../support/fast-check.js";
import { checkProto, messageType } from "../support/proto.js";
import { setOf, textOf } from "../support/resource-set.js";

type Fragment = Omit<Resource, "group"> & { readonly group?: string };

/** The part of a store that link reads, sorted in the same way. */
function reader(fragments: readonly Fragment[]): Pick<Store, "resources" | "claimants"> {
  const all = fragments
    .map((fragment) => ({ group: "", ...fragment }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const resources = (type: ResourceType, group = ""): Resource[] =>
    all.filter((r) => r.type === type && r.group === group);
  return {
    resources,
    claimants: () => [],
  };
}

const linked = (
  fragments: readonly Fragment[],
  options: Partial<LinkOptions> = {},
  previous?: Parameters<typeof link>[2],
): Snapshot => link(reader(fragments), { endpoints: "eds", xdsCluster: "isoline", ...options }, previous);

const parsed = (snapshot: Snapshot, type: (typeof xdsTypes)[number], name: string): unknown =>
  JSON.parse(textOf(snapshot.sets[type], name) ?? "null");

const cluster = (name: string, rest: Partial<Fragment> = {}): Fragment => ({
  type: "cluster",
  name,
  json: `{"name":"${name}"}`,
  endpoints: "ns/s/80",
  ...rest,
});
const localities = '[{"lb_endpoints":[]}]';
const endpoints: Fragment = { type: "endpoints", name: "ns/s/80", json: localities };
const chain = (name: string, json: string): Fragment => ({
  type: "filter-chain",
  group: "ingress_https",
  name,
  json,
});
const host = (name: string): Fragment => ({
  type: "virtual-host",
  group: "ingress_http",
  name,
  json: `{"name":"${name}"}`,
});
const https: Fragment = {
  type: "listener",
  group: "chains",
  name: "ingress_https",
  json: '{"name":"ingress_https"}',
};
const http: Fragment = {
  type: "listener",
  group: "http",
  name: "ingress_http",
  json: '{"name":"ingress_http"}',
};
const table: Fragment = {
  type: "route-configuration",
  name: "ingress_http",
  json: '{"name":"ingress_http"}',
};

describe("endpoints: auto beyond 200 clusters", () => {
  const name = (i: number): string => `c${String(i).padStart(3, "0")}`;
  const many = (changed: ReadonlyMap<number, string> = new Map()): Fragment[] =>
    Array.from({ length: 220 }, (_, i) => [
      cluster(name(i), { endpoints: `ns/s${i}/80` }),
      { ...endpoints, name: `ns/s${i}/80`, json: changed.get(i) ?? localities },
    ]).flat();
  const relinked = (changed: ReadonlyMap<number, string>, before: Snapshot): Snapshot =>
    linked(many(changed), { endpoints: "auto" }, before);

  it("gives a cluster its endpoints by EDS from their first change on", () => {
    const whole = linked(many(), { endpoints: "auto" });
    expect([...whole.sets.endpoints.names()]).toEqual([]);
    const once = relinked(new Map([[7, "[]"]]), whole);
    expect([...once.sets.endpoints.names()]).toEqual(["c007"]);
    expect(once.sets.clusters.hash).not.toBe(whole.sets.clusters.hash);
    const twice = relinked(new Map([[7, localities]]), once);
    expect(twice.sets.clusters.hash).toBe(once.sets.clusters.hash);
    expect(parsed(twice, "endpoints", "c007")).toEqual({
      cluster_name: "c007",
      endpoints: [{ lb_endpoints: [] }],
    });
    expect(relinked(new Map([[7, localities]]), twice)).toMatchObject({ sets: twice.sets });
  });

  it("does so only for the 64 latest changes", () => {
    let snapshot = linked(many(), { endpoints: "auto" });
    const changed = new Map<number, string>();
    for (let i = 0; i < 70; i++) snapshot = relinked(changed.set(i, "[]"), snapshot);
    expect([...snapshot.sets.endpoints.names()]).toEqual(Array.from({ length: 64 }, (_, i) => name(i + 6)));
    expect(parsed(snapshot, "clusters", "c000")).not.toHaveProperty("type");
    const gone = many(changed).filter((one) => one.name !== "c010");
    snapshot = linked(gone, { endpoints: "auto" }, snapshot);
    expect([...snapshot.sets.endpoints.names()]).not.toContain("c010");
  });

  it("does not change clusters with a mode in their Service's annotation, and clusters in other modes", () => {
    const own = (json: string): Fragment[] => [
      ...many(),
      cluster("own", { endpoints: "ns/own/80", mode: "inline" }),
      { ...endpoints, name: "ns/own/80", json, mode: "inline" },
    ];
    const before = linked(own(localities), { endpoints: "auto" });
    expect([...linked(own("[]"), { endpoints: "auto" }, before).sets.endpoints.names()]).toEqual([]);
    const inline = linked(many(), { endpoints: "inline" });
    const changed = linked(many(new Map([[7, "[]"]])), { endpoints: "inline" }, inline);
    expect([...changed.sets.endpoints.names()]).toEqual([]);
  });
});

describe("endpoint modes", () => {
  it("gives every EDS cluster its own subscription, also when two share a Service", () => {
    const snapshot = linked([cluster("b"), cluster("a"), endpoints]);
    expect(parsed(snapshot, "clusters", "a")).toEqual({
      name: "a",
      type: "EDS",
      eds_cluster_config: {
        service_name: "a",
        eds_config: {
          resource_api_version: "V3",
          initial_fetch_timeout: "0s",
          api_config_source: {
            api_type: "REST",
            transport_api_version: "V3",
            cluster_names: ["isoline"],
            refresh_delay: "0.1s",
            request_timeout: "30s",
          },
        },
      },
    });
    expect([...snapshot.sets.endpoints.names()]).toEqual(["a", "b"]);
    expect(parsed(snapshot, "endpoints", "b")).toEqual({
      cluster_name: "b",
      endpoints: [{ lb_endpoints: [] }],
    });
  });

  it("writes endpoints into the cluster in the modes inline and service", () => {
    const assignment = { cluster_name: "a", endpoints: [{ lb_endpoints: [] }] };
    const inline = linked([cluster("a"), endpoints], { endpoints: "inline" });
    // Without its default, `type: STATIC`, and with the shortest name for the assignment, which Envoy does not use.
    const written = { name: "a", load_assignment: { ...assignment, cluster_name: "-" } };
    expect(parsed(inline, "clusters", "a")).toEqual(written);
    const type = "envoy.config.cluster.v3.Cluster";
    expect(checkProto(type, written)).toEqual([]);
    expect(messageType(type).fields.type?.resolve().typeDefault).toBe(0);
    expect(messageType(type).lookupEnum("DiscoveryType").values.STATIC).toBe(0);
    expect(inline.sets.endpoints.size).toBe(0);
    const service = linked([cluster("a", { mode: "service" }), endpoints], { endpoints: "inline" });
    expect(parsed(service, "clusters", "a")).toMatchObject({
      type: "STRICT_DNS",
      load_assignment: assignment,
    });
  });

  it("uses the mode of a Service instead of the setting", () => {
    const snapshot = linked([cluster("a", { mode: "inline" }), cluster("b"), endpoints]);
    expect(parsed(snapshot, "clusters", "a")).toHaveProperty("load_assignment");
    expect([...snapshot.sets.endpoints.names()]).toEqual(["b"]);
  });

  it("serves an empty list without endpoints, and a complete cluster unchanged", () => {
    const { endpoints: _, ...whole } = cluster("whole", { json: '{"name":"whole","type":"LOGICAL_DNS"}' });
    const snapshot = linked([cluster("a"), whole]);
    expect(parsed(snapshot, "endpoints", "a")).toEqual({ cluster_name: "a", endpoints: [] });
    expect(textOf(snapshot.sets.clusters, "whole")).toBe(whole.json);
  });

  it.each([
    [200, undefined, "eds"],
    [201, undefined, "inline"],
    [201, "eds", "inline"],
    [200, "inline", "inline"],
    [150, "inline", "inline"],
    [149, "inline", "eds"],
    [200, "service", "eds"],
  ] as const)("auto with %d clusters after %s is %s", (count, previousMode, mode) => {
    const clusters = Array.from({ length: count }, (_, i) => cluster(`c${i}`));
    const previous = previousMode && { mode: previousMode };
    expect(linked(clusters, { endpoints: "auto" }, previous).mode).toBe(mode);
  });
});

describe("listeners and routes", () => {
  it("joins equal chains, sorted, with the chain of any host last", () => {
    const snapshot = linked([
      https,
      chain("b.test", '{"filters":[1]}'),
      chain("*", '{"filters":[1]}'),
      chain("a.test", '{"filters":[1]}'),
      chain("c.test", '{"filters":[2]}'),
    ]);
    expect(parsed(snapshot, "listeners", "ingress_https")).toEqual({
      name: "ingress_https",
      filter_chains: [
        { filter_chain_match: { server_names: ["a.test", "b.test"] }, name: "a.test", filters: [1] },
        { filter_chain_match: { server_names: ["c.test"] }, name: "c.test", filters: [2] },
        { filter_chain_match: { transport_protocol: "tls" }, name: "*", filters: [1] },
      ],
    });
  });

  it("changes the version of routes when a host moves to another table", () => {
    const tables = ["one", "two"].map((name): Fragment => {
      return { type: "route-configuration", name, json: JSON.stringify({ name }) };
    });
    const withHostIn = (group: string) => linked([...tables, { ...host("a"), group }]).sets.routes.hash;
    expect(withHostIn("one")).not.toBe(withHostIn("two"));
  });

  it("leaves out only listeners without content", () => {
    const stats: Fragment = { type: "listener", name: "stats", json: '{"name":"stats"}' };
    expect([...linked([http, https, stats, table]).sets.listeners.names()]).toEqual(["stats"]);
    const served = linked([http, https, table, host("a")]);
    expect([...served.sets.listeners.names()]).toEqual(["ingress_http"]);
  });

  it("puts virtual hosts into their table by name", () => {
    const snapshot = linked([table, host("b"), host("a")]);
    expect(parsed(snapshot, "routes", "ingress_http")).toEqual({
      name: "ingress_http",
      virtual_hosts: [{ name: "a" }, { name: "b" }],
    });
  });

  it("sorts every type by name", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z*/-]{1,8}$/), { maxLength: 20 }), (names) => {
        const secrets = names.map((name): Fragment => ({ type: "secret", name, json: "{}" }));
        const { sets } = linked([
          ...names.map((name) => cluster(name)),
          ...names.map(host),
          ...secrets,
          table,
        ]);
        for (const type of xdsTypes) expect([...sets[type].names()]).toEqual([...sets[type].names()].sort());
      }),
    );
  });
});

describe("linking again", () => {
  const names = ["a", "b", "c", "d"];
  const step = fc.record({
    clusters: fc.subarray(names),
    hosts: fc.subarray(names),
    chains: fc.subarray(names),
    secrets: fc.subarray(names),
    version: fc.nat(2),
    pods: fc.nat(2),
    eds: fc.boolean(),
  });
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
  const fragmentsOf = ({ clusters, hosts, chains, secrets, version, pods }: Step) => [
    https,
    http,
    table,
    { ...endpoints, json: `[{"n":${pods}}]` },
    ...clusters.map((name) => cluster(name, { json: `{"name":"${name}","n":${name < "c" ? version : 0}}` })),
    ...hosts.map((name) => ({ ...host(name), json: `{"name":"${name}","n":${name < "c" ? version : 0}}` })),
    ...chains.map((name) => chain(name, `{"filters":[${version}]}`)),
    ...secrets.map((name): Fragment => ({ type: "secret", name, json: `{"name":"${name}"}` })),
  ];
  const contents = ({ sets }: Snapshot) =>
    xdsTypes.map((type) => [
      sets[type].hash,
      ...[...sets[type].names()].map((name) => [name, textOf(sets[type], name)]),
    ]);

  it("gives the result of a link without a previous snapshot, for any previous snapshot", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), (steps) => {
        let snapshot: Snapshot | undefined;
        for (const one of steps) {
          const options = { endpoints: one.eds ? "eds" : "inline" } as const;
          snapshot = linked(fragmentsOf(one), options, snapshot);
          expect(contents(snapshot)).toEqual(contents(linked(fragmentsOf(one), options)));
        }
      }),
    );
  });

  it("reuses unchanged parts", () => {
    const before = linked([table, http, host("a"), cluster("a"), endpoints]);
    const same = linked([table, http, host("a"), cluster("a"), endpoints], {}, before);
    expect(same.sets.clusters).toBe(before.sets.clusters);
    expect(same.sets.endpoints).toBe(before.sets.endpoints);
    expect(same.sets.routes.get("ingress_http")).toBe(before.sets.routes.get("ingress_http"));
  });
});

describe("versions", () => {
  it("are parsed from their printed form, and from no other text", () => {
    fc.assert(
      fc.property(fc.nat(), fc.string(), (sequence, text) => {
        const version = { sequence, hash: setOf({ a: text }).hash };
        expect(parseVersion(formatVersion(version))).toEqual(version);
      }),
    );
    for (const text of ["", "1", "1-", "-1-0123456789abcdef", "1-0123456789ABCDEF", "x1-0123456789abcdef"]) {
      expect(parseVersion(text)).toBeUndefined();
    }
  });

  it("hash names and contents, so that sets that differ in either have different hashes", () => {
    const sets = fc.dictionary(fc.string(), fc.string());
    fc.assert(
      fc.property(sets, sets, (one, other) => {
        const same =
          JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
        expect(setOf(one).hash === setOf(other).hash).toBe(same);
      }),
    );
    const long = "é".repeat(100_000);
    expect(setOf({ a: long }).hash).toBe(setOf({ a: long }).hash);
    expect(setOf({ a: `${long}x` }).hash).not.toBe(setOf({ a: `${long}y` }).hash);
    expect(setOf({ a: "", b: "a" }).hash).not.toBe(setOf({ a: "a", b: "" }).hash);
  });

  it("depend only on the requested names", () => {
    const before = serveSet(setOf({ a: '{"name":"a"}', b: '{"name":"b"}' }), 1);
    const after = serveSet(setOf({ a: '{"name":"a"}', b: '{"name":"b","n":1}' }), 2);
    const hash = (served: typeof before, name: string) => selectVersion(served, [name])?.resources.hash;
    expect(hash(after, "a")).toBe(hash(before, "a"));
    expect(hash(after, "b")).not.toBe(hash(before, "b"));
    expect([...(selectVersion(after, ["b", "a"])?.resources.names() ?? [])]).toEqual(["b", "a"]);
    expect(selectVersion(after, ["a", "nobody"])).toBeUndefined();
  });
});

describe("encodeResponse", () => {
  const selection = (...jsons: string[]) => ({
    resources: setOf(Object.fromEntries(jsons.map((json, i) => [`r${i}`, json]))),
    version: "1-h",
  });
  it("writes every resource with its type first, and the same bytes for every request", () => {
    const two = selection('{"name":"é"}', '{"name":"b"}');
    const bytes = encodeResponse("routes", two, { xdsCluster: "isoline" });
    const type = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
    expect(JSON.parse(textOfBody(bytes))).toEqual({
      version_info: "1-h",
      type_url: type,
      resources: [
        { "@type": type, name: "é" },
        { "@type": type, name: "b" },
      ],
    });
    expect(encodeResponse("routes", two, { xdsCluster: "isoline" })).toBe(bytes);
    expect(bytes.whole).toHaveLength(bytes.size);
  });

  it("uses the xDS cluster name of the polling Envoy's bootstrap, and does not change user text", () => {
    const written = JSON.stringify({
      name: "a",
      rds: { config_source: configSource() },
      says: '"cluster_names":["isoline"]',
    });
    const one = selection(written);
    const named = (name: string): unknown =>
      (
        JSON.parse(textOfBody(encodeResponse("listeners", one, { xdsCluster: name }))) as {
          resources: unknown[];
        }
      ).resources[0];
    const api = configSource().api_config_source;
    expect(named("xds.example.com")).toMatchObject({
      rds: { config_source: { api_config_source: { ...api, cluster_names: ["xds.example.com"] } } },
      says: '"cluster_names":["isoline"]',
    });
    expect(named("isoline")).toMatchObject({ rds: { config_source: configSource() } });
  });

  it("never joins a large answer: it is sent in chunks, encoded for each reader", () => {
    const jsons = Array.from({ length: 2000 }, (_, i) => `{"name":"é${i}","x":"${"y".repeat(1000)}"}`);
    const large = encodeResponse("routes", selection(...jsons), { xdsCluster: "isoline" });
    expect(large.whole).toBeUndefined();
    const chunks = [...large.chunks()];
    expect(chunks.length).toBeGreaterThan(20);
    for (const chunk of chunks) expect(chunk.length).toBeLessThan(70_000);
    const names = (): unknown[] =>
      (JSON.parse(textOfBody(large)) as { resources: { name: string }[] }).resources.map(({ name }) => name);
    const all = names();
    expect([...all].sort()).toEqual(jsons.map((_, i) => `é${i}`).sort());
    expect(names()).toEqual(all);
    expect(bytesOfBody(large)).toHaveLength(large.size);
  });

  it("never writes an answer without version or resources, or with an empty resource", () => {
    expect(() => encodeResponse("clusters", selection(), { xdsCluster: "isoline" })).toThrow(EncodeError);
    expect(() =>
      encodeResponse("clusters", { ...selection('{"name":"a"}'), version: "" }, { xdsCluster: "isoline" }),
    ).toThrow(EncodeError);
    for (const json of ["", "{}", "null", "[]"]) {
      expect(() =>
        encodeResponse("clusters", selection('{"name":"a"}', json), { xdsCluster: "isoline" }),
      ).toThrow(EncodeError);
    }
  });

  it("never writes more than Envoy accepts", () => {
    const large = selection(`{"name":"${"x".repeat(maxBodyBytes)}"}`);
    expect(() => encodeResponse("clusters", large, { xdsCluster: "isoline" })).toThrow(/more than/);
    expect(() => encodeResponse("clusters", large, { xdsCluster: "isoline" })).toThrow(EncodeError);
  });
});
