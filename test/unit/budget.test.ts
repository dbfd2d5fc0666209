import { describe, expect, it } from "vitest";
import { type ClaimKey, isClaimedUnit, readUnit } from "../../src/graph/core/keys.js";
import { maxBodyBytes } from "../../src/link/body.js";
import { bytesOf, itemsToLeaveOut } from "../../src/link/fit.js";
import { encodeResponse } from "../../src/link/respond.js";
import { selectVersion, serveSet } from "../../src/link/served.js";
import { link, type Snapshot, type XdsType } from "../../src/link/snapshot.js";
import type { Ref } from "../../src/schema/meta.js";
import type { Resource, ResourceType } from "../../src/store/store.js";
import { bytesOfBody } from "../support/body.js";
import { fc } from "../support/fast-check.js";
import { textOf } from "../support/resource-set.js";

const item = fc.record({
  owner: fc.constantFrom("a", "b", "c"),
  name: fc.uuid(),
  bytes: fc.integer({ min: 1, max: 100 }),
});
const sum = (items: readonly { bytes: number }[]): number => items.reduce((all, { bytes }) => all + bytes, 0);

describe("the selection of items to leave out", () => {
  it("makes the rest fit, leaves out no more than necessary, and does not depend on the order", () => {
    const items = fc.uniqueArray(item, { selector: ({ name }) => name, maxLength: 60 });
    fc.assert(
      fc.property(items, fc.integer({ min: 0, max: 2000 }), (all, budget) => {
        const out = itemsToLeaveOut(all, budget);
        expect(sum(all) - sum(out)).toBeLessThanOrEqual(budget);
        const last = out.at(-1);
        if (last) expect(sum(all) - sum(out) + last.bytes).toBeGreaterThan(budget);
        expect(itemsToLeaveOut(all.toReversed(), budget)).toEqual(out);
      }),
    );
  });

  it("takes nothing from an owner within its equal share", () => {
    const items = fc.uniqueArray(item, { selector: ({ name }) => name, maxLength: 60 });
    fc.assert(
      fc.property(items, fc.integer({ min: 300, max: 2000 }), (all, budget) => {
        const out = itemsToLeaveOut(all, budget);
        for (const owner of ["a", "b", "c"]) {
          const own = all.filter((one) => one.owner === owner);
          if (sum(own) <= budget / 3) expect(out.some((one) => one.owner === owner)).toBe(false);
        }
      }),
    );
  });

  it.each(["", "abc", "ü", "\u{1f600}x", "\u0000"])("counts the bytes of %j", (text) => {
    expect(bytesOf(text)).toBe(Buffer.byteLength(text));
  });
});

const megabyte = 1024 * 1024;
const padded = (name: string, megabytes: number, character = "x"): string =>
  JSON.stringify({ name, pad: character.repeat((megabytes * megabyte) / Buffer.byteLength(character)) });

/** Links hosts, chains and clusters. The first part of a name is the namespace. */
function linkOf(fragments: readonly (Omit<Resource, "group"> & { group?: string })[]): Snapshot {
  const groups: Partial<Record<ResourceType, string>> = {
    "virtual-host": "ingress_http",
    "filter-chain": "ingress_https",
  };
  const all = fragments
    .map((fragment): Resource => ({ ...fragment, group: fragment.group ?? groups[fragment.type] ?? "" }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const resources = (type: ResourceType, group = ""): Resource[] =>
    all.filter((one) => one.type === type && one.group === group);
  const claimants = (key: ClaimKey): Ref[] => {
    const unit = isClaimedUnit(key) ? readUnit(key) : undefined;
    const [host = "", namespace = ""] = unit?.kind === "vhost" ? unit.host.split(".") : [];
    return [`HTTPProxy/${namespace}/${host}`, `Ingress/innocent/${host}`];
  };
  return link({ resources, claimants }, { endpoints: "inline", xdsCluster: "isoline" });
}

const answer = ({ sets }: Snapshot, type: XdsType): Uint8Array => {
  const selection = selectVersion(serveSet(sets[type], 1), []);
  if (!selection) throw new Error("nothing is served");
  return bytesOfBody(encodeResponse(type, selection, { xdsCluster: "isoline" }));
};

const tableHead = {
  type: "route-configuration",
  name: "ingress_http",
  json: '{"name":"ingress_http"}',
} as const;
const httpsHead = {
  type: "listener",
  group: "chains",
  name: "ingress_https",
  json: '{"name":"ingress_https"}',
} as const;

describe("a namespace that exceeds the size of an answer", () => {
  const hosts = (
    type: "virtual-host" | "filter-chain",
    namespace: string,
    count: number,
    size: number,
    c = "x",
  ) =>
    Array.from({ length: count }, (_, i) => ({
      type,
      name: `h${i}.${namespace}`,
      json: padded(`h${i}.${namespace}`, size, c),
    }));
  const ownersOf = ({ findings }: Snapshot): (string | undefined)[] => [
    ...new Set(findings.map(({ about }) => about.split("/")[1])),
  ];

  it.each(["x", "ü"])("loses virtual hosts of its own: they answer 503 (%s)", (character) => {
    const snapshot = linkOf([
      tableHead,
      ...hosts("virtual-host", "greedy", 10, 3, character),
      ...hosts("virtual-host", "modest", 2, 3, character),
    ]);
    expect(answer(snapshot, "routes").length).toBeLessThan(maxBodyBytes);
    expect(ownersOf(snapshot)).toEqual(["greedy"]);
    expect(snapshot.findings).toHaveLength(5);
    expect(snapshot.findings[0]).toMatchObject({
      about: "HTTPProxy/greedy/h0",
      severity: "error",
      reason: "TooLarge",
    });
    const table = JSON.parse(textOf(snapshot.sets.routes, "ingress_http") ?? "{}") as {
      virtual_hosts: { name: string; routes?: object[] }[];
    };
    expect(table.virtual_hosts).toHaveLength(12);
    expect(table.virtual_hosts.find(({ name }) => name === "h0.greedy")).toEqual({
      name: "h0.greedy",
      domains: ["h0.greedy"],
      routes: [{ match: { prefix: "/" }, direct_response: { status: 503 } }],
    });
  });

  it("loses virtual hosts also when they are many and small", () => {
    const small = (namespace: string, count: number) =>
      Array.from({ length: count }, (_, i) => {
        const name = `h${i}.${namespace}`;
        return { type: "virtual-host" as const, name, json: JSON.stringify({ name, pad: "x".repeat(300) }) };
      });
    const snapshot = linkOf([tableHead, ...small("greedy", 80_000), ...small("modest", 1000)]);
    expect(answer(snapshot, "routes").length).toBeLessThan(maxBodyBytes);
    expect(answer(snapshot, "routes").length).toBeGreaterThan(20 * megabyte);
    expect(ownersOf(snapshot)).toEqual(["greedy"]);
  });

  it("loses filter chains of its own", () => {
    const snapshot = linkOf([
      httpsHead,
      ...hosts("filter-chain", "greedy", 10, 3),
      ...hosts("filter-chain", "modest", 2, 3),
    ]);
    const served = new TextDecoder().decode(answer(snapshot, "listeners"));
    expect(served.length).toBeLessThan(maxBodyBytes);
    expect(served).toContain('"name":"h1.modest"');
    expect(served).toContain('"name":"h9.greedy"');
    expect(ownersOf(snapshot)).toEqual(["greedy"]);
  });

  it("loses clusters of its own", () => {
    const clusters = (namespace: string, count: number) =>
      Array.from({ length: count }, (_, i) => {
        const name = `${namespace}/s${i}/80/0123456789abcdef`;
        return { type: "cluster" as const, name, json: padded(name, 3) };
      });
    const snapshot = linkOf([...clusters("greedy", 10), ...clusters("modest", 2)]);
    expect(answer(snapshot, "clusters").length).toBeLessThan(maxBodyBytes);
    expect([...snapshot.sets.clusters.names()].filter((name) => name.startsWith("modest"))).toHaveLength(2);
    expect(snapshot.findings[0]?.about).toBe("Service/greedy/s0");
    expect(ownersOf(snapshot)).toEqual(["greedy"]);
  });

  it("loses nothing when everything fits", () => {
    const snapshot = linkOf([tableHead, ...hosts("virtual-host", "greedy", 7, 3)]);
    expect(snapshot.findings).toEqual([]);
    expect(answer(snapshot, "routes").length).toBeGreaterThan(20 * megabyte);
  });
});
