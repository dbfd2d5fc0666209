import { describe, expect, it } from "vitest";
import type { ObjectStatus } from "../../src/status/status.js";
import { desiredStatus, type Given, kinds, refusals, statusRig, verdict } from "../support/status-rig.js";

it("a write that always conflicts is tried with growing delays, without evaluating objects again meanwhile", async () => {
  const { pass, attempts, judged } = statusRig((method) => (method === "PATCH" ? 409 : 200));
  await pass(600_000);
  const writes = attempts("p");
  expect(writes.length).toBeGreaterThan(5);
  expect(writes.length).toBeLessThan(25);
  expect(judged()).toBeLessThan(60);
  const gaps = writes.slice(1).map((at, i) => at - (writes[i] ?? 0));
  expect(Math.max(...gaps)).toBeGreaterThanOrEqual(60_000);
});

it("a write that conflicts once succeeds the next time, and is not a failure", async () => {
  let conflicts = 1;
  const { pass, writes, log, writer } = statusRig((method) =>
    method === "PATCH" && conflicts-- > 0 ? 409 : 200,
  );
  await pass(60_000);
  expect(writes).toHaveLength(2);
  expect([log, writer.failing]).toEqual([[], []]);
});

describe("an object whose status can't be written", () => {
  const others = kinds.flatMap((kind) =>
    ["a", "b"].map((namespace) => desiredStatus(`${kind}-${namespace}`.toLowerCase(), kind, namespace)),
  );
  const names = others.map(({ metadata }) => metadata.name).sort();

  it.each<[ReturnType<Given>, string]>([
    [413, "PATCH"],
    [422, "PATCH"],
    [409, "PATCH"],
    [400, "PATCH"],
    [403, "PATCH"],
    [429, "PATCH"],
    [500, "PATCH"],
    [503, "PATCH"],
    [504, "GET"],
    [500, "GET"],
    [403, "GET"],
    ["breaks", "PATCH"],
    ["garbage", "PATCH"],
    ["hangs", "PATCH"],
    ["hangs", "GET"],
  ])("does not stop others: %s to %s", async (answer, asked) => {
    for (const kind of kinds) {
      const { pass, written, log, failures, writer } = statusRig(
        (method, name) => (name === "bad" && method === asked ? answer : 200),
        () => [desiredStatus("bad", kind, "a"), ...others],
      );
      await pass(30_000);
      expect(written()).toEqual(names);
      await pass(600_000);
      expect(log).toHaveLength(1);
      expect(writer.failing).toMatchObject([{ ref: `${kind}/a/bad`, kind }]);
      expect(new Set(failures).size).toBe(1);
    }
  });

  it("is written once that is possible, and then is not a failure", async () => {
    let code = 413;
    const { pass, written, writer } = statusRig((method) => (method === "PATCH" ? code : 200));
    await pass(60_000);
    expect(writer.failing).toHaveLength(1);
    code = 200;
    await pass(600_000);
    expect([written(), writer.failing]).toEqual([["p"], []]);
  });

  it("is tried at once with another status, and with growing delays with the same one", async () => {
    let description = "first";
    const { pass, poke, attempts } = statusRig(
      (method) => (method === "PATCH" ? 413 : 200),
      () => [{ ...desiredStatus("p"), status: { currentStatus: "valid", description } }],
    );
    await pass(3_600_000);
    const before = attempts("p").length;
    expect(before).toBeLessThan(20);
    await pass(1000);
    description = "second";
    poke();
    await pass(5000);
    expect(attempts("p").length).toBeGreaterThan(before);
  });

  it("stays paused, whatever other changes happen meanwhile", async () => {
    const { pass, poke, attempts } = statusRig((method) => (method === "PATCH" ? 413 : 200));
    for (let i = 0; i < 600; i++) {
      await pass(1000);
      poke();
    }
    expect(attempts("p").length).toBeLessThan(15);
  });

  it("comes after objects of its namespace with fewer failures", async () => {
    let description = "first";
    const bad = Array.from({ length: 80 }, (_, i) => desiredStatus(`bad-${i}`));
    const later: ObjectStatus[] = [];
    const { pass, poke, written } = statusRig(
      (method, name) => (method === "PATCH" && name.startsWith("bad") ? 413 : 200),
      () => [...bad.map((one) => ({ ...one, status: { ...one.status, description } })), ...later],
    );
    await pass(3_600_000);
    description = "second";
    later.push(desiredStatus("later"));
    poke();
    await pass(30_000);
    expect(written()).toEqual(["later"]);
  });

  it("is not a failure any more when another writer has written it, or when it is not reported on", async () => {
    let desired = [desiredStatus("p"), desiredStatus("q")];
    const { pass, poke, writer } = statusRig(
      (method) => (method === "PATCH" ? 422 : 200),
      () => desired,
    );
    await pass(60_000);
    expect(writer.failing).toHaveLength(2);
    writer.observe("HTTPProxy/default/p", { status: verdict });
    poke();
    await pass(10_000);
    expect(writer.failing).toMatchObject([{ ref: "HTTPProxy/default/q" }]);
    desired = [];
    poke();
    await pass(10_000);
    expect(writer.failing).toEqual([]);
  });

  it("is removed with its object", async () => {
    const { pass, writer } = statusRig((method) => (method === "PATCH" ? 422 : 200));
    await pass(60_000);
    writer.forget("HTTPProxy/default/p");
    expect(writer.failing).toEqual([]);
  });

  it("may be many in one namespace, and those of others are written first", async () => {
    const bad = Array.from({ length: 150 }, (_, i) => desiredStatus(`bad-${i}`, "HTTPProxy", "a-tenant"));
    const good = Array.from({ length: 20 }, (_, i) => desiredStatus(`good-${i}`, "HTTPProxy", `team-${i}`));
    const later: ObjectStatus[] = [];
    const { pass, poke, written, attempts, log } = statusRig(
      (method, name) => (method === "PATCH" && name.startsWith("bad") ? 413 : 200),
      () => [...bad, ...good, ...later],
    );
    await pass(10_000);
    expect(written()).toHaveLength(20);
    await pass(600_000);
    later.push(desiredStatus("later", "Ingress", "z-team"));
    poke();
    const began = attempts("bad-0").length;
    await pass(30_000);
    expect(written()).toContain("later");
    expect(attempts("bad-0").length - began).toBeLessThan(5);
    expect(log.length).toBeLessThan(25);
  });

  it("includes all objects while the API server is unavailable: few requests, one line for a kind without permission", async () => {
    const all = Array.from({ length: 500 }, (_, i) => desiredStatus(`p-${i}`, "HTTPProxy", `team-${i}`));
    for (const answer of ["breaks", 503, 403] as const) {
      refusals.lackRight = true;
      let code: ReturnType<Given> = answer;
      const { pass, writes, written, log } = statusRig(
        (method) => (method === "PATCH" ? code : 200),
        () => all,
      );
      await pass(600_000);
      expect(writes.length).toBeLessThan(1000);
      expect(log.length).toBeLessThan(answer === 403 ? 2 : 25);
      code = 200;
      await pass(180_000);
      expect(written()).toHaveLength(500);
    }
  });
});
