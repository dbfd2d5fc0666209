import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { statusReport } from "../../src/engine/status-report.js";
import type { Ref } from "../../src/schema/meta.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Platform } from "../../src/update.js";
import { hostProxy, type Manifest, service } from "../support/backend.js";
import { parseCase, platform } from "../support/compile.js";
import { noOutlet } from "../support/engine.js";

const objects = (...manifests: readonly Manifest[]) =>
  manifests.flatMap((manifest) => parseCase(JSON.stringify(manifest)).objects);
const host = objects(service("default", "a"), hostProxy("x.test", "a"));

/** An engine, and the sequences of its publications. */
function rig(limits: Partial<Platform> = {}) {
  const sequences: number[] = [];
  const outlet = { ...noOutlet(), publish: (_: unknown, sequence: number) => void sequences.push(sequence) };
  const store = createMemoryStore();
  const engine = new Engine({ store, platform: { ...platform, ...limits }, outlet, now: () => 1000 });
  return { engine, store, outlet, sequences };
}

describe("an engine", () => {
  it("publishes the objects of a source once when the source offers them", () => {
    const { engine, sequences } = rig();
    expect(engine.put(host)).toMatchObject({ pending: 0, edited: true });
    expect(sequences).toEqual([]);
    expect([engine.offer(), engine.offer()]).toEqual([true, false]);
    expect(engine.put(host)).toMatchObject({ compiled: 0, edited: false });
    expect(sequences).toEqual([1000]);
    engine.replace([]);
    expect([engine.offer(), sequences.length]).toEqual([true, 2]);
  });

  it("publishes nothing before its source was read once, or while steps are left", () => {
    const { engine, sequences } = rig();
    const feed = { ready: false, steps: 0, kept: 3 };
    engine.attach(feed);
    engine.put(host);
    expect([engine.offer(), engine.pending]).toEqual([false, 0]);
    feed.ready = true;
    feed.steps = 1;
    expect([engine.offer(), engine.pending]).toEqual([false, 1]);
    feed.steps = 0;
    expect([engine.offer(), engine.pending, sequences.length]).toEqual([true, 0, 1]);
    expect(engine.gauges()).toContainEqual(["objects_kept", 3]);
  });

  it("publishes nothing while units are left, and resumes these", async () => {
    const { engine, sequences } = rig({ maxUnits: 1 });
    expect(engine.put(host).pending).toBeGreaterThan(0);
    expect(engine.offer()).toBe(false);
    for (let rounds = 0; engine.pending > 0 && rounds < 20; rounds++) expect(await engine.resume()).toBe(1);
    expect(sequences).toHaveLength(1);
  });

  it("publishes nothing while references are awaited, each by the clock of its source", () => {
    const { engine } = rig();
    let steady = 0;
    const awaited = engine.awaits(() => steady);
    engine.awaits(() => 1e9);
    engine.put(host);
    awaited.add(["Service/default/later"], steady);
    expect(engine.offer()).toBe(false);
    steady = 1000;
    expect(engine.offer()).toBe(true);
  });

  it("notifies of objects whose status may have changed: put ones, and ones with omitted resources", () => {
    const { engine } = rig();
    const judged: Ref[] = [];
    let published = 0;
    engine.listen({ affected: (refs) => judged.push(...refs), published: () => published++ });
    const about = host[1]?.ref as Ref;
    engine.put(host);
    expect(judged).toContain(about);
    judged.length = 0;
    engine.offer();
    expect([published, judged]).toEqual([1, []]);
    const finding = {
      about,
      severity: "error",
      type: "LinkError",
      reason: "TooLarge",
      message: "is left out",
    } as never;
    const leftOut = vi.spyOn(engine, "leftOut", "get").mockReturnValue([finding]);
    engine.offer();
    expect([judged, engine.leftOutAbout(about)]).toEqual([[about], [finding]]);
    leftOut.mockRestore();
    engine.offer();
    expect([judged, engine.leftOutAbout(about)]).toEqual([[about, about], []]);
  });

  it("serves a route table in parts once an Envoy requests these", () => {
    const { engine, outlet, sequences } = rig();
    outlet.partAsked("ingress_http");
    expect(sequences).toEqual([]);
    engine.put(host);
    engine.offer();
    outlet.partAsked("no-table");
    outlet.partAsked("ingress_http");
    expect(engine.snapshot?.parts.has("ingress_http")).toBe(true);
  });

  it("reports findings of the source, findings of its store with their places, and omitted resources", () => {
    const { engine } = rig();
    engine.put(objects(hostProxy("x.test", "none")));
    const own = {
      about: "File//",
      severity: "error",
      type: "FileError",
      reason: "Unreadable",
      message: "no",
    };
    const report = statusReport(engine, {
      findings: [own as never],
      status: () => [{ name: "files" }],
      locate: (finding) => ({ ...finding, line: 7 }),
    });
    expect(report.sources).toEqual([{ name: "files" }]);
    expect(report.findings[0]).toEqual(own);
    expect(report.findings.slice(1)).toEqual([
      expect.objectContaining({ reason: "ServiceUnresolvedReference", line: 7 }),
    ]);
  });
});

describe("an offer within a time", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is published once for all offers, and tried again if the store fails", () => {
    const { engine, store, sequences } = rig();
    const failures: unknown[] = [];
    engine.listen({ failed: (error) => failures.push(error) });
    const failing = vi.spyOn(store, "setCursor").mockImplementation(() => {
      throw new Error("the disk is full");
    });
    engine.put(host);
    engine.offerWithin(5);
    engine.offerWithin(5);
    vi.advanceTimersByTime(10);
    expect([failures, sequences]).toEqual([[new Error("the disk is full")], []]);
    engine.offerWithin(5);
    vi.advanceTimersByTime(1000);
    expect(failures).toHaveLength(1);
    failing.mockRestore();
    vi.advanceTimersByTime(5000);
    expect(sequences).toHaveLength(1);
  });

  it("is dropped when the engine is closed", () => {
    const { engine, sequences } = rig();
    engine.put(host);
    engine.offerWithin(5);
    engine.close();
    engine.offerWithin(5);
    vi.advanceTimersByTime(10_000);
    expect(sequences).toEqual([]);
  });
});
