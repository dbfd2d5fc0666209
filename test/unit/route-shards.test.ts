import { RE2JS } from "re2js";
import { describe, expect, it } from "vitest";
import { link } from "../../src/link/snapshot.js";
import type { Store } from "../../src/store/store.js";
import { scopedRoutes, shardCount, shardName, shardOf, shardScopes } from "../../src/xds/route-shards.js";
import { hostProxy, httpProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { compileAll, parseCase } from "../support/compile.js";
import { fc } from "../support/fast-check.js";
import { checkProto } from "../support/proto.js";
import { textOf } from "../support/resource-set.js";

/** The part that Envoy computes with the patterns of its configuration. */
function partByPatterns(host: string): string {
  const text = JSON.stringify(scopedRoutes("table"));
  const patterns = [...text.matchAll(/matches\('([^']+)'\)\?'0':'1'/g)].map(([, pattern = ""]) => pattern);
  expect(patterns).toHaveLength(4);
  return `table/${patterns.map((pattern) => (RE2JS.compile(pattern).matcher(host).find() ? "0" : "1")).join("")}`;
}

const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9_-]{0,20}[a-z0-9_])?$/);
const host = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));

describe("the part of a host in a route table", () => {
  it("is equal in Isoline and by the patterns in Envoy, in any case and with a port", () => {
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
        const expected = shardName("table", shardOf(name));
        expect(partByPatterns(name)).toBe(expected);
        expect(partByPatterns(name.toUpperCase())).toBe(expected);
        expect(partByPatterns(`${name}:${port}`)).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("differs for hosts that differ in a number or a word", () => {
    const counts = new Array<number>(shardCount).fill(0);
    const count = 8000;
    for (let i = 0; i < count; i++) {
      const shard = shardOf(`app-${i}.team-${i % 200}.example.com`);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    expect(Math.max(...counts)).toBeLessThan((3 * count) / shardCount);
  });

  it("has its own scope", () => {
    expect(new Set([...shardScopes("t").keys()]).size).toBe(shardCount);
  });
});

describe("route tables in parts", () => {
  const wild: Manifest = httpProxy("default", "wild", {
    virtualhost: { fqdn: "*.wild.test" },
    routes: [{ services: [{ name: "a", port: 80 }] }],
  });
  const objects = [
    service("default", "a"),
    wild,
    ...["b", "c", "dd", "e1", "e2"].map((name) => hostProxy(`${name}.test`, "a")),
  ];
  const { objects: parsed } = parseCase(objects.map((one) => JSON.stringify(one)).join("\n---\n"));
  const store = compileAll(parsed);
  const hostsOf = (routeShards: 1 | 16): Map<string, string[]> => {
    const { routes } = link(store, { endpoints: "eds", xdsCluster: "isoline", routeShards }).sets;
    return new Map(
      [...routes.names()].map((name) => {
        const table = JSON.parse(textOf(routes, name) ?? "") as {
          name: string;
          virtual_hosts: { name: string }[];
        };
        expect(table.name).toBe(name);
        return [name, table.virtual_hosts.map((one) => one.name)];
      }),
    );
  };

  it("contain each host once, and wildcards in every part", () => {
    const whole = hostsOf(1).get("ingress_http") ?? [];
    const parts = [...hostsOf(16)].filter(([name]) => name.startsWith("ingress_http/"));
    expect(parts).toHaveLength(shardCount);
    expect(hostsOf(16).get("ingress_http")).toEqual(whole);
    for (const [, hosts] of parts) expect(hosts).toContain("*.wild.test");
    const exact = parts.flatMap(([, hosts]) => hosts.filter((name) => !name.startsWith("*")));
    expect(exact.sort()).toEqual(whole.filter((name) => !name.startsWith("*")).sort());
  });

  it("are referenced by every connection manager of the table", () => {
    const { listeners, "scoped-routes": scopes } = link(store, {
      endpoints: "eds",
      xdsCluster: "isoline",
      routeShards: 16,
    }).sets;
    const text = textOf(listeners, "ingress_http") ?? "";
    expect(checkProto("envoy.config.listener.v3.Listener", JSON.parse(text))).toEqual([]);
    expect(text).toContain('"scoped_routes":{"name":"ingress_http"');
    expect(text).not.toContain('"rds":');
    expect(scopes.size).toBe(2 * shardCount);
  });
});

describe("the hole for routes in a fragment", () => {
  const listenersOf = (routeShards: 1 | 16, settings: string): string[] => {
    const { objects } = parseCase(
      [service("default", "a"), hostProxy("h.test", "a")].map((one) => JSON.stringify(one)).join("\n---\n"),
      settings,
    );
    const { listeners } = link(compileAll(objects), {
      endpoints: "eds",
      xdsCluster: "isoline",
      routeShards,
    }).sets;
    return [...listeners.names()].map((name) => textOf(listeners, name) ?? "");
  };

  it.each([1, 16] as const)(
    "is filled (%i parts), and texts of users that look like one stay",
    (routeShards) => {
      const fields = ["\u001a=%PROTOCOL%", '\u001a":["ingress_http"]=%PROTOCOL%'];
      const settings = JSON.stringify({ accessLog: { format: "json", jsonFields: fields } });
      const texts = listenersOf(routeShards, settings);
      for (const text of texts)
        expect(checkProto("envoy.config.listener.v3.Listener", JSON.parse(text))).toEqual([]);
      const [listener = ""] = texts.filter((text) => text.includes('"ingress_http"'));
      const written = { "\u001a": "%PROTOCOL%", '\u001a":["ingress_http"]': "%PROTOCOL%" };
      expect(listener).toContain(`"json_format":${JSON.stringify(written)}`);
    },
  );
});

describe("routeShards: auto", () => {
  const hosts = (count: number): Manifest[] => [
    service("default", "a"),
    ...Array.from({ length: count }, (_, i) => hostProxy(`h${i}.test`, "a")),
  ];
  const storeOf = (objects: readonly Manifest[]): Store =>
    compileAll(parseCase(objects.map((one) => JSON.stringify(one)).join("\n---\n")).objects);
  const splitOf = (store: Store, before?: readonly string[]): string[] => {
    const options = { endpoints: "inline", xdsCluster: "isoline", routeShards: "auto" } as const;
    return [...link(store, options, before && { mode: "inline", split: new Set(before) }).split];
  };

  it("splits tables with many hosts, with hysteresis", () => {
    expect(splitOf(storeOf(hosts(400)))).toEqual([]);
    expect(splitOf(storeOf(hosts(401)))).toEqual(["ingress_http"]);
    expect(splitOf(storeOf(hosts(350)))).toEqual([]);
    expect(splitOf(storeOf(hosts(350)), ["ingress_http"])).toEqual(["ingress_http"]);
    expect(splitOf(storeOf(hosts(299)), ["ingress_http"])).toEqual([]);
  });

  it("does not split a table with many filter chains", () => {
    const tls = (secrets: number): Manifest[] => [
      service("default", "a"),
      ...Array.from({ length: secrets }, (_, i) => ({
        ...tlsSecret("default", "secure"),
        metadata: { namespace: "default", name: `s${i}` },
      })),
      ...Array.from({ length: 420 }, (_, i) =>
        httpProxy("default", `h${i}`, {
          virtualhost: { fqdn: `h${i}.test`, tls: { secretName: `s${i % secrets}` } },
          routes: [{ services: [{ name: "a", port: 80 }] }],
        }),
      ),
    ];
    expect(splitOf(storeOf(tls(3)))).toEqual(["ingress_http", "ingress_https"]);
    expect(splitOf(storeOf(tls(70)))).toEqual(["ingress_http"]);
  });
});
