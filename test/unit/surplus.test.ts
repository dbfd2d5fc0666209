import { describe, expect, it } from "vitest";
import { link, type Snapshot } from "../../src/link/snapshot.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { httpProxy, type Manifest, service } from "../support/backend.js";
import { compileAll } from "../support/compile.js";
import { fc } from "../support/fast-check.js";

const parse = (manifest: Manifest): KubeObject => {
  const parsed = parseObject(manifest);
  if (!("object" in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.object;
};

/** A host with `count` routes, each with another idle timeout and therefore its own cluster of the Service. */
const variants = (namespace: string, name: string, count: number): Manifest[] => [
  service(namespace, name),
  httpProxy(namespace, name, {
    virtualhost: { fqdn: `${name}.${namespace}.test` },
    routes: Array.from({ length: count }, (_, i) => ({
      conditions: [{ prefix: `/${i}` }],
      timeoutPolicy: { idleConnection: `${i + 1}s` },
      services: [{ name, port: 80 }],
    })),
  }),
];

function served(objects: readonly Manifest[], clusters?: number): Snapshot {
  const { settings } = parseSettings(clusters === undefined ? {} : { budgets: { clusters } });
  return link(compileAll([settings, ...objects.map(parse)]), settings.spec);
}

const countOf = ({ sets }: Snapshot, prefix: string): number =>
  [...sets.clusters.names()].filter((name) => name.startsWith(prefix)).length;

describe("clusters beyond one for each Service", () => {
  it("are limited by the budget of a namespace; the Services with the most clusters lose some", () => {
    const objects = [...variants("a", "many", 40), ...variants("a", "few", 3), ...variants("b", "own", 30)];
    const snapshot = served(objects, 30);
    expect([countOf(snapshot, "a/many/"), countOf(snapshot, "a/few/"), countOf(snapshot, "b/own/")]).toEqual([
      29, 3, 30,
    ]);
    expect(snapshot.findings).toEqual([
      expect.objectContaining({ about: "Service/a/many", reason: "TooManyClusters", severity: "error" }),
    ]);
    expect(served([...objects].reverse(), 30).sets.clusters.hash).toBe(snapshot.sets.clusters.hash);
  });

  it("are limited to a thousand by default, also for one Service with thousands of ports", () => {
    const ports = Array.from({ length: 2400 }, (_, i) => ({ name: `p${i}`, port: i + 1 }));
    const web = { ...service("a", "web"), spec: { ports } };
    const services = ports.map(({ port }) => ({ name: "web", port }));
    const snapshot = served([
      web,
      httpProxy("a", "web", { virtualhost: { fqdn: "web.test" }, routes: [{ services }] }),
      ...variants("a", "other", 1),
    ]);
    expect(countOf(snapshot, "a/web/")).toBe(1001);
    expect(countOf(snapshot, "a/other/")).toBe(1);
  });

  it("never exceed the limit, and each Service keeps one, for any input", () => {
    const counts = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(counts, fc.nat(20), (wanted, most) => {
        const objects = wanted.flatMap((count, i) => variants("a", `s${i}`, count));
        const snapshot = served(objects, most);
        const kept = wanted.map((_, i) => countOf(snapshot, `a/s${i}/`));
        const surplus = kept.reduce((sum, count) => sum + count - 1, 0);
        expect(surplus).toBeLessThanOrEqual(most);
        for (const [i, count] of kept.entries())
          expect(count).toBeGreaterThanOrEqual(Math.min(1, wanted[i] ?? 0));
        const all = wanted.reduce((sum, count) => sum + count - 1, 0);
        if (all <= most) expect(kept).toEqual(wanted);
      }),
      { numRuns: 60 },
    );
  });
});
